"""The process that launches and times.  It is the ordinary user from its first moment on, and as a child subreaper it
inherits whatever a launch leaves behind (an image server, say), so it sees when the last of it has ended and what that
used.  The parent, which may be root, asks for one thing at a time; both ends speak lines of JSON over pipes.
"""
import contextlib
import ctypes
import json
import os
import pwd
import resource  # noqa: F401  wait4() wants it, and a Python below /root is out of reach once this is another user
import select
import shutil
import signal
import subprocess
import sys
import time
import traceback

PR_SET_CHILD_SUBREAPER = 36
COMPLAINT = 600  # bytes of a failed launch's words that are kept


class WorkerError(Exception):
    pass


def become(name):
    """For good, with the user's own environment."""
    entry = pwd.getpwnam(name)
    if os.geteuid() == 0:
        os.initgroups(name, entry.pw_gid)
        os.setresgid(entry.pw_gid, entry.pw_gid, entry.pw_gid)
        os.setresuid(entry.pw_uid, entry.pw_uid, entry.pw_uid)
    for key, value in (('HOME', entry.pw_dir), ('USER', name), ('LOGNAME', name)):
        os.environ[key] = value


def children():
    """This process's children, ended ones included."""
    try:
        with open(f'/proc/self/task/{os.getpid()}/children', encoding='utf-8') as file:
            return {int(word) for word in file.read().split()}
    except OSError:  # a kernel without CONFIG_PROC_CHILDREN
        return {pid for pid, parent in parents().items() if parent == os.getpid()}


def parents():
    found = {}
    for pid in filter(str.isdigit, os.listdir('/proc')):
        try:
            with open(f'/proc/{pid}/stat', encoding='utf-8', errors='replace') as file:
                found[int(pid)] = int(file.read().rpartition(')')[2].split()[1])
        except (OSError, IndexError):
            pass
    return found


def descendants(of):
    table, found, front = parents(), [], {of}
    while front:
        front = {pid for pid, parent in table.items() if parent in front}
        found += sorted(front)
    return found


@contextlib.contextmanager
def processors(number):
    """What is started inside may use that many processors, None: as before."""
    everywhere = os.sched_getaffinity(0)
    if number is not None:
        os.sched_setaffinity(0, sorted(everywhere)[:number])
    try:
        yield
    finally:
        if number is not None:
            os.sched_setaffinity(0, everywhere)


# ------------------------------------------------------------------------------------------------ the worker's side
class Jobs:
    """What the worker can be asked for; every public method is one kind of request."""

    def __init__(self):
        self.accounted = 0.0  # of this process's own time, in samples so far
        self.staying = set()  # children that shall outlive a launch: holders, lingering servers
        self.held, self.started_by = {}, {}
        self.null = os.open('/dev/null', os.O_RDWR)
        self.words = os.memfd_create('words')

    def _spawn(self, argv, env, out):
        actions = [(os.POSIX_SPAWN_DUP2, self.null, 0), (os.POSIX_SPAWN_DUP2, out, 1), (os.POSIX_SPAWN_DUP2, self.words, 2)]
        return os.posix_spawn(argv[0], argv, env, file_actions=actions)

    def _complaint(self):
        return os.pread(self.words, COMPLAINT, 0).decode(errors='replace').strip()

    def launch(self, argv, env=None, count=1, limit=60.0, stays=False, pinned=False):
        """`count` at once; pinned: all that they start has one processor.  wall: until the last direct child has ended; gone: until everything else has, too."""
        full = [shutil.which(argv[0]) or argv[0], *argv[1:]]
        environment = dict(os.environ, **(env or {}))
        os.ftruncate(self.words, 0)
        os.lseek(self.words, 0, os.SEEK_SET)
        used, direct, bad, wall = [], set(), None, None
        start = time.perf_counter()
        with processors(1 if pinned else None):
            for _ in range(count):
                direct.add(self._spawn(full, environment, self.null))
        left = 0
        while True:
            # While direct children run, sleeping in wait costs nothing; what they leave is polled for.
            pid, status, usage = self._wait(bool(direct), start + limit)
            if pid is None:
                left = self._give_up(direct)
                break
            if pid:
                used.append(usage)
                self.staying.discard(pid)
                if pid in direct:
                    direct.discard(pid)
                    bad = status if status and bad is None else bad
                    if not direct:
                        wall = time.perf_counter() - start
            if not direct and (stays or not children() - self.staying):
                break
        gone = time.perf_counter() - start
        if stays:
            self.staying |= children()
        result = {'wall': wall, 'gone': gone, 'left': left, 'cpu': sum(u.ru_utime + u.ru_stime for u in used),
                  'faults': sum(u.ru_minflt for u in used), 'major_faults': sum(u.ru_majflt for u in used),
                  'switches': sum(u.ru_nvcsw + u.ru_nivcsw for u in used)}
        result['overhead'], self.accounted = time.process_time() - self.accounted, time.process_time()
        if bad is not None or wall is None:
            result['failed'] = f"{'did not end' if wall is None else describe(bad)}: {self._complaint()}".rstrip(': ')
        return result

    @staticmethod
    def _wait(blocking, end):
        """(pid, status, usage); pid 0: nothing yet; None: out of time."""
        if blocking:
            signal.setitimer(signal.ITIMER_REAL, max(0.001, end - time.perf_counter()))
        try:
            pid, status, usage = os.wait4(-1, 0 if blocking else os.WNOHANG)
        except InterruptedError:
            return None, 0, None
        except ChildProcessError:
            return 0, 0, None
        finally:
            if blocking:
                signal.setitimer(signal.ITIMER_REAL, 0)
        if pid == 0:
            if time.perf_counter() > end:
                return None, 0, None
            time.sleep(0.0002)
        return pid, status, usage

    def _give_up(self, direct):
        """Ends what did not end by itself; how many of these were not launched by us but left behind."""
        rest = children() - self.staying
        for pid in rest:
            os.kill(pid, signal.SIGKILL)
        for pid in rest:
            os.waitpid(pid, 0)
        return len(rest - direct)

    def hold(self, name, argv, env=None, count=1, limit=60.0):
        """Starts `count` that say a line when they are ready and then wait for the end of their input."""
        full = [shutil.which(argv[0]) or argv[0], *argv[1:]]
        before = children()
        started = [subprocess.Popen(full, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                    env=dict(os.environ, **(env or {}))) for _ in range(count)]
        end = time.monotonic() + limit
        self.held[name] = started
        for one in started:
            ready, _, _ = select.select([one.stdout], [], [], max(0.0, end - time.monotonic()))
            if not ready or not one.stdout.readline():
                # End of its output: it is ending, and says why.
                words = one.stderr.read(COMPLAINT).decode(errors='replace').strip() if ready else 'not ready in time'
                self.release(name)
                return {'failed': words or 'it said nothing'}
        new = children() - before
        self.staying |= new
        self.started_by[name] = new
        everyone = sorted(new | {pid for top in new for pid in descendants(top)})
        return {'direct': [one.pid for one in started], 'pids': everyone}

    def release(self, name, limit=20.0):
        """Ends what hold() started; settle() then waits for what served it."""
        started = self.held.pop(name, [])
        for one in started:
            try:
                one.stdin.close()
            except OSError:
                pass
        for one in started:
            try:
                one.wait(limit)
            except subprocess.TimeoutExpired:
                one.kill()
                one.wait()
            one.stdout.close()
            one.stderr.close()
        self.staying -= self.started_by.pop(name, set())
        return {}

    def settle(self, limit=10.0, everything=False):
        """Waits for every child that shall not stay to go, and ends those that do not: their number."""
        if everything:
            self.staying.clear()
        end = time.perf_counter() + limit
        while children() - self.staying:
            if self._wait(False, end)[0] is None:
                return {'left': self._give_up(set())}
        return {'left': 0}

    def keep(self):
        """Whatever runs now may stay."""
        self.staying |= children()
        return {}

    def run(self, argv, env=None, limit=120.0):
        """One command with its words, not timed."""
        try:
            done = subprocess.run([shutil.which(argv[0]) or argv[0], *argv[1:]], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, timeout=limit, env=dict(os.environ, **(env or {})))
        except (OSError, subprocess.SubprocessError) as error:
            return {'status': -1, 'out': '', 'err': str(error)}
        return {'status': done.returncode, 'out': done.stdout.decode(errors='replace'), 'err': done.stderr.decode(errors='replace')}

    @staticmethod
    def readable(path):
        return {'readable': os.access(path, os.R_OK | (os.X_OK if os.path.isdir(path) else 0))}


def describe(status):
    if os.WIFSIGNALED(status):
        return f'signal {os.WTERMSIG(status)}'
    return f'status {os.WEXITSTATUS(status)}'


def on_alarm(*_):
    raise InterruptedError


def serve(requests, answers, user, folder):
    become(user)
    os.chdir(folder)
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    signal.signal(signal.SIGALRM, on_alarm)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    jobs = Jobs()
    for line in requests:
        request = json.loads(line)
        try:
            answer = getattr(jobs, request.pop('do'))(**request)
        except Exception:  # the parent shows it: whatever it is, the run cannot go on
            answer = {'broken': traceback.format_exc()}
        answers.write(json.dumps(answer) + '\n')
        answers.flush()
    for name in list(jobs.held):
        jobs.release(name)
    jobs.settle(2.0, everything=True)


# ------------------------------------------------------------------------------------------------ the parent's side
class Worker:
    def __init__(self, user, folder='/tmp'):
        self.user = user
        down, up = os.pipe(), os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            status = 1
            try:
                os.close(down[1])
                os.close(up[0])
                with os.fdopen(down[0], encoding='utf-8') as requests, os.fdopen(up[1], 'w', encoding='utf-8') as answers:
                    serve(requests, answers, user, folder)
                status = 0
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stderr.flush()
                os._exit(status)
        os.close(down[0])
        os.close(up[1])
        self.requests = os.fdopen(down[1], 'w', encoding='utf-8')
        self.answers = os.fdopen(up[0], encoding='utf-8')

    def ask(self, what, **arguments):
        try:
            self.requests.write(json.dumps(dict(arguments, do=what)) + '\n')
            self.requests.flush()
            line = self.answers.readline()
        except BrokenPipeError:
            line = ''
        if not line:
            raise WorkerError('the measuring process has ended')
        answer = json.loads(line)
        if 'broken' in answer:
            raise WorkerError(answer['broken'])
        return answer

    def close(self):
        try:
            self.requests.close()
        except BrokenPipeError:
            pass
        self.answers.close()
        os.waitpid(self.pid, 0)
