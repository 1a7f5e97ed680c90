"""A cold `true` out of a whole distribution in counts that noise does not touch, against the limits of swrun-bench: requests to
the image server, blocks that it decodes, processes left.  Runs alone: on a busy host the server does not work ahead."""
import os
import subprocess

import swtest
from distribution import need_distribution

BENCH = os.path.join(swtest.STAGE, 'bin', 'swrun-bench')


class Gate(swtest.Case):
    def test_a_cold_start_is_within_its_limits(self):
        _, image = need_distribution(self.user)
        done = subprocess.run([BENCH, '--gate', image], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=200)
        self.assertEqual(done.returncode, 0, done.stdout.decode())


if __name__ == '__main__':
    swtest.main()
