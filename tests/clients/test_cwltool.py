"""cwltool, the reference runner of the Common Workflow Language, with --singularity: our own jobs, and upstream's.

Upstream's tests come with the package, as do the tools and workflows they run.  They are started unmodified, from a
folder where the images lie under the names that cwltool gives to pulled ones.  Left out are those that build from a
Dockerfile or a registry (test_singularity_dockerfile_*, test_dockerfile_singularity_build; the sandbox ones skip
themselves), that look for what was pulled into a folder of their own (test_singularity_alternate_names_used,
test_singularity3_docker_image_id_in_tool), that want the image to be missing, and one that runs node inside an image.
"""
import hashlib
import json
import os

import client

IMAGES = ('docker.io_s_debian:stable-slim.sif', 'docker.io_s_alpine:latest.sif')
UPSTREAM = {
    'test_singularity': (
        'test_singularity_workflow', 'test_singularity_docker_image_id', 'test_singularity_iwdr',
        'test_singularity_incorrect_image_pull', 'test_singularity_docker_pull_protocol', 'test_singularity_local',
        'test_singularity_sandbox_image_not_exists', 'test_singularity_sandbox_not_an_image'),
    'test_iwdr': ('test_iwdr_permutations_singularity', 'test_iwdr_permutations_singularity_inplace'),
    'test_docker': ('test_singularity_required_secfile', 'test_singularity_required_missing_secfile'),
    'test_secrets': ('test_secret_workflow_log_singularity',),
    'test_tmpdir': ('test_singularity_get_image_from_sandbox', 'test_singularity_image_base_path'),
}

SAID = '--quiet run --contain --ipc --cleanenv --no-eval --userns --home --pwd --net --network none'.split()

TOOL = '''cwlVersion: v1.2
class: CommandLineTool
requirements:
  DockerRequirement: {dockerPull: example.org/tools/debian:1}
  EnvVarRequirement: {envDef: {GREETING: "a b $(inputs.word) 'c'"}}
  InitialWorkDirRequirement:
    listing:
      - entryname: job.sh
        entry: |
          set -eu
          printf 'greeting=%s\\n' "$GREETING"
          printf 'inside=%s\\n' "\\$(cat /.singularity.d/labels.json | tr -dc a-z | head -c 10)"
          printf 'home=%s pwd=%s tmp=%s\\n' "$HOME" "$PWD" "$TMPDIR"
          printf 'host=%s\\n' "\\${HOST_ONLY-unset}"
          printf 'interfaces=%s\\n' "\\$(tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' ' | tr '\\n' ' ')"
          echo scratch > "$TMPDIR/scratch"
          cat "$1" "$2"
          echo more >> "$1"
          if (echo lost > "$2") 2>/dev/null; then echo 'an input was overwritten'; fi
          echo to stderr >&2
          echo result > made.txt
      - entry: $(inputs.text)
        entryname: renamed.txt
        writable: true
baseCommand: [bash, job.sh]
arguments: [renamed.txt]
inputs:
  word: string
  text: File
  other: {type: File, inputBinding: {}}
stdout: out.txt
stderr: err.txt
outputs:
  out: stdout
  err: stderr
  made: {type: File, outputBinding: {glob: made.txt}}
'''
STEP = '''cwlVersion: v1.2
class: CommandLineTool
requirements: {DockerRequirement: {dockerPull: example.org/tools/debian:1}}
baseCommand: [%s]
inputs: {data: {type: File, inputBinding: {}}}
stdout: %s
outputs: {result: stdout}
'''
WORKFLOW = '''cwlVersion: v1.2
class: Workflow
inputs: {data: File}
outputs: {final: {type: File, outputSource: second/result}}
steps:
  first: {run: sort.cwl, in: {data: data}, out: [result]}
  second: {run: sum.cwl, in: {data: first/result}, out: [result]}
'''
FAILS = '''cwlVersion: v1.2
class: CommandLineTool
requirements: {DockerRequirement: {dockerImageId: %s}}
baseCommand: [bash, -c]
arguments: ['exit 7']
successCodes: [%s]
inputs: []
outputs: []
'''


class Cwltool(client.Client):
    user_name, user_id = 'swcwl', 7041
    requirements = 'cwltool'

    def cwl(self, *argv, **more):
        return self.client('cwltool', '--singularity', '--disable-color', '--outdir', 'out', *argv, **more)

    def test_a_tool(self):
        self.here('example.org_s_tools_s_debian:1.sif')
        self.write('tool.cwl', TOOL)
        self.write('text', 'the input\n')
        self.write('other', 'the other\n')
        done = self.cwl('tool.cwl', '--word', 'x  y', '--text', 'text', '--other', 'other', env={'HOST_ONLY': 'leaked'})
        made = json.loads(done.out)
        out = self.text('out/out.txt')
        self.assertIn("greeting=a b x  y 'c'\ninside=orglabelsc\n", out)
        self.assertRegex(out, r'\nhome=(/[^ ]*) pwd=\1 tmp=/tmp\nhost=unset\ninterfaces=lo \nthe input\nthe other\n$')
        self.assertEqual(self.text('out/err.txt'), 'to stderr\n')
        self.assertEqual(self.text('out/made.txt'), 'result\n')
        self.assertEqual((self.text('text'), self.text('other')), ('the input\n', 'the other\n'))
        self.assertEqual(made['made']['size'], 7)
        # What it found out about the launcher: a version, and user namespaces.
        words = done.err.partition('$ singularity')[2].split()
        self.assertEqual([word for word in SAID if word not in words], [])

    def test_a_workflow_of_two_steps(self):
        self.here('cache/example.org_s_tools_s_debian:1.sif')
        self.write('sort.cwl', STEP % ('sort, -n', 'sorted.txt'))
        self.write('sum.cwl', STEP % ('md5sum', 'sum.txt'))
        self.write('two.cwl', WORKFLOW)
        self.write('data', '10\n9\n')
        self.cwl('two.cwl', '--data', 'data', env={'CWL_SINGULARITY_CACHE': self.work + '/cache'})
        self.assertEqual(self.text('out/sum.txt').split()[0], hashlib.md5(b'9\n10\n').hexdigest())

    def test_the_status_of_a_tool(self):
        image = self.here('image.sif')
        self.write('ok.cwl', FAILS % (image, '7'))
        self.write('bad.cwl', FAILS % (image, '0'))
        self.cwl('ok.cwl')
        done = self.call_client('cwltool', '--singularity', 'bad.cwl')
        self.assertEqual(done.status, 1, repr(done))
        self.assertIn('exited with status: 7', done.err)

    def test_a_directory_as_image(self):
        self.write('boxes/.keep')
        self.call('cp', '-r', os.path.join(self.images, 'sandbox'), 'boxes/tools')
        self.write('boxes/tools/.singularity.d/labels.json', '{"maker": "swtest"}\n')
        self.write('boxes/tools/.singularity.d/runscript', '#!/bin/sh\nexec "$@"\n', 0o755)
        self.write('tool.cwl', STEP.replace('example.org/tools/debian:1', 'tools') % ('md5sum', 'sum'))
        self.write('data', 'x')
        done = self.cwl('--singularity-sandbox-path', 'boxes', '--disable-pull', 'tool.cwl', '--data', 'data')
        self.assertIn('Using local Singularity sandbox image', done.err)
        self.assertTrue(self.text('out/sum').startswith('9dd4e461268c8034f5c8564e155c67a6  '), self.text('out/sum'))

    def test_upstream(self):
        for name in IMAGES:
            self.here('images/' + name)
        wanted = [f'cwltool.tests.{module}::{name}' for module, names in UPSTREAM.items() for name in names]
        done = self.call(self.venv + '/bin/python', '-B', '-m', 'pytest', '-p', 'no:cacheprovider', '-v', '--tb=short', '-rs',
                         '--basetemp', self.work + '/t', '--pyargs', *wanted, timeout=200, cwd=self.work + '/images',
                         env={'CWL_SINGULARITY_CACHE': self.work + '/images'})
        self.assertEqual(done.status, 0, done.out[-6000:] + done.err)
        self.assertIn(f' {len(wanted)} passed', done.out)


if __name__ == '__main__':
    client.main()
