"""The commands that start no program: what an image holds, what is set, overlay images, our own cache."""
import os
import shutil
import stat
import subprocess

import swtest

RULE = '-' * 78


class Sif(swtest.Case):
    def setUp(self):
        super().setUp()
        self.sif = os.path.join(self.images, 'image.sif')

    def test_list(self):
        lines = self.ok('sif', 'list', self.sif).out.splitlines()
        self.assertEqual(lines[:3], [RULE, 'ID   |GROUP   |LINK    |SIF POSITION (start-end)  |TYPE', RULE])
        self.assertRegex(lines[-1], r'^\d+ +\|1       \|NONE    \|\d+-\d+ +\|FS \(Squashfs/\*System/\w+\)$')
        bars = [[at for at, c in enumerate(line) if c == '|'] for line in lines[3:]]
        self.assertEqual(bars, [[5, 14, 23, 50]] * len(bars))

    def test_header(self):
        out = self.ok('sif', 'header', self.sif).out
        self.assertRegex(out, r'(?m)^Launch Script: +#!/usr/bin/env run-singularity$')
        self.assertRegex(out, r'(?m)^Version: +01$')
        self.assertEqual(len({line.index(line.split(':', 1)[1].strip()) for line in out.splitlines()}), 1, out)

    def test_dump_gives_the_bytes_of_the_object(self):
        number = self.ok('sif', 'list', self.sif).out.splitlines()[-1].split()[0]
        info = dict(line.strip().split(':', 1) for line in self.ok('sif', 'info', number, self.sif).out.splitlines())
        start, size = int(info['Offset']), int(info['Size'])
        target = os.path.join(self.work, 'dumped')
        child = self.popen(['sh', '-c', 'exec swrun sif dump "$1" "$2" > dumped', 'sh', number, self.sif])
        self.assertEqual(child.wait(60), 0, child.stderr.read())
        child.stdout.close()
        child.stderr.close()
        with open(self.sif, 'rb') as image, open(target, 'rb') as dumped:
            image.seek(start)
            self.assertTrue(dumped.read() == image.read(size), 'other bytes than those in the image')

    def usage_error(self, *argv):
        done = self.run_as_user('apptainer', *argv)
        self.assertEqual(done.status, 1, repr(done))
        self.assertTrue(done.out.startswith('Usage:\n  apptainer [global options...] sif '), repr(done))
        return done.err

    def test_errors_look_like_usage_errors(self):
        missing = 'Error for command "%s": object not found\n\n'
        self.assertEqual(self.usage_error('sif', 'dump', '99', self.sif), missing % 'dump')
        self.assertEqual(self.usage_error('sif', 'info', '99', self.sif), missing % 'info')
        for other in (self.image, os.path.join(self.images, 'sandbox'), self.write('short', 'x')):
            self.assertIn('Error for command "list": invalid SIF magic', self.usage_error('sif', 'list', other))
        self.assertIn('no such file', self.usage_error('sif', 'header', 'nosuch.sif'))

    def test_a_cut_file_is_named(self):
        number = self.ok('sif', 'list', self.sif).out.splitlines()[-1].split()[0]
        cut = os.path.join(self.work, 'cut.sif')
        shutil.copy(self.sif, cut)
        os.truncate(cut, os.path.getsize(cut) - 1000)
        self.user.give(cut)
        child = self.popen(['sh', '-c', 'exec swrun sif dump "$1" cut.sif > /dev/null', 'sh', number])
        _, err = child.communicate(timeout=60)
        self.assertEqual(child.returncode, 1)
        self.assertIn(b'unexpected EOF', err)


class Cache(swtest.Case):
    def test_empty(self):
        done = self.run_as_user('apptainer', 'cache', 'list', env={'XDG_CACHE_HOME': self.work})
        self.assertEqual(done.out, 'There are 0 container file(s) using 0.00 KiB and 0 oci blob file(s) using 0.00 KiB '
                                   'of space\nTotal space used: 0.00 KiB\n')
        self.assertEqual(os.listdir(self.work), [], 'looking creates nothing')

    def test_clean_removes_what_is_ours_and_nothing_else(self):
        self.write('swrun/old/file', 'x' * 1024)
        self.write('other/file')
        self.write('precious/file')
        os.symlink('../precious', os.path.join(self.work, 'swrun', 'link'))
        env = {'APPTAINER_CACHEDIR': self.work}
        self.assertIn('There are 2 container file(s) using 1.0', self.ok('cache', 'list', env=env).out)
        self.ok('cache', 'clean', '--dry-run', env=env)
        self.assert_failed(self.swrun('cache', 'clean', env=env), 255, '--force')
        self.ok('cache', 'clean', env=env, stdin='n\n')
        self.ok('cache', 'clean', '-f', '--days', '2', env=env)
        self.assertEqual(sorted(os.listdir(os.path.join(self.work, 'swrun'))), ['link', 'old'])
        self.ok('cache', 'clean', env=env, stdin='y\n')
        self.assertEqual(os.listdir(os.path.join(self.work, 'swrun')), [])
        for name in ('other', 'precious'):
            self.assertEqual(os.listdir(os.path.join(self.work, name)), ['file'])


class Settings(swtest.Case):
    def test_show(self):
        path = self.write('site.toml', '[defaults]\nnv = true\n[[bind]]\nsource = "/scratch"\ntarget = "/data"\n'
                                       '[environment]\nANSWER = "42"\n')
        out = self.ok('config', 'show', env={'SWRUN_CONFIG': path, 'APPTAINER_CLEANENV': '1'}).out
        for line in ('  ' + path, '  --nv true', '  --cleanenv true', '  /scratch:/data', '  ANSWER=42'):
            self.assertRegex(out, '(?m)^' + line)
        self.assertIn('(variable APPTAINER_CLEANENV)', out)
        self.assertIn(f'(site file {path}:2', out)

    def test_nothing_is_written(self):
        for option in ('--set', '--unset', '--reset'):
            done = self.run_as_user('apptainer', 'config', 'global', option, 'bind path', '/x')
            self.assert_failed(done, 255, 'writes no configuration')
        done = self.run_as_user('apptainer', 'config', 'global', '--get', 'allow setuid')
        self.assertEqual((done.status, done.out), (0, 'no\n'))

    def test_capabilities(self):
        self.assertEqual(self.ok('capability', 'list').out, '')
        self.assertIn('\nCAP_SYS_ADMIN ', self.ok('capability', 'avail').out)
        self.assertEqual(len(self.ok('capability', 'avail', 'chown,kill').out.splitlines()), 2)
        self.assert_failed(self.swrun('capability', 'avail', 'nosuch'), 255, 'nosuch')


class Overlay(swtest.Case):
    def setUp(self):
        super().setUp()
        self.debugfs = shutil.which('debugfs', path=swtest.SYSPATH)
        if not self.debugfs or not shutil.which('mkfs.ext3', path=swtest.SYSPATH):
            swtest.cannot('no e2fsprogs')

    def look(self, what):
        return subprocess.run([self.debugfs, '-R', what, os.path.join(self.work, 'o.img')], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, check=True, universal_newlines=True).stdout

    def test_create(self):
        env = {'TMPDIR': self.work}
        self.assertEqual(self.ok('overlay', 'create', '--sparse', '--create-dir', '/a/b,../../c', 'o.img', env=env).out, '')
        self.assertEqual(os.listdir(self.work), ['o.img'], 'temporary files are left')
        status = os.stat(os.path.join(self.work, 'o.img'))
        self.assertEqual((stat.S_IMODE(status.st_mode), status.st_size, status.st_uid), (0o600, 64 << 20, self.user.uid))
        self.assertLess(status.st_blocks * 512, 32 << 20)
        for directory in ('/upper', '/work', '/upper/a/b', '/upper/c'):
            self.assertRegex(self.look('stat ' + directory), r'Type: directory +Mode: +0755', directory)
        self.assertIn('has_journal', self.look('features'))
        with open(os.path.join(self.work, 'o.img'), 'rb') as image:
            before = image.read(8 << 20)
        self.assert_failed(self.swrun('overlay', 'create', 'o.img'), 255, 'EXT3 overlay image', 'already exists')
        with open(os.path.join(self.work, 'o.img'), 'rb') as image:
            self.assertTrue(image.read(8 << 20) == before, 'an image that exists was written to')

    def test_size(self):
        done = self.run_as_user('apptainer', 'overlay', 'create', '--size', '63', 'o.img')
        self.assertEqual((done.status, done.err), (255, 'FATAL:   image size must be equal or greater than 64 MiB\n'))
        self.ok('overlay', 'create', '--size', '80', 'o.img')
        status = os.stat(os.path.join(self.work, 'o.img'))
        self.assertEqual(status.st_size, 80 << 20)
        self.assertGreaterEqual(status.st_blocks * 512, 80 << 20, 'not sparse unless asked')

    def test_refusals_leave_nothing(self):
        shutil.copy(os.path.join(self.images, 'image.sif'), os.path.join(self.work, 'i.sif'))
        self.user.give(os.path.join(self.work, 'i.sif'))
        self.assert_failed(self.swrun('overlay', 'create', 'i.sif'), 255, 'SIF')
        self.assert_failed(self.swrun('overlay', 'create', 'no/such/o.img'), 255, 'no such file')
        self.assertEqual(os.listdir(self.work), ['i.sif'])


class Inspect(swtest.Case):
    """An application's part is below "apps", as for tools that read the JSON."""

    def setUp(self):
        super().setUp()
        for name, text in (('.singularity.d/runscript', '#!/bin/sh\necho main\n'),
                           ('.singularity.d/labels.json', '{"K": "V"}'), ('.singularity.d/Singularity', 'From: x\n'),
                           ('scif/apps/one/scif/runscript', 'echo one\n'),
                           ('scif/apps/one/scif/labels.json', '{"A": "1"}'), ('bin/sh', '')):
            self.write('box/' + name, text)

    def test_application(self):
        one = self.ok('inspect', '--app', 'one', '-l', '-r', '--json', 'box').json()['data']['attributes']
        self.assertEqual(one, {'apps': {'one': {'labels': {'A': '1'}, 'runscript': 'echo one'}}})
        self.assertEqual(self.ok('inspect', '--app', 'one', 'box').out, 'A: 1\n')
        self.assertEqual(self.ok('inspect', '--app', 'one', '-d', 'box').out, 'From: x\n')
        none = self.ok('inspect', '--app', 'two', 'box')
        self.assertEqual(none.out, '')
        self.assertIn('two', none.err)

    def test_all_is_about_everything(self):
        all_of_it = self.ok('inspect', '--all', 'box').json()
        self.assertEqual(all_of_it, self.ok('inspect', '--all', '--app', 'one', 'box').json())
        self.assertEqual(all_of_it['data']['attributes']['labels'], {'K': 'V'})
        self.assertIn('one', all_of_it['data']['attributes']['apps'])

    def test_order_of_the_parts(self):
        self.assertEqual(self.ok('inspect', '-l', '-r', '-d', '--list-apps', 'box').out,
                         'one\nFrom: x\n#!/bin/sh\necho main\nK: V\n')


if __name__ == '__main__':
    swtest.main()
