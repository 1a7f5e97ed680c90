"""Thousands of launches in a row, alone, joined and killed, leave nothing: no process, mount, connection, name or file.

SWRUN_STRESS_LAUNCHES says how many, SWRUN_SEED repeats a run.
"""
import json
import os
import random
import signal
import subprocess
import time

import swtest
from counted import Counted

LAUNCHES = int(os.environ.get('SWRUN_STRESS_LAUNCHES', '10000'))
SEED = int(os.environ.get('SWRUN_SEED', '0')) or random.SystemRandom().randrange(1, 1 << 32)
WORKERS = 2 * (os.cpu_count() or 1)
ROUND = 1000  # launches, after each of which nothing may be left
KINDS = ('alone', 'shared', 'killed', 'killed in company')
WEIGHTS = (40, 40, 10, 10)
HANG = 30  # seconds


class Worker:
    """One process that starts launches one after the other, as the test user."""

    def __init__(self, image, rng, shared):
        self.rng, self.counts, self.errors, self.slowest = rng, dict.fromkeys(KINDS, 0), [], 0.0
        self.swrun = os.path.join(swtest.STAGE, 'bin', 'swrun')
        self.image, self.shared = image, shared

    def launch(self):
        kind = self.rng.choices(KINDS, WEIGHTS)[0]
        company, killed = kind in ('shared', 'killed in company'), kind.startswith('killed')
        begin = time.monotonic()
        with open('/dev/null', 'r+b') as null:
            child = subprocess.Popen([self.swrun, 'exec', '--share=' + ('always' if company else 'never'), self.image,
                                      *(['sleep', '30'] if killed else ['true'])],
                                     env=self.shared, stdin=null, stdout=null, stderr=subprocess.PIPE)
        if killed:
            time.sleep(self.rng.choice((self.rng.uniform(0, 0.01), self.rng.uniform(0, 0.04))))
            child.send_signal(self.rng.choice((signal.SIGKILL, signal.SIGTERM, signal.SIGINT)))
        try:
            err = child.communicate(timeout=HANG)[1]
        except subprocess.TimeoutExpired:
            child.kill()
            err = child.communicate()[1] + b'(no end)'
        took = time.monotonic() - begin
        if not killed and (child.returncode or err) or took > HANG or killed and child.returncode >= 0:
            self.errors.append(f'{kind}: status {child.returncode} after {took:.2f} s: {err[-500:]!r}')
        self.counts[kind] += 1
        self.slowest = max(self.slowest, took)

    def report(self):
        return json.dumps({'counts': self.counts, 'errors': self.errors[:5], 'wrong': len(self.errors), 'slowest': self.slowest})


class Stress(Counted):
    user_name, user_id = 'swstress', 7073

    def start_worker(self, number, launches, turn):
        out, into = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                os.close(out)
                self.user.become()
                os.chdir(self.work)
                # Two jobs, so that the launches of a job meet and part all the time.
                env = self.user.environment({'PMI_JOBID': f'{self.job}.{number % 2}'})
                worker = Worker(self.image, random.Random(f'{SEED} {turn} {number}'), env)
                for _ in range(launches):
                    worker.launch()
                os.write(into, worker.report().encode())
            finally:
                os._exit(0)
        os.close(into)
        return pid, out

    def run_round(self, launches, turn):
        workers = [self.start_worker(n, launches // WORKERS + (n < launches % WORKERS), turn) for n in range(WORKERS)]
        for pid, out in workers:
            with open(out, encoding='utf-8') as text:
                said = text.read()
            os.waitpid(pid, 0)
            self.assertTrue(said, 'a worker has failed')
            yield json.loads(said)

    def test_in_a_row(self):
        print(f'seed {SEED}, {LAUNCHES} launches by {WORKERS} workers', flush=True)
        begin, counts, slowest = time.monotonic(), dict.fromkeys(KINDS, 0), 0.0
        for turn, start in enumerate(range(0, LAUNCHES, ROUND)):
            for said in self.run_round(min(ROUND, LAUNCHES - start), turn):
                self.assertEqual(said['errors'], [], f'{said["wrong"]} went wrong in round {turn}')
                slowest = max(slowest, said['slowest'])
                for kind, count in said['counts'].items():
                    counts[kind] += count
            self.assert_clean(f'round {turn}', 15)
        self.assertEqual(sum(counts.values()), LAUNCHES)
        print(f'{counts}, slowest {slowest:.2f} s, {time.monotonic() - begin:.0f} s in all', flush=True)


if __name__ == '__main__':
    swtest.main()
