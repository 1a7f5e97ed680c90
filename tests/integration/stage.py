#!/usr/bin/env python3
"""Makes the stage of the integration tests: an installed copy of swrun and small images, where any user can reach them.

    stage.py BUILD_DIR STAGE          makes it     (ctest fixture, set up)
    stage.py --remove STAGE           removes it   (ctest fixture, clean up)

The checkout often lies below a folder that only its owner may enter, so STAGE is a folder below /tmp.  The images hold
the probe, a static busybox, a static bash and the files that builders of images write.
"""
import os
import platform
import shutil
import stat
import subprocess
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
MAKE_SIF = os.path.join(os.path.dirname(HERE), 'support', 'make_sif.py')
ARCHES = {'x86_64': 'amd64', 'aarch64': 'arm64', 'ppc64le': 'ppc64le', 's390x': 's390x', 'riscv64': 'riscv64'}
COMPRESSORS = ('gzip', 'xz', 'lzo', 'lz4', 'zstd', 'lzma')
APPLETS = ('sh', 'cat', 'echo', 'true', 'false', 'ls', 'pwd', 'env', 'sleep', 'id', 'mkdir', 'rm', 'touch', 'sort', 'wc',
           'md5sum', 'sha256sum', 'find', 'readlink', 'stat', 'test', 'kill', 'head', 'tail', 'dd', 'grep', 'ln', 'printf')
FILES = {
    'etc/passwd': 'root:x:0:0:root:/root:/bin/sh\n',
    'etc/group': 'root:x:0:\n',
    'etc/os-release': 'ID=swtest\nPRETTY_NAME="swrun test image"\n',
    'data/file': 'from the image\n',
    '.singularity.d/env/01-base.sh': '#!/bin/sh\n# \n',
    '.singularity.d/env/90-environment.sh': '#!/bin/sh\n#Custom environment shell code should follow\n'
                                            'export FROM_IMAGE=yes\nexport PATH=/opt/tool/bin:$PATH\n',
}
SCRIPTS = {
    '.singularity.d/runscript': '#!/bin/sh\necho "runscript: $# args"\nfor a in "$@"; do echo "<$a>"; done\nexit 5\n',
    '.singularity.d/test': '#!/bin/sh\necho "testing $*"\nexit 4\n',
    'opt/tool/bin/tool': '#!/bin/sh\necho "tool $*"\n',
}


def remove(stage):
    if not stage.startswith('/tmp/swrun-stage.') or os.path.islink(stage):
        sys.exit(f'stage.py: will not remove {stage}')
    if os.path.isdir(stage):
        subprocess.run(['chmod', '-R', 'u+rwX', stage], stderr=subprocess.DEVNULL)
        shutil.rmtree(stage)


def write(path, text, mode):
    os.makedirs(os.path.dirname(path), 0o755, exist_ok=True)
    with open(path, 'w', encoding='utf-8') as out:
        out.write(text)
    os.chmod(path, mode)


def static_program(*names):
    """The first of these that is there and needs no library."""
    for name in names:
        path = shutil.which(name)
        if path and b'INTERP' not in subprocess.run(['readelf', '-lW', os.path.realpath(path)], stdout=subprocess.PIPE,
                                                    stderr=subprocess.DEVNULL).stdout:
            return os.path.realpath(path)
    sys.exit(f'stage.py: no static {names[0]} on this host (packages busybox-static, bash-static)')


def make_tree(tree, build):
    for folder in ('bin', 'tmp', 'var/tmp', 'proc', 'sys', 'dev', 'home', 'root', 'mnt', 'usr/bin', 'empty'):
        os.makedirs(os.path.join(tree, folder), 0o755)
    shutil.copy(os.path.join(build, 'tests', 'probe', 'probe'), os.path.join(tree, 'bin', 'probe'))
    shutil.copy(static_program('busybox'), os.path.join(tree, 'bin', 'busybox'))
    shutil.copy(static_program('bash-static', 'bash'), os.path.join(tree, 'bin', 'bash'))
    for applet in APPLETS:
        os.symlink('busybox', os.path.join(tree, 'bin', applet))
    os.symlink('../bin/env', os.path.join(tree, 'usr', 'bin', 'env'))
    for name, text in FILES.items():
        write(os.path.join(tree, name), text, 0o644)
    for name, text in SCRIPTS.items():
        write(os.path.join(tree, name), text, 0o755)
    os.chmod(os.path.join(tree, 'tmp'), 0o1777)
    os.symlink('.singularity.d/runscript', os.path.join(tree, 'singularity'))


def squash(tree, image, compressor):
    done = subprocess.run(['mksquashfs', tree, image, '-comp', compressor, '-all-root', '-noappend', '-no-progress',
                           '-quiet'], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)
    if done.returncode and compressor == 'gzip':
        sys.exit('stage.py: mksquashfs failed:\n' + done.stdout)
    if done.returncode and os.path.exists(image):
        os.unlink(image)


def make_images(tree, images):
    for compressor in COMPRESSORS:
        squash(tree, os.path.join(images, compressor + '.sqfs'), compressor)
    gzip = os.path.join(images, 'gzip.sqfs')
    subprocess.run([sys.executable, MAKE_SIF, '--arch', ARCHES.get(platform.machine(), 'unknown'), '--label', 'made.by=swtest',
                    gzip, os.path.join(images, 'image.sif')], check=True)
    # A 2.x image: the launch line, then the file system at its end.
    with open(gzip, 'rb') as source, open(os.path.join(images, 'image.simg'), 'wb') as out:
        out.write(b'#!/usr/bin/env run-singularity\n')
        shutil.copyfileobj(source, out)
    for name in ('image.sif', 'image.simg'):
        os.chmod(os.path.join(images, name), 0o755)


def main():
    if sys.argv[1] == '--remove':
        return remove(sys.argv[2])
    build, stage = sys.argv[1:3]
    os.umask(0o022)
    remove(stage)
    os.mkdir(stage, 0o755)
    if os.lstat(stage).st_uid != os.geteuid() or not stat.S_ISDIR(os.lstat(stage).st_mode):
        sys.exit(f'stage.py: {stage} is not ours')
    subprocess.run(['cmake', '--install', build, '--prefix', stage], check=True, stdout=subprocess.DEVNULL)
    images = os.path.join(stage, 'images')
    os.mkdir(images)
    sandbox = os.path.join(images, 'sandbox')
    make_tree(sandbox, build)
    make_images(sandbox, images)
    print('stage:', stage, *sorted(os.listdir(images)))
    return None


if __name__ == '__main__':
    main()
