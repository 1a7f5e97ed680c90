"""--dry-run shows the whole plan and changes nothing; --explain-env and --timings; the site file."""
import json
import os
import re
import shutil

import swtest
from swtest import env_of


def texts(value):
    """All strings of a JSON value."""
    if isinstance(value, dict):
        return [t for key, item in value.items() for t in [key] + texts(item)]
    if isinstance(value, list):
        return [t for item in value for t in texts(item)]
    return [value] if isinstance(value, str) else []


class DryRun(swtest.Case):
    def plan(self, *options, **more):
        done = self.ok('exec', '--dry-run', *options, self.image, 'touch', self.work + '/ran', **more)
        self.assertFalse(os.path.exists(self.work + '/ran'), 'the program was run')
        return done.json()

    def test_the_plan_is_json_and_nothing_runs(self):
        plan = self.plan()
        self.assertIsInstance(plan['mounts'], list)
        self.assertIn(self.image, texts(plan))

    def test_every_mount_says_who_asked(self):
        self.write('src/file')
        mounts = self.plan('-B', 'src:/data')['mounts']
        self.assertTrue(all(mount['asked_by'] for mount in mounts), mounts)
        asked = [mount for mount in mounts if mount['target'] == '/data']
        self.assertEqual(len(asked), 1, mounts)
        self.assertRegex(asked[0]['asked_by'], '-B|--bind')
        self.assertEqual(asked[0]['source'], self.work + '/src')

    def test_same_plan_twice(self):
        first, second = (self.ok('exec', '--dry-run', self.image, 'true').out for _ in range(2))
        self.assertEqual(first, second)

    def test_nothing_is_created(self):
        for name in ('src', 'wd'):
            os.mkdir(os.path.join(self.work, name))
            self.user.give(os.path.join(self.work, name))
        self.write('inner/x')
        self.plan('-B', 'src:/data,inner:/data/inner', '--workdir', self.work + '/wd', '--contain')
        self.assertEqual(sorted(os.listdir(self.work)), ['inner', 'src', 'wd'])
        self.assertEqual(os.listdir(self.work + '/src') + os.listdir(self.work + '/wd'), [])

    def test_no_privileged_call(self):
        if not shutil.which('strace', path=swtest.SYSPATH):
            self.skipTest('no strace')  # informative: the other tests see the effects
        log = self.work + '/trace'
        done = self.run_as_user('strace', '-f', '-o', log, os.path.join(swtest.STAGE, 'bin/swrun'), 'exec', '--dry-run',
                                self.image, 'true')
        self.assertEqual(done.status, 0, repr(done))
        with open(log, encoding='utf-8', errors='replace') as lines:
            calls = {m.group(1) for m in (re.match(r'\d+\s+(\w+)\(', line) for line in lines) if m}
        bad = calls & {'unshare', 'setns', 'mount', 'umount2', 'pivot_root', 'open_tree', 'move_mount', 'fsopen', 'fsmount',
                       'mount_setattr', 'chroot', 'capset', 'mkdir', 'mkdirat', 'setuid', 'setgid', 'setresuid'}
        self.assertEqual(bad, set())

    def test_a_missing_source_fails_here_too(self):
        done = self.swrun('exec', '--dry-run', '-B', '/no/such/place', self.image, 'true')
        self.assert_failed(done, 255, '/no/such/place')


class Explain(swtest.Case):
    def test_explain_env(self):
        done = self.ok('exec', '--explain-env', '--env', 'ASKED=1', self.image, 'true', env={'MINE': 'm'})
        said = done.out + done.err
        for name in ('MINE', 'ASKED', 'FROM_IMAGE'):
            self.assertIn(name, said)
        self.assertIn('90-environment.sh', said)

    def test_timings(self):
        done = self.ok('exec', '--timings', self.image, 'true')
        lines = [line for line in (done.err + done.out).splitlines() if line.lstrip().startswith('{')]
        self.assertTrue(lines, repr(done))
        self.assertIsInstance(json.loads(lines[-1]), dict)


class SiteFile(swtest.Case):
    def test_binds_and_environment(self):
        self.write('src/file', 'bound\n')
        config = self.write('site.toml', f'''
[[bind]]
source = "{self.work}/src"
target = "/data"

[[bind]]
source = "/no/such/site/folder"

[environment]
SITE_SAYS = "hello"
''')
        world = self.probe(env={'SWRUN_CONFIG': config})
        self.assertEqual(env_of(world)['SITE_SAYS'], 'hello')
        done = self.ok('exec', self.image, 'cat', '/data/file', env={'SWRUN_CONFIG': config})
        self.assertEqual((done.out, done.err), ('bound\n', ''))

    def test_precedence(self):
        config = self.write('site.toml', '[environment]\nWHO = "site"\n[profile.p]\nenvironment = {WHO = "profile"}\n')
        site = {'SWRUN_CONFIG': config}
        self.assertEqual(env_of(self.probe(env=site))['WHO'], 'site')
        self.assertEqual(env_of(self.probe('--profile', 'p', env=site))['WHO'], 'profile')
        self.assertEqual(env_of(self.probe(env=dict(site, SINGULARITYENV_WHO='variable')))['WHO'], 'variable')
        self.assertEqual(env_of(self.probe('--env', 'WHO=argument', env=dict(site, SINGULARITYENV_WHO='v')))['WHO'], 'argument')

    def test_a_file_that_is_not_there(self):
        done = self.swrun('exec', self.image, 'true', env={'SWRUN_CONFIG': self.work + '/none.toml'})
        self.assert_failed(done, 255, 'none.toml')

    def test_a_broken_file_is_named_with_its_line(self):
        config = self.write('site.toml', '\n\n[bind\n')
        done = self.swrun('exec', self.image, 'true', env={'SWRUN_CONFIG': config})
        self.assertNotEqual(done.status, 0)
        self.assertRegex(done.err, r'site\.toml.*3')

    def test_the_shipped_example_is_valid(self):
        found = [os.path.join(folder, name) for folder, _, names in os.walk(swtest.STAGE) for name in names
                 if name.startswith('swrun.toml')]
        self.assertTrue(found, 'no example was installed')
        for path in found:
            self.ok('exec', self.image, 'true', env={'SWRUN_CONFIG': path})


class Doctor(swtest.Case):
    def test_all_is_well_here(self):
        done = self.ok('doctor')
        self.assertIn('fuse', done.out.lower())
        self.assertIn('namespace', done.out.lower())


if __name__ == '__main__':
    swtest.main()
