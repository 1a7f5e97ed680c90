"""Snakemake, the current one and the last of the years before its plugins, with rules that name a container.

The rules that upstream tests with containers pull from a registry; they are written out here with the same directives and
the image where a pulled one would lie, .snakemake/singularity/MD5.simg (tests/test_singularity, test_singularity_global,
test_singularity_none, test_container, test_github_issue78 and test_shell_exec; the packages hold no tests).
"""
import hashlib

import client

UPSTREAM = '''
container: "docker://bash"

rule all:
    input: "global.out", "none.out", "shadow.out", "sh.out", "script.out"

rule test_singularity_global:
    output: "global.out"
    shell: 'if [ -d "/.singularity.d/" ]; then echo "In Singularity" > {output}; else echo "Not in Singularity" > {output}; fi'

rule test_singularity_none:
    output: "none.out"
    container: None
    shell: 'if [ -d "/.singularity.d/" ]; then echo "In Singularity" > {output}; else echo "Not in Singularity" > {output}; fi'

rule test_container:
    input: "global.out"
    output: "test.txt"
    container: "docker://bash"
    shell: "ls {input}; cp {input} {output}"

rule test_github_issue78:
    input: "test.txt"
    output: "shadow.out"
    shadow: "minimal"
    shell: 'echo 1 > junk.out; cat {input} > {output}; pwd >> {output}'

rule test_shell_exec:
    output: "sh.out"
    resources: shell_exec="sh"
    shell: "echo 'hello world' > {output}"

rule test_singularity:
    output: "script.out"
    container: "docker://python:3.9"
    script: "script.py"
'''
SCRIPT = '''
import os, sys
with open(snakemake.output[0], "w") as out:
    print(os.path.exists("/.singularity.d/labels.json"), snakemake.rule, sys.executable, file=out)
'''
LOCAL = '''
rule all:
    input: "counted.txt", "bound.txt"

rule count:
    input: "data/words.txt"
    output: "counted.txt"
    container: "images/debian.sif"
    threads: 2
    shell: "sort {input} | uniq -c | awk '{{print $1, $2}}' > {output}; echo $FROM_IMAGE {threads} >> {output}"

rule bind:
    output: "bound.txt"
    container: "images/debian.sif"
    shell: "cat /reference/genome /reference/index > {output}; echo \\"$SITE\\" >> {output}"

rule fails:
    output: "never.txt"
    container: "images/debian.sif"
    shell: "echo 'to stderr' >&2; touch {output}; exit 3"
'''


class Snakemake(client.Client):
    user_name, user_id = 'swsmk', 7042
    requirements = 'snakemake'
    containers, arguments = ('--software-deployment-method=apptainer',), '--apptainer-args='

    def smk(self, *argv, wrong=False, **more):
        done = self.call_client('snakemake', '--cores', '2', '--nocolor', *self.containers, *argv, **more)
        self.assertEqual(done.status, 1 if wrong else 0, repr(done))
        return done

    def test_a_local_image(self):
        self.write('Snakefile', LOCAL)
        self.here('images/debian.sif')
        self.write('data/words.txt', 'b\na\nb\n')
        self.write('site/ref/genome', 'ACGT\n')
        self.write('site/index file', '0 4\n')
        binds = f'--bind {self.work}/site/ref:/reference:ro --bind "{self.work}/site/index file":/reference/index --env SITE=here'
        self.write('site/ref/index')
        self.smk(self.arguments + binds)
        self.assertEqual(self.text('counted.txt'), '1 a\n2 b\nyes 2\n')
        self.assertEqual(self.text('bound.txt'), 'ACGT\n0 4\nhere\n')

    def test_a_rule_that_fails(self):
        self.write('Snakefile', LOCAL)
        self.here('images/debian.sif')
        done = self.smk('fails', wrong=True)
        self.assertIn('to stderr', done.err)
        self.assertEqual(self.text('never.txt'), '')

    def test_rules_of_upstream(self):
        self.write('Snakefile', UPSTREAM)
        self.write('script.py', SCRIPT)
        for url in ('docker://bash', 'docker://python:3.9'):
            self.here(f'.snakemake/singularity/{hashlib.md5(url.encode()).hexdigest()}.simg')
        self.smk(self.arguments + ' --cleanenv')
        self.assertEqual(self.text('global.out'), 'In Singularity\n')
        self.assertEqual(self.text('none.out'), 'Not in Singularity\n')
        self.assertRegex(self.text('shadow.out'), f'^In Singularity\n{self.work}/.snakemake/shadow/')
        self.assertEqual(self.text('sh.out'), 'hello world\n')
        self.assertEqual(self.text('script.out'), 'True test_singularity /usr/bin/python3\n')

    def test_an_image_that_is_not_there(self):
        self.write('Snakefile', LOCAL)
        self.write('data/words.txt')
        done = self.smk('counted.txt', wrong=True)
        self.assertIn('could not open image', done.err)


class Snakemake7(Snakemake):
    user_name, user_id = 'swsmk7', 7047
    requirements = 'snakemake7'
    containers, arguments = ('--use-singularity',), '--singularity-args='


if __name__ == '__main__':
    client.main()
