"""What this machine is, and whether it is quiet enough to measure on."""
import os
import platform
import re
import statistics
import subprocess
import time

TICK = os.sysconf('SC_CLK_TCK')
MOST_USED = 0.05      # share of all processors that others may use
MOST_STOLEN = 0.05    # share of all processors that the host of a virtual machine may keep for itself during a sample
COARSE = 2            # ticks, by which what the kernel counts may be off: short samples count as they are
MOST_PRESSURE = 5.0   # percent of the last ten seconds in which somebody waited for a processor


def read(path, otherwise=''):
    try:
        with open(path, encoding='utf-8', errors='replace') as file:
            return file.read()
    except OSError:
        return otherwise


def first_line(argv):
    """What a program says about itself: the first line with a digit, of either stream."""
    try:
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=20,
                              env=dict(os.environ, USER=os.environ.get('USER', 'root')))
    except (OSError, subprocess.SubprocessError):
        return None
    lines = done.stdout.decode(errors='replace').splitlines()
    return next((line.strip() for line in lines if re.search(r'\d', line)), None)


# ------------------------------------------------------------------------------------------------ facts
def cpu_model():
    match = re.search(r'^(?:model name|Model|cpu model)\s*:\s*(.+)$', read('/proc/cpuinfo'), re.M)
    return match.group(1).strip() if match else platform.processor() or platform.machine()


def governors():
    folder = '/sys/devices/system/cpu'
    found = {read(f'{folder}/cpu{number}/cpufreq/scaling_governor').strip() for number in range(os.cpu_count() or 1)}
    return ', '.join(sorted(found - {''})) or 'not visible here'


def virtual():
    kind = first_line_of(['systemd-detect-virt', '--vm'])
    if kind and kind != 'none':
        return kind
    return 'yes' if re.search(r'^flags\s*:.*\bhypervisor\b', read('/proc/cpuinfo'), re.M) else 'no'


def first_line_of(argv):
    try:
        return subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=5).stdout.decode().strip()
    except (OSError, subprocess.SubprocessError):
        return ''


def distribution():
    match = re.search(r'^PRETTY_NAME="?([^"\n]*)', read('/etc/os-release'), re.M)
    return match.group(1) if match else 'unknown'


def file_system(path):
    """Kind of the file system that holds `path`: the longest mount point that leads to it."""
    best, kind = '', 'unknown'
    path = os.path.realpath(path)
    for line in read('/proc/self/mountinfo').splitlines():
        left, _, right = line.partition(' - ')
        point = left.split()[4].replace('\\040', ' ')
        inside = point == '/' or path == point or path.startswith(point + '/')
        if inside and len(point) >= len(best):
            best, kind = point, right.split()[0]
    return kind


def facts():
    memory = re.search(r'^MemTotal:\s*(\d+)', read('/proc/meminfo'), re.M)
    return {'cpu': cpu_model(), 'processors': os.cpu_count(), 'usable_processors': len(os.sched_getaffinity(0)),
            'governor': governors(), 'virtual': virtual(), 'memory_mib': int(memory.group(1)) // 1024 if memory else None,
            'kernel': platform.release(), 'architecture': platform.machine(), 'distribution': distribution(),
            'transparent_hugepages': read('/sys/kernel/mm/transparent_hugepage/enabled').strip() or None,
            'cgroup_cpu_max': read('/sys/fs/cgroup/cpu.max').strip() or None, 'python': platform.python_version()}


# ------------------------------------------------------------------------------------------------ quiet?
def busy_ticks():
    """(ticks that all processors worked, ticks in all, ticks stolen, which are work of others), as proc_stat(5) has them."""
    fields = [int(word) for word in read('/proc/stat').splitlines()[0].split()[1:9]]
    idle = fields[3] + fields[4]
    return sum(fields) - idle, sum(fields), fields[7]


def ticks_of_processes():
    found = {}
    for pid in filter(str.isdigit, os.listdir('/proc')):
        head, _, tail = read(f'/proc/{pid}/stat').rpartition(')')
        fields = tail.split()
        if len(fields) > 12:
            found[int(pid)] = (head.partition('(')[2], int(fields[11]) + int(fields[12]))
    return found


def runnable():
    """Processes that want a processor now, without this one."""
    return max(0, int(read('/proc/loadavg', '0 0 0 1/1 0').split()[3].split('/')[0]) - 1)


def pressure():
    match = re.search(r'^some avg10=([\d.]+)', read('/proc/pressure/cpu'), re.M)
    return float(match.group(1)) if match else None


def look_around(seconds=2.0):
    """How busy others keep this machine, watched for a while."""
    before, used_before, samples = busy_ticks(), ticks_of_processes(), []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        samples.append(runnable())
        time.sleep(0.05)
    after, used_after = busy_ticks(), ticks_of_processes()
    share = (after[0] - before[0]) / max(1, after[1] - before[1])
    top = sorted(((used - used_before[pid][1], name, pid) for pid, (name, used) in used_after.items()
                  if pid in used_before and pid != os.getpid()), reverse=True)
    return {'used_share': round(share, 4), 'runnable_median': statistics.median(samples), 'pressure_avg10': pressure(),
            'load_average': os.getloadavg()[0],
            'top': [{'name': name, 'pid': pid, 'share_of_one': round(used / TICK / seconds, 3)} for used, name, pid in top[:4] if used]}


def why_busy(seen):
    """Reasons not to compare anything measured now; empty when it is quiet."""
    reasons = []
    if seen['used_share'] > MOST_USED:
        reasons.append(f"others use {seen['used_share'] * 100:.0f} % of the processors")
    if seen['runnable_median'] >= 1:
        reasons.append(f"{seen['runnable_median']:g} other processes want to run")
    # Pressure remembers ten seconds, also our own preparations: alone it says nothing.
    if reasons and (seen['pressure_avg10'] or 0) > MOST_PRESSURE:
        reasons.append(f"processor pressure {seen['pressure_avg10']:.0f} %")
    if reasons and seen['top']:
        reasons.append('most by ' + ', '.join(f"{one['name']} ({one['pid']})" for one in seen['top']))
    return reasons


class OthersWatch:
    """Takes samples, and sees how much of the machine others used meanwhile."""
    AGAIN = 2

    def __init__(self):
        self.others, self.total = 0.0, 0
        self.retaken, self.left, self.runnable = 0, 0, []

    def take(self, runner):
        """One sample, taken again when a neighbour of this virtual machine had much of its processors during it and its
        preparation: that says nothing of what was measured."""
        for again in range(self.AGAIN, -1, -1):
            before, own = busy_ticks(), sum(os.times()[:2])
            sample = runner()
            worked, total, stolen = (late - early for late, early in zip(busy_ticks(), before))
            if again and 'failed' not in sample and stolen > COARSE + MOST_STOLEN * total:
                self.retaken += 1
                self.left += sample.get('left') or 0
                continue
            # What the worker reaped, and what it used itself: nothing of it shows in this process's own times.
            own = sum(os.times()[:2]) - own + (sample.get('cpu') or 0.0) + (sample.get('overhead') or 0.0)
            self.others += worked - own * TICK
            self.total += total
            return sample

    def result(self):
        return {'others_share': round(max(0.0, self.others) / max(1, self.total), 4), 'retaken': self.retaken,
                'runnable_median': statistics.median(self.runnable) if self.runnable else 0}
