"""The installed benchmark tool, in short runs on the test images.  Times mean nothing here; that every suite ends, says
what it measured and leaves nothing does."""
import json
import os
import subprocess

import swtest

BENCH = os.path.join(swtest.STAGE, 'bin', 'swrun-bench')


def bench(*argv, timeout=400):
    done = subprocess.run([BENCH, *argv], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout)
    return swtest.Done(done.returncode, done.stdout.decode(), done.stderr.decode())


class Bench(swtest.Case):
    def report(self, *argv):
        path = os.path.join(self.work, 'result.json')
        done = bench('--force', '--quick', '--json', path, *argv)
        self.assertEqual(done.status, 0, repr(done))
        with open(path, encoding='utf-8') as file:
            return json.load(file), done

    def test_launches_counts_and_memory(self):
        result, done = self.report('--suite', 'launch,at-once,memory,counts', '--at-once', '2', '--ranks', '2', '--peers', 'swrun,unshare,host',
                                   self.image)
        self.assertIn('## Headline', done.out)
        self.assertEqual(result['tables']['pinned true']['failed'], {})
        self.assertIn('swrun uncompressed', result['tables']['pinned true']['rows'])
        for table in ('launch true', 'launch sh', 'pinned true', '2 at once'):
            for row in ('swrun SIF', 'swrun squashfs', 'swrun dir', 'host'):
                figures = result['tables'][table]['rows'][row]
                self.assertEqual(figures['wall']['n'], result['tables'][table]['rounds'], row)
                self.assertLessEqual(figures['wall']['p10'], figures['wall']['median'])
                self.assertLessEqual(figures['wall']['median'], figures['gone']['median'])
        alone = result['memory']['1 x sh']['swrun SIF']
        self.assertEqual((alone['ranks'], alone['servers']), (1, 1))
        self.assertEqual(result['memory']['2 x rank']['swrun dir']['servers'], 0)
        counted = result['counts']['launch true']['swrun SIF']
        self.assertEqual(counted['requests'], sum(counted['by_request'].values()))
        self.assertEqual(counted['by_request']['INIT'], 1)
        self.assertGreater(counted['by_request']['LOOKUP'], 0)
        self.assertGreater(counted['metadata'], 0)
        self.assertEqual(counted['twice'], 0)
        self.assertEqual(result['gate']['left'], 0)

    def test_reads(self):
        result, _ = self.report('--suite', 'reads', self.image)
        rows = result['tables']['walk, image cached']['rows']
        self.assertIn('swrun', rows)

    def test_one_command(self):
        result, _ = self.report('--peers', 'swrun', self.image, '--', '/bin/probe')
        self.assertEqual(list(result['tables']), ['launch command', 'pinned command'])
        self.assertEqual(set(result['tables']['launch command']['rows']),
                         {'swrun SIF', 'swrun squashfs', 'swrun uncompressed', 'swrun dir', 'swrun joined', 'swrun lingering', 'swrun hot cache'})

    def test_gate(self):
        open_gate = [f'--gate-limit={figure}=9999' for figure in ('requests', 'blocks', 'metadata')]
        done = bench('--gate', *open_gate, self.image)
        self.assertEqual(done.status, 0, repr(done))
        self.assertRegex(done.out, r'requests +\d+  at most 9999  ok')
        done = bench('--gate', '--gate-limit', 'requests=1', self.image)
        self.assertEqual(done.status, 1, repr(done))
        self.assertRegex(done.out, r'requests +\d+  at most   1  OVER THE LIMIT')

    def test_who_is_there(self):
        done = bench('--list-peers')
        self.assertEqual(done.status, 0, repr(done))
        self.assertRegex(done.out, r'(?m)^swrun  +swrun version \S+  ' + os.path.join(swtest.STAGE, 'bin', 'swrun') + '$')

    def test_an_image_that_is_none_and_one_that_is_not_there(self):
        done = bench(self.write('text', 'nothing'))
        self.assert_failed(done, 1, 'text', 'squashfs')
        self.assert_failed(bench('/no/such/image.sif'), 2, '/no/such/image.sif')

    def test_nothing_is_left_in_tmp(self):
        def ours():
            return {name for name in os.listdir('/tmp') if name.startswith('swrun-bench.')}
        before = ours()
        bench('--gate', self.image)
        self.assertEqual(ours() - before, set())


if __name__ == '__main__':
    swtest.main()
