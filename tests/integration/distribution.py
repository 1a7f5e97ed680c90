"""The distribution that tests of real programs run in: a tree of this host's own packages and the image squashed of it.

Made once and kept in SWRUN_TEST_CACHE; root only, because the files of a distribution have owners.
"""
import contextlib
import fcntl
import os
import shutil
import subprocess

import swtest

CACHE = os.environ.get('SWRUN_TEST_CACHE', '')
MAKE_TREE = os.path.join(os.path.dirname(os.path.realpath(__file__)), '..', '..', 'scripts', 'make_tree.sh')


def newer(path, other):
    return os.path.exists(path) and os.path.getmtime(path) >= os.path.getmtime(other)


@contextlib.contextmanager
def alone(name):
    """One at a time among the tests that make this thing of the cache."""
    os.makedirs(CACHE, exist_ok=True)
    with open(os.path.join(CACHE, name + '.lock'), 'w', encoding='utf-8') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def squash(source, image, *options):
    subprocess.run(['mksquashfs', source, image + '.new', '-noappend', '-no-progress', '-quiet', *options], check=True,
                   stdout=subprocess.DEVNULL)
    os.rename(image + '.new', image)


def add_to(base, folder, image):
    """`image` becomes a copy of `base` that holds the files of `folder` too."""
    shutil.copyfile(base, image + '.new')
    subprocess.run(['mksquashfs', folder, image + '.new', '-no-progress', '-quiet', '-no-recovery'], check=True,
                   stdout=subprocess.DEVNULL)
    os.rename(image + '.new', image)


def put(source, target):
    """A second name of the file, or a copy where that cannot be."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def need_distribution(user):
    """(tree, image)"""
    if not user.root:
        swtest.cannot('making a distribution tree needs root')
    if not shutil.which('mmdebstrap') and not shutil.which('dnf'):
        swtest.cannot('neither mmdebstrap nor dnf')
    tree, image = os.path.join(CACHE, 'distribution'), os.path.join(CACHE, 'distribution.sqfs')
    with alone('distribution'):
        subprocess.run([MAKE_TREE, tree, 'essential', 'python3', 'perl', 'bash'], check=True, timeout=600)
        if not newer(image, tree + '.made'):
            squash(tree, image)
    return tree, image
