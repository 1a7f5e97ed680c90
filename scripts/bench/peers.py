"""Who can be measured on this host: swrun in its modes, and its peers; and what would bring the missing ones."""
import glob
import os
import re
import shutil
import subprocess

from . import machine

HOST_BINDS = ('/dev', '/proc', '/sys', '/tmp')  # what swrun and its like show by default, so everybody shows it

# Tools and what would install them.
WANTED = {
    'unshare': 'util-linux', 'bwrap': 'apt install bubblewrap', 'ch-run': 'apt install charliecloud-runtime',
    'squashfuse_ll': 'apt install squashfuse', 'apptainer': 'a package of apptainer.org (or: --path DIR of its bin folder)',
    'singularity': 'a package of SingularityCE (or: --path DIR of its bin folder)', 'strace': 'apt install strace',
    'unsquashfs': 'apt install squashfs-tools', 'mksquashfs': 'apt install squashfs-tools',
}
VERSION = {'ch-run': ['--version'], 'unshare': ['--version'], 'squashfuse_ll': [], 'unsquashfs': ['-version'],
           'mksquashfs': ['-version'], 'strace': ['-V']}

# Modes that swrun's own help tells of: (name, what to look for, arguments, variables, what must run meanwhile).
MODES = (
    ('joined', r'--share\b', ['--share=always'], {}, 'holder'),
    ('lingering', r'SWRUN_LINGER|--linger\b', ['--share=always'], {'SWRUN_LINGER': '60'}, 'first'),
    ('hot cache', r'SWRUN_HOT_CACHE|--hot-cache\b', [], {'SWRUN_HOT_CACHE': '1'}, 'warm-up'),
)


class Variant:
    """One way to run a command on the content.  `form` is what it is given; `meanwhile` what must run beside it."""

    def __init__(self, name, tool, form, prefix, env=None, meanwhile=None, translate=None):
        self.name, self.tool, self.form, self.prefix = name, tool, form, prefix
        self.env, self.meanwhile, self.translate = env or {}, meanwhile, translate

    def argv(self, command):
        """None where this way cannot run the command."""
        if self.translate:
            return self.translate(command)
        return [*self.prefix, *command]


# ------------------------------------------------------------------------------------------------ finding
def is_swrun(path):
    """swrun answers to the names of what it stands in for."""
    return os.path.basename(os.path.realpath(path)) == 'swrun' or 'swrun' in (machine.first_line([path, '--version']) or '')


def find_tools():
    """({tool: path}, [{name, why, hint}])."""
    found, missing = {}, []
    for tool, hint in WANTED.items():
        path = shutil.which(tool)
        if path and tool in ('apptainer', 'singularity') and is_swrun(path):
            missing.append({'name': tool, 'why': f'{path} is swrun under that name', 'hint': hint})
        elif path:
            found[tool] = path
        else:
            missing.append({'name': tool, 'why': 'not in PATH', 'hint': hint})
    if 'singularity' in found and 'apptainer' in found and os.path.realpath(found['singularity']) == os.path.realpath(found['apptainer']):
        del found['singularity']
    return found, missing


def versions(tools, swruns):
    known = [{'name': name, 'path': path, 'version': machine.first_line([path, *VERSION.get(name, ['--version'])])}
             for name, path in sorted(tools.items())]
    return [{'name': label, 'path': path, 'version': machine.first_line([path, '--version'])} for label, path in swruns.items()] + known


def has_setuid_starter(path):
    prefix = os.path.dirname(os.path.dirname(os.path.realpath(path)))
    return any(os.stat(starter).st_mode & 0o4000 and os.stat(starter).st_uid == 0
               for starter in glob.glob(os.path.join(prefix, 'libexec', '*', 'bin', 'starter-suid')))


def modes_of(swrun):
    """Which of MODES this swrun knows, by its help and manual."""
    text = ''
    for argv in ([swrun, 'exec', '--help'], [swrun, 'man']):
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        # A manual page escapes its hyphens.
        text += done.stdout.decode(errors='replace').replace('\\-', '-')
    return [mode for mode in MODES if re.search(mode[1], text)], bool(re.search(r'--share\b', text))


# ------------------------------------------------------------------------------------------------ ways in
def bwrap_prefix(folder):
    """A read-only `folder` has no new mount points: only what it has is bound over."""
    binds = [part for path in HOST_BINDS if os.path.isdir(folder + path) for part in ('--dev-bind', path, path)]
    return ['bwrap', '--bind', folder, '/', *binds, '--chdir', '/']


def enter(tools, folder):
    """The cheapest way at hand to make `folder` the root."""
    if 'bwrap' in tools:
        return bwrap_prefix(folder)
    if 'ch-run' in tools:
        return ['ch-run', folder, '--']
    return ['unshare', '-Ur', '--root', folder] if 'unshare' in tools else None


def plain(tree):
    """Runs a program of the tree through the tree's own loader: the same files without any container."""
    loaders = [path for pattern in ('lib64/ld-*.so.*', 'lib/ld-*.so.*', 'lib/*/ld-*.so.*', 'usr/lib/*/ld-*.so.*', 'usr/lib64/ld-*.so.*')
               for path in sorted(glob.glob(os.path.join(tree, pattern))) if os.path.realpath(path).startswith(os.path.realpath(tree) + '/')]
    libraries = [path for pattern in ('usr/lib/*-linux-gnu*', 'lib/*-linux-gnu*', 'usr/lib64', 'lib64', 'usr/lib', 'lib')
                 for path in sorted(glob.glob(os.path.join(tree, pattern)))]

    def translate(command):
        for folder in ('usr/bin', 'bin'):
            program = os.path.join(tree, folder, command[0])
            if loaders and os.path.exists(program):
                return [loaders[0], '--library-path', ':'.join(libraries), program, *command[1:]]
        return None
    return translate


def swrun_variants(label, swrun, content):
    """`label` is swrun, or swrun[NAME] where several are compared."""
    modes, can_share = modes_of(swrun)
    alone = ['--share=never'] if can_share else []
    forms = [(name, path) for name, path in (('SIF', content.sif), ('squashfs', content.squashfs), ('dir', content.tree)) if path]
    made = [Variant(f'{label} {name}', 'swrun', name, [swrun, 'exec', *alone, path]) for name, path in forms]
    if content.uncompressed:
        made.append(Variant(f'{label} uncompressed', 'swrun', 'squashfs', [swrun, 'exec', *alone, content.uncompressed]))
    name, image = next(form for form in forms if form[0] != 'dir')
    for mode, _, arguments, variables, meanwhile in modes:
        made.append(Variant(f'{label} {mode}', 'swrun', name, [swrun, 'exec', *arguments, image], variables, meanwhile))
    return made


def singularity_variants(name, path, content):
    image = content.sif or content.squashfs
    form = 'SIF' if content.sif else 'squashfs'
    made = [Variant(f'{name} -u {form}', name, form, [path, '-s', 'exec', '-u', image])]
    if content.tree:
        made.append(Variant(f'{name} -u dir', name, 'dir', [path, '-s', 'exec', '-u', content.tree]))
    if has_setuid_starter(path):
        made.append(Variant(f'{name} setuid {form}', name, form, [path, '-s', 'exec', image]))
    return made


def launchers(tools, swruns, content, mount):
    """Every way to run a command of the content; `mount` is an empty folder of the user's."""
    made = [Variant('host', 'host', 'host', [])]
    if 'unshare' in tools:
        made.append(Variant('unshare', 'unshare', 'host', ['unshare', '-Ur', '--mount']))
    if content.tree:
        made.append(Variant('plain dir', 'host', 'dir', [], {'PYTHONHOME': os.path.join(content.tree, 'usr')}, None, plain(content.tree)))
        if 'unshare' in tools:
            made.append(Variant('unshare dir', 'unshare', 'dir', ['unshare', '-Ur', '--mount', '--root', content.tree]))
        if 'bwrap' in tools:
            made.append(Variant('bwrap dir', 'bwrap', 'dir', bwrap_prefix(content.tree)))
        if 'ch-run' in tools:
            made.append(Variant('ch-run dir', 'ch-run', 'dir', ['ch-run', content.tree, '--']))
    if 'ch-run' in tools and content.squashfs:
        made.append(Variant('ch-run squashfs', 'ch-run', 'squashfs', ['ch-run', '-m', mount, content.squashfs, '--']))
    for label, path in swruns.items():
        made += swrun_variants(label, path, content)
    for name in ('apptainer', 'singularity'):
        if name in tools:
            made += singularity_variants(name, tools[name], content)
    return made
