"""Harness of the client tests: real, unmodified programs that call `singularity`, on a host where that name is swrun.

A client is a pinned list of packages, requirements/NAME.txt, installed from PyPI once into a virtual environment below
SWRUN_TEST_CACHE.  Registries of images are not reachable, so an image lies where the client looks before it would pull.
Every module has a user of its own, which must own no process when a test is over.
"""
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(1, os.path.join(os.path.dirname(HERE), 'integration'))

# pylint: disable=wrong-import-position
import distribution  # noqa: E402
import swtest  # noqa: E402

MAKE_SIF = os.path.join(os.path.dirname(HERE), 'support', 'make_sif.py')
FOLDER = os.path.join(distribution.CACHE, 'clients')
# One that the ordinary user can run too; a first `python3` in PATH may lie in somebody's home.
PYTHON = '/usr/bin/python3' if os.access('/usr/bin/python3', os.X_OK) else sys.executable

# What builders add to an image that comes from a registry and has a command, but no entry point.
FROM_REGISTRY = {
    '.singularity.d/runscript': '''#!/bin/sh
OCI_ENTRYPOINT=''
OCI_CMD='"bash"'
if [ $# -eq 0 ]; then
    SINGULARITY_OCI_RUN="${OCI_CMD}"
    set -- bash
elif [ -z "${SINGULARITY_NO_EVAL}${APPTAINER_NO_EVAL}" ]; then
    SINGULARITY_OCI_RUN=""
    for word in "$@"; do SINGULARITY_OCI_RUN="${SINGULARITY_OCI_RUN} \\"${word}\\""; done
    eval "set -- ${SINGULARITY_OCI_RUN}"
fi
exec "$@"
''',
    '.singularity.d/env/10-docker2singularity.sh': '#!/bin/sh\n'
                                    'export PATH="/python/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"\n'
                                    'export FROM_IMAGE="${FROM_IMAGE:-"yes"}"\n',
    '.singularity.d/env/90-environment.sh': '#!/bin/sh\n# Custom environment shell code should follow\n',
    '.singularity.d/labels.json': '{"org.label-schema.usage.singularity.deffile.from": "debian:stable-slim"}\n',
    'python/bin/python': '#!/bin/sh\nexec python3 "$@"\n',
}
DEFINITION = 'bootstrap: docker\nfrom: debian:stable-slim\n'


def need_image(user):
    """The distribution as a SIF that was pulled from a registry."""
    _, base = distribution.need_distribution(user)
    image = os.path.join(FOLDER, 'debian.sif')
    stamp = repr(sorted(FROM_REGISTRY.items())) + DEFINITION
    with distribution.alone('clients'):
        os.makedirs(FOLDER, exist_ok=True)
        if not distribution.newer(image, base) or read(image + '.made') != stamp:
            extra, squashed = image + '.d', image + '.sqfs'
            for name, text in FROM_REGISTRY.items():
                path = os.path.join(extra, name)
                os.makedirs(os.path.dirname(path), exist_ok=True)
                write(path, text)
                os.chmod(path, 0o755 if text.startswith('#!') else 0o644)
            distribution.add_to(base, extra, squashed)
            write(extra + '/definition', DEFINITION)
            write(extra + '/metadata', json.dumps({'data': {'attributes': {
                'deffile': DEFINITION, 'runscript': FROM_REGISTRY['.singularity.d/runscript'],
                'labels': json.loads(FROM_REGISTRY['.singularity.d/labels.json'])}}, 'type': 'container'}))
            subprocess.run([sys.executable, MAKE_SIF, '--deffile', extra + '/definition', '--metadata', extra + '/metadata',
                            squashed, image + '.new'], check=True)
            os.chmod(image + '.new', 0o755)
            os.rename(image + '.new', image)
            os.unlink(squashed)
            shutil.rmtree(extra)
            write(image + '.made', stamp)
        staged = os.path.join(swtest.STAGE, 'debian.sif')
        if not os.path.exists(staged):
            distribution.put(image, staged)
    return staged


def need_packages(name):
    """The virtual environment of requirements/NAME.txt."""
    wanted = os.path.join(HERE, 'requirements', name + '.txt')
    folder, stamp = os.path.join(FOLDER, name), PYTHON + '\n' + read(wanted)
    with distribution.alone('clients-' + name):
        if read(folder + '.made') == stamp:
            return folder
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(FOLDER, exist_ok=True)
        env = dict(os.environ, PIP_DISABLE_PIP_VERSION_CHECK='1', PIP_NO_INPUT='1')
        pip = folder + '/bin/python', '-m', 'pip', 'install', '-q', '--no-deps', '-r', wanted
        for step in (PYTHON, '-m', 'venv', folder), pip:
            done = subprocess.run(step, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True,
                                  timeout=400, check=False)
            if done.returncode:
                swtest.cannot(f'{" ".join(step)}: {done.stdout[-400:]}')
        write(folder + '.made', stamp)
    return folder


def read(path):
    try:
        with open(path, encoding='utf-8') as source:
            return source.read()
    except FileNotFoundError:
        return ''


def write(path, text):
    with open(path, 'w', encoding='utf-8') as out:
        out.write(text)


class Client(swtest.Case):
    requirements = ''

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.debian = need_image(cls.user)
        if cls.requirements:
            cls.venv = cls.reachable(need_packages(cls.requirements), cls.requirements)

    @classmethod
    def reachable(cls, folder, name):
        """The cache may lie below a folder that only root may enter: here its part has a place below the stage."""
        if not cls.user.root:
            return folder
        place = os.path.join(swtest.STAGE, 'clients', name)
        os.makedirs(place, exist_ok=True)
        swtest.private_mounts()
        swtest.bind_mount(folder, place)
        return place

    def setUp(self):
        super().setUp()
        self.home, self.scratch = (os.path.dirname(self.write(name + '/.keep')) for name in ('home', 'tmp'))
        self.addCleanup(self.look_for_leftovers)

    def look_for_leftovers(self):
        if self.user.root:
            left = swtest.wait_for(lambda: not self.user.processes(), 10) or self.user.processes()
            for pid in {} if left is True else left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)    # or every later test would fail too
            self.assertIs(left, True, 'processes left behind')

    def call(self, *argv, env=None, timeout=120, **more):
        """A program as the user runs it, with a home and a scratch folder that go with the test."""
        return self.run_as_user(*argv, env=dict({'HOME': self.home, 'TMPDIR': self.scratch}, **(env or {})), timeout=timeout, **more)

    def call_client(self, program, *argv, **more):
        """The first line of the program may name a folder that is closed to the user, so its interpreter is named."""
        return self.call(self.venv + '/bin/python', '-B', f'{self.venv}/bin/{program}', *argv, **more)

    def client(self, program, *argv, **more):
        """A program of the virtual environment, which must succeed."""
        done = self.call_client(program, *argv, **more)
        self.assertEqual(done.status, 0, f'{argv}: {done!r}')
        return done

    def python(self, script, *argv, **more):
        done = self.call(self.venv + '/bin/python', '-B', '-c', script, *argv, **more)
        self.assertEqual(done.status, 0, repr(done))
        return done

    def here(self, name):
        """The registry's image under the name that the client looks for, in a file of the user's own."""
        path = self.write(name)
        shutil.copyfile(self.debian, path)
        return path

    def elsewhere(self):
        """A folder of the user's that no launch shows by itself: neither below /tmp nor the home that `call` gives."""
        folder = tempfile.mkdtemp(prefix='swclient.', dir=self.user.home)
        self.user.give(folder)
        self.addCleanup(swtest.remove_tree, folder)
        return folder

    def text(self, name):
        return read(os.path.join(self.work, name))


def main():
    swtest.main()
