"""Directories that show the image without any launcher of its own: the unpacked tree, the kernel's squashfs, squashfuse.
For reads; mounted anew for every sample."""
import os
import shutil
import subprocess
import time

from . import machine, peers


class View:
    """A directory that shows the image, made anew for every sample; entered with a tool that costs little.  `up` mounts
    it and ends; `serve` mounts it and stays in the foreground until `down` has unmounted it."""

    def __init__(self, name, tools, folder, up=None, serve=None, down=None):
        self.name, self.tools, self.folder, self.up, self.serve, self.down = name, tools, folder, up, serve, down

    def enter(self):
        """The words before a command; asked when the directory is there."""
        return peers.enter(self.tools, self.folder)


def find(tools, content, folder):
    """Mounts of the image and the unpacked tree, and [{name, why, hint}] of those that cannot be had."""
    made, missing, root = [], [], os.geteuid() == 0
    point = os.path.join(folder, 'view')
    if peers.enter(tools, point) is None:
        return made, [{'name': 'views', 'why': 'nothing to enter a directory with', 'hint': peers.WANTED['bwrap']}]
    os.makedirs(point, exist_ok=True)
    if content.tree:
        made.append(View('dir', tools, content.tree))
    kernel = 'squashfs' in machine.read('/proc/filesystems') or (root and shutil.which('modprobe') and
                                                                 subprocess.run(['modprobe', '-q', 'squashfs']).returncode == 0)
    if not root:
        missing.append({'name': 'kernel squashfs', 'why': 'only root may mount it', 'hint': 'run swrun-bench as root'})
    elif not kernel or not os.path.exists('/dev/loop-control'):
        missing.append({'name': 'kernel squashfs', 'why': 'no squashfs in this kernel, or no loop devices', 'hint': 'modprobe squashfs loop'})
    else:
        made.append(View('kernel squashfs', tools, point,
                         up=['mount', '-t', 'squashfs', '-o', 'loop,ro,nodev,nosuid', content.squashfs, point], down=['umount', point]))
    if 'squashfuse_ll' in tools:
        # Root mounts for another user, who may look in only when allowed to.
        options = ['-o', 'allow_other'] if root else []
        made.append(View('squashfuse_ll', tools, point, serve=[tools['squashfuse_ll'], '-f', *options, content.squashfs, point],
                         down=['umount', point] if root else [shutil.which('fusermount3') or 'fusermount', '-u', point]))
    return made, missing


def drop_caches(tool):
    """Everything but the tool that is measured: it would be in memory on any machine that uses it."""
    os.sync()
    with open('/proc/sys/vm/drop_caches', 'w', encoding='utf-8') as file:
        file.write('3')
    for path in [tool] if os.path.isabs(tool) else [os.path.join(folder, tool) for folder in os.environ['PATH'].split(':')]:
        if os.path.isfile(path):
            with open(path, 'rb') as file:
                file.read()
            break


def mount(view):
    """The process that serves it, False where none has to, None when it cannot be mounted."""
    if view.up:
        return None if subprocess.run(view.up, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode else False
    if not view.serve:
        return False
    server = subprocess.Popen(view.serve, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(500):
        if os.path.ismount(view.folder):
            return server
        if server.poll() is not None:
            return None
        time.sleep(0.01)
    server.kill()
    server.wait()
    return None


def usage_of(server):
    """Processor seconds of a server that is ending."""
    if not server:
        return 0.0
    _, server.returncode, usage = os.wait4(server.pid, 0)
    return usage.ru_utime + usage.ru_stime


def unmount(argv):
    for _ in range(50):
        if subprocess.run(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0:
            return
        time.sleep(0.1)
    raise RuntimeError('cannot unmount: ' + ' '.join(argv))
