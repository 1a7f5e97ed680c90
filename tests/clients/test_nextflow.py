"""The command lines that Nextflow writes into a task's .command.run, as its SingularityBuilder and ApptainerBuilder do.

Nextflow itself is not run: what PyPI calls `nextflow` is a launcher that downloads the program from its site, and Maven
Central does not have it; neither has Debian.  The lines are those of its own tests of the two builders, filled in, inside
the parts of a .command.run that matter here: an emptied environment, staged links, redirections and the signal handler.
"""
import os
import signal

import client
import swtest

RUN = r'''#!/bin/bash
set -e
set -u
NXF_DEBUG=${NXF_DEBUG:=0}; [[ $NXF_DEBUG > 1 ]] && set -x
NXF_ENTRY=${1:-nxf_main}
nxf_kill() {
    declare -a children
    while read P PP; do children[$PP]+=" $P"; done < <(ps -e -o pid= -o ppid=)
    kill_all() { [[ $1 != $$ ]] && kill $1 2>/dev/null || true; for i in ${children[$1]:=}; do kill_all $i; done; }
    kill_all $1
}
nxf_stage() { rm -f 'reads 1.txt'; ln -s '@BASE@/data/reads 1.txt' 'reads 1.txt'; rm -f ref; ln -s @BASE@/refs/genome ref; }
on_exit() { local s=${nxf_main_ret:-0}; printf -- $s > @BASE@/work/ab/cd/.exitcode; exit $s; }
on_term() { set +e; [[ "$pid" ]] && nxf_kill $pid; }
nxf_launch() {
    @LINE@
}
nxf_main() {
    trap on_exit EXIT; trap on_term TERM INT USR2; trap '' USR1
    export NXF_TASK_WORKDIR="$PWD"
    nxf_stage
    set +e
    (set -o pipefail; (nxf_launch | tee .command.out) 3>&1 1>&2 2>&3 | tee .command.err) &
    pid=$!
    wait $pid || nxf_main_ret=$?
}
$NXF_ENTRY
'''
LINE = ('set +u; env - PATH="$PATH" ${TMP:+SINGULARITYENV_TMP="$TMP"} ${TMPDIR:+SINGULARITYENV_TMPDIR="$TMPDIR"} '
        'SINGULARITYENV_X="1" SINGULARITYENV_ALPHA="a b" ${BAR:+SINGULARITYENV_BAR="$BAR"} singularity%s exec --no-home%s '
        '-B @BASE@/data/reads\\ 1.txt%s -B @BASE@/refs -B @BASE@/refs/genome -B @BASE@/work -B "$NXF_TASK_WORKDIR"%s @IMAGE@ '
        '/bin/bash -c "cd \\"$NXF_TASK_WORKDIR\\"; /bin/bash -ue @BASE@/work/ab/cd/.command.sh"')
TASK = '''set -o pipefail
echo "x=$X alpha=$ALPHA bar=${BAR-unset} host=${HOST_ONLY-unset} image=$FROM_IMAGE"
echo "user=${USER-unset} tmp=${TMPDIR-unset}"
sort 'reads 1.txt' ref > sorted.txt
echo to stderr >&2
if ls @BASE@/home 2>/dev/null; then echo 'sees too much'; fi
exit 3
'''


class Nextflow(client.Client):
    user_name, user_id = 'swnxf', 7046

    def setUp(self):
        super().setUp()
        self.base = self.elsewhere()
        self.task = self.base + '/work/ab/cd'
        self.put('data/reads 1.txt', 'b\n')
        self.put('refs/genome', 'a\n')
        self.put('home/file', '')

    def put(self, name, text):
        path = os.path.join(self.base, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        client.write(path, text)
        while len(path) > len(self.base):
            self.user.give(path)
            path = os.path.dirname(path)

    def write_task(self, line, script=TASK):
        self.put('work/ab/cd/.command.sh', '#!/bin/bash -ue\n' + script.replace('@BASE@', self.base))
        run = RUN.replace('@LINE@', line).replace('@BASE@', self.base).replace('@IMAGE@', self.debian)
        self.put('work/ab/cd/.command.run', run)

    def run_task(self, line, **env):
        self.write_task(line)
        done = self.call('bash', '.command.run', cwd=self.task, env=dict({'HOST_ONLY': 'leaked'}, **env))
        self.assertEqual(done.status, 3, repr(done))
        self.assertEqual(client.read(self.task + '/.exitcode'), '3')
        self.assertEqual(client.read(self.task + '/sorted.txt'), 'a\nb\n')
        self.assertEqual(client.read(self.task + '/.command.err'), 'to stderr\n')
        return client.read(self.task + '/.command.out')

    def test_a_task(self):
        out = self.run_task(LINE % ('', ' --pid', '', ''), BAR='from outside')
        self.assertEqual(out, f'x=1 alpha=a b bar=from outside host=unset image=yes\nuser=unset tmp={self.scratch}\n')

    def test_options_of_engine_and_run(self):
        line = LINE % (' -q', '', f':{self.base}/data/reads\\ 1.txt:ro', ' --contain --ipc --env BAR=option')
        out = self.run_task(line, TMPDIR='/tmp')
        self.assertEqual(out, 'x=1 alpha=a b bar=option host=unset image=yes\nuser=unset tmp=/tmp\n')

    def test_the_other_name(self):
        line = LINE % ('', ' --pid', '', '')
        line = line.replace('SINGULARITYENV_', 'APPTAINERENV_').replace(' singularity exec', ' apptainer exec')
        out = self.run_task(line, TMPDIR=None)
        self.assertEqual(out, 'x=1 alpha=a b bar=unset host=unset image=yes\nuser=unset tmp=unset\n')

    def test_the_older_run_command(self):
        self.run_task('env - PATH="$PATH" SINGULARITYENV_X="1" SINGULARITYENV_ALPHA="2" singularity run --no-home --pid '
                      '-B @BASE@/work -B @BASE@/data -B @BASE@/refs @IMAGE@ /bin/bash -ue @BASE@/work/ab/cd/.command.sh')

    def test_a_cancelled_task(self):
        for pid in ' --pid', '':
            with self.subTest(pid=pid):
                self.write_task(LINE % ('', pid, '', ''), 'sleep 300 & touch started; wait; touch finished\n')
                child = self.popen(['bash', '.command.run'], cwd=self.task, env={'TMPDIR': self.scratch})
                try:
                    self.assertTrue(swtest.wait_for(lambda: os.path.exists(self.task + '/started'), 30), 'the task did not start')
                    os.kill(child.pid, signal.SIGTERM)
                    child.communicate(timeout=30)
                finally:
                    child.kill()
                    child.wait()
                self.assertFalse(os.path.exists(self.task + '/finished'))
                self.look_for_leftovers()
                os.unlink(self.task + '/started')


if __name__ == '__main__':
    client.main()
