"""Every launch option that has an effect: what it does to the plan, and what the program sees of the odd ones."""
import os
import re

import swtest


def targets(plan):
    return [mount['target'] for mount in plan['mounts']]


def mount_at(plan, target):
    return [mount for mount in plan['mounts'] if mount['target'] == target][-1]


def variables(plan):
    return {each['name']: each['value'] for each in plan['process']['environment']}


def added(plan, path):
    return next((entry for entry in plan['root']['added'] if entry['path'] == path), None)


def new(plan):
    return {name for name in ('user', 'pid', 'ipc', 'uts', 'net') if plan['namespaces'][name]}


WORK = '@WORK@'  # stands for the folder of the test
# Option: (arguments, what must hold in the plan with them, and must not hold without).
EFFECTS = {
    'bind': (['-B', '/etc:/x'], lambda p: '/x' in targets(p)),
    'mount': (['--mount', 'src=/etc,dst=/x'], lambda p: '/x' in targets(p)),
    'home': (['--home', WORK + ':/x'], lambda p: variables(p)['HOME'] == '/x'),
    'no-home': (['--no-home', '--no-mount', 'cwd'], lambda p: not any(m['asked_by'] == 'default: home' for m in p['mounts'])),
    'no-mount': (['--no-mount', 'tmp'], lambda p: '/tmp' not in targets(p)),
    'cwd': (['--cwd', '/data'], lambda p: p['process']['directories'] == [{'path': '/data', 'required': True}]),
    'pwd': (['--pwd', '/data'], lambda p: p['process']['directories'] == [{'path': '/data', 'required': True}]),
    'workdir': (['-c', '-W', WORK], lambda p: mount_at(p, '/tmp')['kind'] == 'made'),
    'scratch': (['-S', '/x'], lambda p: '/x' in targets(p)),
    'cleanenv': (['-e'], lambda p: variables(p).get('LANG') == 'C'),
    'env': (['--env', 'A=1'], lambda p: variables(p).get('A') == '1'),
    'env-file': (['--env-file', WORK + '/vars'], lambda p: variables(p).get('FROM_FILE') == '1'),
    'no-env': (['--no-env', 'LOGNAME'], lambda p: 'LOGNAME' not in variables(p)),
    'keep-env': (['-e', '--keep-env', 'LOG*'], lambda p: {'LOGNAME', 'LANG'} <= set(variables(p)) and 'USER' not in variables(p)),
    'no-eval': (['--no-eval'], lambda p: variables(p).get('APPTAINER_NO_EVAL') == '1'),
    'app': (['--app', 'a'], lambda p: variables(p).get('APPTAINER_APPNAME') == 'a'),
    'no-umask': (['--no-umask'], lambda p: p['process']['umask'] == '0022'),
    'contain': (['-c'], lambda p: mount_at(p, '/dev')['kind'] == 'tmpfs'),
    'containall': (['-C'], lambda p: {'pid', 'ipc'} <= set(new(p)) and mount_at(p, '/dev')['kind'] == 'tmpfs'),
    'pid': (['-p'], lambda p: 'pid' in new(p) and p['namespaces']['init']),
    'no-pid': (['-C', '--no-pid'], lambda p: 'pid' not in new(p) and 'ipc' in new(p)),
    'no-init': (['-p', '--no-init'], lambda p: p['namespaces']['init'] is False),
    'ipc': (['-i'], lambda p: 'ipc' in new(p)),
    'uts': (['--uts'], lambda p: 'uts' in new(p)),
    'hostname': (['--hostname', 'h1'], lambda p: added(p, '/etc/hostname')['content'] == 'h1\n' and 'uts' in new(p)),
    'dns': (['--dns', '1.2.3.4'], lambda p: added(p, '/etc/resolv.conf')['content'] == 'nameserver 1.2.3.4\n'),
    'net': (['--net', '--network', 'none'], lambda p: 'net' in new(p)),
    'network': (['--network', 'none'], lambda p: 'net' in new(p)),
    'fakeroot': (['-f'], lambda p: p['namespaces']['uid_map']['inside'] == 0),
    'ignore-subuid': (['-f', '--ignore-subuid'], lambda p: p['namespaces']['uid_map']['inside'] == 0 and p['namespaces']['more_uids'] == []),
    'add-caps': (['--add-caps', 'chown'], lambda p: p['process']['drop_capabilities'] and p['process']['capabilities'] == [0]),
    'drop-caps': (['-f', '--drop-caps', 'chown'], lambda p: not p['process']['drop_capabilities'] and p['process']['capabilities'] == [0]),
    'security': (['--security', 'uid:5'], lambda p: p['namespaces']['uid_map']['inside'] == 5),
    'no-privs': (['-f', '--no-privs'], lambda p: p['process']['drop_capabilities'] and p['namespaces']['uid_map']['inside'] == 0),
    'writable-tmpfs': (['--writable-tmpfs'], lambda p: p['root']['upper']['kind'] == 'tmpfs'),
    'overlay': (['-o', WORK + ':ro'], lambda p: p['root']['read_only_layers'] != []),
    'containlibs': (['--containlibs', '/etc/hosts'], lambda p: '/.singularity.d/libs/hosts' in targets(p)),
    'compat': (['--compat'], lambda p: p['root']['upper']['kind'] == 'tmpfs' and 'pid' in new(p) and p['process']['umask'] == '0022'),
    'strict-compat': (['--strict-compat'], lambda p: p['process']['program']['candidates'][0]['absolute_argv0']),
    'share': (['--share=always'], lambda plan: plan['share']['wanted']),
    'sharens': (['--sharens'], lambda plan: plan['share']['wanted']),
    'linger': (['--linger=5'], lambda plan: plan['share']['linger_seconds'] == 5),
}
# Options with an effect elsewhere than in a plan, or with tests of their own.
ELSEWHERE = {
    'help', 'dry-run', 'explain-env', 'timings', 'profile', 'image-mode',  # test_dry_run, cli tests
    'image-reader', 'hot-cache',  # differential tests, test_hot_cache
    'unpack-dir', 'fusemount',  # test_unpack, test_fusemount
    'shell', 'writable', 'userns', 'keep-privs',  # below
    'nv', 'rocm', 'no-nv', 'no-rocm',  # gpu and cli tests: this host may have no GPU
}


class Effects(swtest.Case):
    def plan(self, *options):
        options = [option.replace(WORK, self.work) for option in options]
        return self.ok('exec', '--dry-run', *options, self.image, 'true', before=lambda: os.umask(0o027)).json()

    def test_each_option(self):
        self.write('vars', 'FROM_FILE=1\n')
        plain = self.plan()
        for option, (arguments, holds) in EFFECTS.items():
            with self.subTest(option=option):
                self.assertTrue(holds(self.plan(*arguments)), option)
                try:
                    self.assertFalse(holds(plain), 'holds without --' + option)
                except (IndexError, KeyError, TypeError):
                    pass

    def test_none_is_forgotten(self):
        page = self.ok('man').out.replace('\\-', '-')
        options = page[page.index('.SH OPTIONS'):page.index('.SS Known, not supported')]
        groups = options.split('.SS ')[1:]
        names = set()
        for group in groups:
            title = group.splitlines()[0]
            if title not in ('Compatibility', 'Limits'):
                names |= set(re.findall(r'^\\fB(?:-., )?--([a-z0-9-]+)', group, re.M))
        self.assertGreater(len(names), 30, names)
        self.assertEqual(sorted(names - set(EFFECTS) - ELSEWHERE), [])


class Odd(swtest.Case):
    """Privileges and names, as the program sees them."""

    def status(self, *options):
        out = self.ok('exec', *options, self.image, 'cat', '/proc/self/status').out
        return dict(line.split(':\t', 1) for line in out.splitlines() if ':\t' in line)

    def test_an_ordinary_launch_has_no_rights(self):
        for options in ([], ['--no-privs'], ['--security', 'uid:0'], ['--security', 'uid:0,gid:0'], ['-u'],
                        ['--drop-caps', 'all'], ['-f', '--no-privs'], ['-f', '--drop-caps', 'all']):
            with self.subTest(options=options):
                status = self.status(*options)
                for name in ('CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'):
                    self.assertEqual(int(status[name], 16), 0, name)

    def test_added_capabilities_are_in_every_set(self):
        status = self.status('--add-caps', 'CAP_NET_RAW,chown')
        for name in ('CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'):
            self.assertEqual(int(status[name], 16), 1 << 13 | 1, name)
        self.assertEqual(status['NoNewPrivs'], '1')
        self.assertGreater(int(self.status('--add-caps', 'all')['CapEff'], 16), (1 << 35) - 1)

    def test_root_inside_has_all(self):
        status = self.status('-f', '--ignore-subuid')
        self.assertEqual(status['Uid'].split(), ['0'] * 4)
        self.assertGreater(int(status['CapEff'], 16), (1 << 35) - 1)

    def test_what_is_refused_says_why(self):
        for options, words in (
                (['--keep-privs'], ['requires root']), (['--allow-setuid'], ['requires root']),
                (['-f', '--security', 'uid:5'], ['do not go together']), (['--security', 'gid:1:2'], ['only one gid']),
                (['--security', 'uid:x'], ['bad id']), (['--security', 'apparmor:p'], ['not supported']),
                (['--net'], ['requires root', '--network none']), (['--network', 'bridge'], ['requires root']),
                (['--hostname', 'a_b'], ['not a valid hostname']), (['--dns', 'x'], ['not a valid IP address'])):
            with self.subTest(options=options):
                self.assert_failed(self.swrun('exec', *options, self.image, 'true'), 255, *words)

    def test_root_inside_has_no_network_and_is_told(self):
        for options in (['--net'], ['--net', '--network', 'fakeroot'], ['--network', 'bridge']):
            with self.subTest(options=options):
                done = self.ok('exec', '--fakeroot', *options, self.image, 'cat', '/proc/net/dev')
                self.assertIn("fallback to 'none' network", done.err)
                self.assertEqual([line.split(':')[0].strip() for line in done.out.splitlines() if ':' in line], ['lo'])

    def test_hosts_of_a_network_of_its_own(self):
        lines = self.ok('exec', '-c', '--net', '--network', 'none', self.image, 'cat', '/etc/hosts').out.splitlines()
        self.assertEqual(lines[0], '127.0.0.1   localhost')
        self.assertEqual(len(lines), 4)

    def test_a_home_below_tmp_is_shown(self):
        self.write('h/mark')
        for options in (['-c'], ['-C'], ['--compat']):
            out = self.ok('exec', *options, '--home', self.work + '/h:/tmp/a/home', self.image, 'ls', '/tmp/a/home').out
            self.assertEqual(out, 'mark\n', options)

    def test_the_old_way(self):
        script = self.write('e.sh', 'export E1=; exit 0\n')
        bind = ['-B', script + ':/.singularity.d/env/92-e.sh']
        env = {'E1': 'host'}
        self.assertEqual(self.ok('exec', *bind, self.image, 'sh', '-c', 'echo ${E1-unset}', env=env).out, '\n')
        self.assertEqual(self.ok('exec', '--strict-compat', *bind, self.image, 'echo', 'ran', env=env).out, '')
        env['SWRUN_STRICT_COMPAT'] = '1'
        self.write('e.sh', 'export E1=\n')
        self.assertEqual(self.ok('exec', *bind, self.image, 'sh', '-c', 'echo ${E1-unset} $0', env=env).out,
                         'unset /bin/sh\n')

    def test_a_separator_behind_the_image(self):
        self.assertEqual(self.ok('exec', self.image, '--', 'echo', 'hi').out, 'hi\n')
        self.assert_failed(self.swrun('exec', '--strict-compat', self.image, '--', 'echo'), 255, '"--"')

    def test_output_that_cannot_be_written(self):
        with open('/dev/full', 'w', encoding='utf-8') as full:
            process = self.popen([os.path.join(swtest.STAGE, 'bin/swrun'), 'exec', '--dry-run', self.image, 'true'],
                                 stdout=full)
            process.communicate(timeout=30)
            self.assertEqual(process.returncode, 255)


if __name__ == '__main__':
    swtest.main()
