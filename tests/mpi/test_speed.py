"""Bandwidth between two ranks in an image, as a part of that on the host.

    test_speed.py OpenMpi|Mpich

Host and image take turns, and each figure is the best of many short windows of all turns: other work on the machine only
ever takes away.  That the library copies directly from rank to rank is counted, not guessed from the figures.
"""
import math
import time

import mpi

WINDOWS = '0.1'             # seconds per size and turn
TURNS, SECONDS = 3, 40      # at least; then until both are as fast or so long
LARGE = 1 << 20             # bytes from which on the figures are compared
EQUAL, FLOOR = 0.95, 0.7    # of their mean: what ends the turns early; what a machine with other work must reach


class Speed:
    def test_bandwidth(self):
        program = f'{mpi.FOLDER}/probe.{self.family}', 'speed', WINDOWS
        launches = {'host': program, 'image': ('swrun', 'exec', self.a, '/bin/probe.' + self.family, *program[1:])}
        best = {where: {} for where in launches}
        ratios, mean, turns, end = {}, 0, 0, time.monotonic() + SECONDS
        while turns < TURNS or time.monotonic() < end:
            turns += 1
            for where, command in launches.items():
                said = self.quiet(self.mpirun(self.family, '-n', '2', *command)).json()
                self.assertEqual(said['failed'], 0, said)
                self.assertGreater(said['copies'], 0, said)
                for size, figure in said['speed'].items():
                    best[where][int(size)] = max(figure, best[where].get(int(size), 0))
            ratios = {size: best['image'][size] / best['host'][size] for size in best['host']}
            large = [ratio for size, ratio in ratios.items() if size >= LARGE]
            mean = math.prod(large) ** (1 / len(large))
            if turns >= TURNS and mean >= EQUAL:
                break
        for size, ratio in ratios.items():
            print(f'{self.family:8} {size >> 10:6} KiB   host {best["host"][size]:7.2f} GB/s   image {best["image"][size]:7.2f} GB/s'
                  f'   {ratio:5.2f}   ({turns} turns)')
        self.assertGreaterEqual(mean, FLOOR, best)


class OpenMpi(Speed, mpi.Case):
    user_name, user_id = 'swspeed', 7066
    family = 'openmpi'


class Mpich(Speed, mpi.Case):
    user_name, user_id = 'swspeed', 7066
    family = 'mpich'


if __name__ == '__main__':
    mpi.main()
