"""Real programs in a real distribution: what the image gives is what the unpacked tree gives.

The tree is of this distribution's own packages (distribution.py).
"""
import hashlib
import os
import random
import shutil
import subprocess

import swtest
from distribution import CACHE, add_to, need_distribution, newer, put

BLOCK = 1 << 17
BLOCKS = (1 << 30) // BLOCK

IMPORT_ALL = r'''
import importlib, os, sys, warnings
warnings.simplefilter("ignore")
good, bad = 0, []
for name in sorted(sys.stdlib_module_names):
    if name in ("antigravity", "this", "idlelib", "turtledemo", "__main__"):
        continue
    try:
        importlib.import_module(name)
        good += 1
    except ImportError as error:
        bad.append(name)
print(good, *bad)
'''
READ_AT = range(8190, -1, -61)
READ_MIDDLE = f"""
import hashlib, os
fd, digest = os.open("/big", os.O_RDONLY), hashlib.md5()
for index in {READ_AT!r}:
    digest.update(os.pread(fd, 150001, index * {BLOCK} + 777))
print(digest.hexdigest())
"""
LIST = ['-printf', r'%p\t%y\t%m\t%Ts\t%l\n']


def block(index):
    """One of the 8192 blocks of the big file: random, repetitive or empty."""
    if index % 16 == 0:
        return random.Random(index).getrandbits(8 * BLOCK).to_bytes(BLOCK, 'little')
    if index % 4 == 1:
        return (b'%08d the quick brown fox jumps over the lazy dog\n' % index * (BLOCK // 40))[:BLOCK]
    return bytes(BLOCK)


def make_big(base, image):
    """The distribution's image with one more file, /big, of 1 GiB; its md5 beside the image."""
    folder = image + '.d'
    os.makedirs(folder, exist_ok=True)
    digest, empty = hashlib.md5(), bytes(BLOCK)
    with open(os.path.join(folder, 'big'), 'wb') as out:
        for index in range(BLOCKS):
            data = block(index)
            digest.update(data)
            if data == empty:
                out.seek(BLOCK, os.SEEK_CUR)
            else:
                out.write(data)
        out.truncate(BLOCKS * BLOCK)
    add_to(base, folder, image)
    shutil.rmtree(folder)
    with open(image + '.md5', 'w', encoding='utf-8') as out:
        out.write(digest.hexdigest())


class Real(swtest.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        tree, image = need_distribution(cls.user)
        big = os.path.join(CACHE, 'big.sqfs')
        if not newer(big + '.md5', image):
            make_big(image, big)
        cls.folder = os.path.join(swtest.STAGE, 'real')
        os.makedirs(os.path.join(cls.folder, 'tree'), exist_ok=True)
        cls.real, cls.big = os.path.join(cls.folder, 'distribution.sqfs'), os.path.join(cls.folder, 'big.sqfs')
        for source, target in ((image, cls.real), (big, cls.big)):
            if not os.path.exists(target):
                put(source, target)
        with open(big + '.md5', encoding='utf-8') as stored:
            cls.big_md5 = stored.read()
        swtest.private_mounts()
        swtest.bind_mount(tree, os.path.join(cls.folder, 'tree'))
        cls.tree = os.path.join(cls.folder, 'tree')

    def in_tree(self, *argv):
        """The same program in the unpacked tree, as the same user."""
        done = subprocess.run(['chroot', f'--userspec={self.user.uid}:{self.user.gid}', self.tree, *argv],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True, timeout=300,
                              env={'PATH': swtest.SYSPATH, 'LANG': 'C.UTF-8', 'HOME': '/'})
        return swtest.Done(done.returncode, done.stdout, done.stderr)

    def test_python_imports_its_standard_library(self):
        done = self.ok('exec', self.real, 'python3', '-c', IMPORT_ALL, timeout=300)
        self.assertEqual(done.out, self.in_tree('python3', '-c', IMPORT_ALL).out)
        self.assertGreater(int(done.out.split()[0]), 200)

    def test_python_runs_a_process_pool(self):
        script = ('from concurrent.futures import ProcessPoolExecutor as P\nimport math\n'
                  'if __name__ == "__main__":\n with P(4) as p: print(sum(p.map(math.factorial, range(20))))\n')
        path = self.write('pool.py', script)
        self.assertEqual(self.ok('exec', self.real, 'python3', path, timeout=120).out, '128425485935180314\n')

    def test_perl(self):
        script = 'use POSIX; use Data::Dumper; use File::Find; use Encode; my %h; $h{length $_}++ for qw(a bb cc); ' \
                 'print join(",", map {"$_=$h{$_}"} sort keys %h), " ", POSIX::floor(3.7), "\\n"'
        self.assertEqual(self.ok('exec', self.real, 'perl', '-e', script).out, '1=1,2=2 3\n')

    def test_bash(self):
        script = 'set -o pipefail; a=(x y z); cat <<< "${a[*]}" | tr a-z A-Z; diff <(seq 3) <(seq 3) && echo same; false | true; echo $?'
        self.assertEqual(self.ok('exec', self.real, 'bash', '-c', script).out, 'X Y Z\nsame\n1\n')

    def test_pipeline_of_launches(self):
        script = 'seq 1 100000 | swrun exec "$I" sort -r | swrun exec "$I" perl -ne "print if /7$/" | ' \
                 'swrun exec "$I" python3 -c "import sys; print(sum(int(x) for x in sys.stdin))"'
        done = self.run_as_user('bash', '-o', 'pipefail', '-c', script, env={'I': self.real}, timeout=120)
        self.assertEqual((done.status, done.out), (0, '500020000\n'), repr(done))

    def test_a_large_file_is_read_back_right(self):
        out = self.ok('exec', self.big, 'md5sum', '/big', timeout=300).out
        self.assertEqual(out.split()[0], self.big_md5)

    def test_a_large_file_is_read_right_from_the_middle(self):
        digest = hashlib.md5()
        for index in READ_AT:
            digest.update((block(index) + block(index + 1))[777:777 + 150001])
        self.assertEqual(self.ok('exec', self.big, 'python3', '-c', READ_MIDDLE, timeout=120).out, digest.hexdigest() + '\n')

    def test_find_gives_what_the_tree_gives(self):
        inside = self.swrun('exec', '--no-home', self.real, 'find', '/', '-xdev', *LIST, timeout=300, cwd='/')
        outside = self.in_tree('find', '/', '-xdev', *LIST)
        mounted = {m['point'] for m in self.mounts()}
        # In an image file all belongs to the caller, so it may show folders that the tree keeps for root.
        self.assertLessEqual(set(inside.err.splitlines()), set(outside.err.splitlines()))
        closed = tuple(line.split('\u2018')[1].split('\u2019')[0] + '/' for line in outside.err.splitlines())

        def entries(text):
            return {line.split('\t')[0]: line for line in text.splitlines()}

        def hidden(path):
            return any(path == point or path.startswith(point + '/') for point in mounted if point != '/')
        seen, wanted = entries(inside.out), entries(outside.out)
        self.assertGreater(len(wanted), 5000)
        missing = [path for path in wanted if path not in seen and not hidden(path)]
        added = [path for path in seen if path not in wanted and not path.startswith(closed) and
                 not any(point == path or point.startswith(path + '/') for point in mounted)]
        self.assertEqual((missing, added), ([], []))
        made = ('/', '/etc/passwd', '/etc/group')
        odd = [(wanted[path], seen[path]) for path in wanted if path in seen and not hidden(path) and path not in made and
               wanted[path] != seen[path] and not any(point.startswith(path + '/') for point in mounted)]
        self.assertEqual(odd[:5], [])

    def mounts(self):
        out = self.ok('exec', '--no-home', self.real, 'cat', '/proc/self/mountinfo', cwd='/').out
        return swtest.mounts_of({'mounts': out.splitlines()})


if __name__ == '__main__':
    swtest.main()
