"""The .deb works on a clean system: built by cpack, installed by dpkg into a root that holds its dependencies only.

The root is made once of this distribution's packages and kept in SWRUN_TEST_CACHE; each run works in an overlay of it.
A user namespace cannot be made in a chroot, so the test enters the root by pivot_root.
"""
import glob
import os
import re
import shutil
import subprocess
import tempfile
import unittest

import swtest

BUILD = os.environ.get('SWRUN_BUILD', '')
CACHE = os.environ.get('SWRUN_TEST_CACHE', '')
MAKE_TREE = os.path.join(os.path.dirname(os.path.realpath(__file__)), '..', '..', 'scripts', 'make_tree.sh')

# Runs in namespaces of its own, with the clean root mounted at $1; the rest are commands inside.
ENTER = r'''
set -eu
cd "$1"
mount -t proc proc proc
mount -t sysfs sys sys 2>/dev/null || true
mount -t tmpfs dev dev
for node in null zero full random urandom tty fuse; do
  [ ! -e /dev/$node ] || { : >dev/$node; mount --bind /dev/$node dev/$node; }
done
pivot_root . .
umount -l .
exec /bin/sh -eu -c "$2"
'''


def run(*argv, **more):
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True, timeout=600, **more)
    if done.returncode:
        raise AssertionError(f'{argv[:3]}: status {done.returncode}\n{done.stdout[-4000:]}')
    return done.stdout


class Package(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if os.geteuid():
            swtest.cannot('installing a package needs root')
        for tool in ('dpkg-deb', 'dpkg-shlibdeps', 'mmdebstrap', 'cpack'):
            if not shutil.which(tool):
                swtest.cannot('no ' + tool)
        swtest.make_fuse_usable()
        cls.folder = tempfile.mkdtemp(prefix='swrun-package.', dir='/tmp')
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        run('cpack', '-G', 'DEB', '-B', cls.folder + '/out', cwd=BUILD)
        cls.deb, = glob.glob(cls.folder + '/out/*.deb')

    def field(self, name):
        return run('dpkg-deb', '-f', self.deb, name).strip()

    def names(self, field):
        """First alternatives, without versions."""
        return [re.split(r'[ (|:]', part.strip())[0] for part in self.field(field).split(',') if part.strip()]

    def test_fields(self):
        self.assertEqual(self.field('Package'), 'swrun')
        self.assertTrue(self.field('Depends'))
        self.assertIn('bash-static', self.names('Recommends'))
        self.assertTrue(self.field('Maintainer') and self.field('Description'))

    def test_files(self):
        files = run('dpkg-deb', '-c', self.deb)
        for path in ('./usr/bin/swrun', './usr/bin/singularity', './usr/bin/apptainer', './usr/bin/singularity_wrapper',
                     './usr/bin/apptainer_wrapper', './usr/bin/run-singularity', './usr/bin/swrun-bench',
                     './usr/libexec/swrun/bench/cli.py', './usr/share/man/man1/swrun.1',
                     './usr/share/doc/swrun/LICENSE', './usr/share/doc/swrun/THIRD_PARTY_NOTICES'):
            self.assertIn(path, files)
        for line in files.splitlines():
            self.assertRegex(line, r'^[-dl]\S+ root/root')
            self.assertNotRegex(line, r'^-..s', 'a setuid program in the package')

    def test_clean_root(self):
        # mount: entering the root needs umount, which is not essential in Debian.
        packages = sorted(set(['mount'] + self.names('Depends') + self.names('Recommends')))
        base = os.path.join(CACHE, 'clean-root')
        os.makedirs(CACHE, exist_ok=True)
        run(MAKE_TREE, base, 'essential', *packages)
        root, tmpfs = self.folder + '/root', self.folder + '/tmpfs'
        os.mkdir(root), os.mkdir(tmpfs)
        mount = (f'mount -t tmpfs -o mode=755 tmpfs {tmpfs}; mkdir {tmpfs}/up {tmpfs}/work; '
                 f'mount -t overlay overlay -o lowerdir={base},upperdir={tmpfs}/up,workdir={tmpfs}/work {root}; '
                 f'cp {self.deb} {root}/swrun.deb; cp {swtest.IMAGES}/image.sif {root}/image.sif; ')
        inside = '''
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root DEBIAN_FRONTEND=noninteractive
dpkg -i /swrun.deb
echo 'someone:x:1234:1234::/home/someone:/bin/bash' >>/etc/passwd
echo 'someone:x:1234:' >>/etc/group
mkdir /home/someone; chown 1234:1234 /home/someone; chmod 644 /image.sif
cd /home/someone
user() { setpriv --reuid=1234 --regid=1234 --clear-groups env -i HOME=/home/someone USER=someone PATH=/usr/bin:/bin "$@"; }
echo "version: $(user swrun --version)"
echo "launch: $(user swrun exec /image.sif cat /data/file)"
echo "drop-in: $(user singularity exec /image.sif tool x)"
status=0; user swrun run /image.sif || status=$?
echo "status: $status"
dpkg -r swrun >/dev/null
[ ! -e /usr/bin/swrun ] && echo removed
'''
        out = run('unshare', '-m', '--propagation', 'private', 'bash', '-euc', mount + ENTER, 'enter', root, inside)
        self.assertRegex(out, r'version: .*\d+\.\d+')
        self.assertIn('launch: from the image', out)
        self.assertIn('drop-in: tool x', out)
        self.assertIn('status: 5', out)
        self.assertIn('removed', out)


if __name__ == '__main__':
    swtest.main()
