"""Environment modules that hide an image: those that shpc writes, and those of a site wrapper, loaded with Lmod.

shpc (Singularity Registry HPC) installs a container from a file, as it does without its registry, and writes the module
and the wrapper scripts from its own templates.  The site's modules name an image and flags for singularity_wrapper.
"""
import os

import client
import swtest

SWRUN_MODULE = 'prepend_path("PATH", "%s/bin")\n'
RECIPE = '''docker: example/tools
url: https://example.org/tools
maintainer: "@nobody"
description: Tools of the tests
latest: {"1.0": "sha256:%(digest)s"}
tags: {"1.0": "sha256:%(digest)s"}
env: {FROM_RECIPE: recipe}
aliases:
  - {name: tool-python, command: /usr/bin/python3}
  - {name: tool-env, command: /usr/bin/env, singularity_options: --cleanenv}
  - {name: tool-cat, command: /bin/cat}
'''
DIGEST = '2fd3e1b9a0c5d4e6f7a8b9c0d1e2f3a4b5c6d7e8f9a0b1c2d3e4f5a6b7c8d9e0'

BASES = {'module_base': 'modules', 'wrapper_base': 'modules', 'container_base': 'containers', 'views_base': 'views'}

SITE_MODULES = {
    'site-base': '''
pushenv("CONTAINER_FLAGS", " -B %(work)s/m:/m ")
setenv("CONTAINER_IMAGE", "%(image)s")
''',
    # What a later module adds follows the earlier flags.
    'site-more': '''
load("site-base")
pushenv("CONTAINER_FLAGS", (os.getenv("CONTAINER_FLAGS") or "") .. "  -B %(work)s/scratch:/scratch --env SITE=more ")
set_alias("site-python", "singularity_wrapper exec python3")
''',
    'site-old': '''
setenv("SING_IMAGE", "%(image)s")
setenv("SING_FLAGS", "-B %(work)s/m:/m")
set_shell_function("oldtool", 'singularity_wrapper exec sort "$@"', 'singularity_wrapper exec sort $*')
''',
}


class Modules(client.Client):
    user_name, user_id = 'swmod', 7043

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if not os.path.exists('/usr/share/lmod/lmod/libexec/lmod'):
            swtest.cannot('no Lmod (package lmod)')

    def setUp(self):
        super().setUp()
        self.write('modules/swrun/1.lua', SWRUN_MODULE % swtest.STAGE)

    def login(self, script, **more):
        """A login shell's run of the lines; they must succeed."""
        text = f'module use {self.work}/modules\nset -e\n{script}'
        done = self.call('bash', '-l', '-c', text, env={'MODULEPATH': None, 'LMOD_PAGER': 'none'}, **more)
        self.assertEqual(done.status, 0, f'{script}\n{done!r}')
        return done


class Site(Modules):
    def setUp(self):
        super().setUp()
        self.write('m/data', 'from /m\n')
        self.write('scratch/data', 'from /scratch\n')
        for name, text in SITE_MODULES.items():
            self.write(f'modules/{name}/1.lua', text % {'work': self.work, 'image': self.debian})

    def test_image_and_flags(self):
        out = self.login('''
            module load swrun site-base
            singularity_wrapper exec cat /m/data
            apptainer_wrapper exec bash -c 'echo "$FROM_IMAGE $#"' x 'a b' c
            echo 'echo "shell $BASH $(cat /m/data)"' | singularity_wrapper shell /bin/bash
            singularity_wrapper run echo "two  words"
            singularity_wrapper exec sh -c 'exit 9' || echo status $?
        ''').out
        self.assertEqual(out, 'from /m\nyes 2\nshell /bin/bash from /m\ntwo  words\nstatus 9\n')

    def test_a_later_module_adds_flags(self):
        out = self.login('''
            module load swrun site-more
            singularity_wrapper exec sh -c 'cat /m/data /scratch/data; echo $SITE'
            shopt -s expand_aliases
            eval 'site-python -c "import os; print(os.environ[\\"SITE\\"])"'
            module unload site-more
            echo "left: [$CONTAINER_FLAGS$CONTAINER_IMAGE]"
        ''').out
        self.assertEqual(out, 'from /m\nfrom /scratch\nmore\nmore\nleft: []\n')

    def test_the_older_names_and_purge(self):
        out = self.login('''
            module load swrun site-old
            printf 'b\\na\\n' | oldtool -r
            singularity_wrapper exec cat /m/data
            module purge
            type oldtool singularity_wrapper 2>/dev/null || echo gone
            echo "[$SING_IMAGE$SING_FLAGS]"
        ''').out
        self.assertEqual(out, 'b\na\nfrom /m\ngone\n[]\n')


class Shpc(Modules):
    requirements = 'shpc'

    def shpc(self, *argv):
        return self.client('shpc', *argv, env={'SINGULARITY_HPC_HOME': None})

    def install(self, *settings):
        """What an administrator does, up to `shpc install RECIPE IMAGE`."""
        self.call('mkdir', '-p', *(f'shpc/{name}' for name in BASES.values()))
        self.write('site/file', 'bound\n')
        self.write('registry/example/tools/container.yaml', RECIPE % {'digest': DIGEST})
        self.shpc('config', 'inituser')
        for key, name in BASES.items():
            self.shpc('config', 'set', key, f'{self.work}/shpc/{name}')
        for key, value in (('singularity_module', 'swrun'), *settings):
            self.shpc('config', 'set', key, value)
        # `config set` would split at the colon.
        with open(self.home + '/.singularity-hpc/settings.yml', 'r+', encoding='utf-8') as settings_file:
            text = settings_file.read()
            settings_file.seek(0)
            settings_file.write(text.replace('\nbindpaths:\n', f'\nbindpaths: {self.work}/site:/site\n'))
        self.shpc('config', 'remove', 'registry', 'https://github.com/singularityhub/shpc-registry')
        self.shpc('config', 'add', 'registry', self.work + '/registry')
        return self.shpc('install', 'example/tools:1.0', self.debian)

    def use(self, script):
        return self.login(f'module use {self.work}/shpc/modules\nmodule load example/tools/1.0\n' + script).out

    def test_wrapper_scripts(self):
        self.install()
        self.write('file', 'my file\n')
        out = self.use('''
            tool-cat file
            tool-python -c 'import os, sys; print(os.environ["FROM_IMAGE"], os.environ["FROM_RECIPE"], sys.argv[1])' 'a  b'
            HOST=host tool-env | grep -c '^HOST=' || true
            SINGULARITY_COMMAND_OPTS="--env OPTION=given" tool-env | grep OPTION
            tools-exec cat /.singularity.d/labels.json
            tools-run echo ran
            echo 'echo "in $SINGULARITY_NAME"' | tools-shell
            tools-inspect-deffile
            tools-inspect-runscript | head -n 1
            test "$(tools-container)" = "$SINGULARITY_CONTAINER"
            tool-python -c 'raise SystemExit(4)' || echo status $?
            module purge
            type tool-cat 2>/dev/null || echo gone
        ''')
        labels = client.FROM_REGISTRY['.singularity.d/labels.json']
        self.assertEqual(out, f'my file\nyes recipe a  b\n0\nOPTION=given\n{labels}ran\n'
                         f'in debian.sif\n{client.DEFINITION}#!/bin/sh\nstatus 4\ngone\n')

    def test_shell_functions(self):
        self.install(('wrapper_scripts:enabled', 'false'))
        out = self.use('''
            tool-cat /site/file
            tool-python -c 'import sys; print(sys.argv[1:])' 'a  b' c
            bash -c 'tool-cat /site/file'
            tools-run echo ran
        ''')
        self.assertEqual(out, "bound\n['a  b', 'c']\nbound\nran\n")


del Modules  # has no test of its own

if __name__ == '__main__':
    client.main()
