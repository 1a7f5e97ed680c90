"""Galaxy: its own code (galaxy-tool-util) writes the command line of a job's container, and a shell runs it.

A Galaxy server is not started: its sources come from no package registry.
"""
import os

import client

WRITE = r'''
import json, sys
from galaxy.tool_util.deps.container_classes import SingularityContainer
from galaxy.tool_util.deps.dependencies import AppInfo, JobInfo, ToolInfo
image, base, command, told = sys.argv[1:]
app = AppInfo(galaxy_root_dir=base + "/galaxy", default_file_path=base + "/files", tool_data_path=base + "/tool-data",
              outputs_to_working_directory=True)
own = base + "/jobs/1"
job = JobInfo(own + "/working", base + "/galaxy/tools/sort", own, own + "/tmp", own + "/home", "galaxy")
tool = ToolInfo(tool_id="sort", tool_version="1", profile=23.0)
print(SingularityContainer(image, app, tool, json.loads(told), job, None).containerize_command(command))
'''
COMMAND = 'bash ../tool_script.sh'
SCRIPT = '''set -eu
sort "$BASE/files/input.dat" > "$BASE/jobs/1/outputs/out.dat"
cat "$BASE/tool-data/genomes.loc" "$BASE/galaxy/tools/sort/sort.xml"
echo "slots=$GALAXY_SLOTS pwd=${PWD#"$BASE"} home=${HOME#"$BASE"} host=${HOST_ONLY-unset} pids=$(ls -d /proc/[0-9]* | wc -l)"
echo scratch > /tmp/scratch
for place in "$BASE/files" "$BASE/tool-data" "$BASE/galaxy/tools/sort"; do
  if (: > "$place/new") 2>/dev/null; then echo "$place is writable"; fi
done
ls "$BASE"
if [ -d /keys ]; then echo "keys: $(ls /keys)"; fi
exit 5
'''
FILES = {'files/input.dat': 'b\na\n', 'tool-data/genomes.loc': 'hg38\n', 'galaxy/tools/sort/sort.xml': '<tool/>\n',
         'jobs/1/working/.keep': '', 'jobs/1/outputs/.keep': '', 'jobs/1/tmp/.keep': '', 'jobs/1/home/.keep': '',
         'jobs/1/tool_script.sh': SCRIPT, 'secret/key': ''}


class Galaxy(client.Client):
    user_name, user_id = 'swgal', 7045
    requirements = 'galaxy'

    def setUp(self):
        super().setUp()
        self.base = self.elsewhere()
        for name, text in FILES.items():
            os.makedirs(os.path.dirname(f'{self.base}/{name}'), exist_ok=True)
            client.write(f'{self.base}/{name}', text)
        for folder, _, files in os.walk(self.base):
            for path in [folder] + [os.path.join(folder, name) for name in files]:
                self.user.give(path)

    def run_job(self, told='{}'):
        line = self.python(WRITE, self.debian, self.base, COMMAND, told).out
        self.assertRegex(line, 'singularity -s exec --contain --pwd [^ ]* (--cleanenv )?--ipc --pid --no-mount tmp -B ')
        return self.call('bash', '-c', line, cwd=self.base + '/jobs/1/working',
                         env={'GALAXY_SLOTS': '4', 'HOST_ONLY': 'leaked', 'SINGULARITYENV_BASE': self.base})

    def test_a_job(self):
        done = self.run_job('{"singularity_env_HOME": "%s/jobs/1/home"}' % self.base)
        self.assertEqual(done.status, 5, repr(done))
        lines = done.out.splitlines()
        self.assertEqual(lines[:2], ['hg38', '<tool/>'])
        self.assertRegex(lines[2], r'^slots=4 pwd=/jobs/1/working home=/jobs/1/home host=unset pids=\d$')
        self.assertEqual(lines[3:], ['files', 'galaxy', 'jobs', 'tool-data'])
        self.assertEqual(client.read(self.base + '/jobs/1/outputs/out.dat'), 'a\nb\n')
        self.assertEqual(client.read(self.base + '/jobs/1/tmp/scratch'), 'scratch\n')

    def test_what_a_destination_may_set(self):
        done = self.run_job('{"singularity_run_extra_arguments": "--env EXTRA=1", "singularity_cleanenv": "false",'
                            ' "singularity_volumes": "$defaults,%s/secret:/keys:ro"}' % self.base)
        self.assertEqual(done.status, 5, repr(done))
        self.assertIn(' host=leaked ', done.out)
        self.assertIn('keys: key\n', done.out)


if __name__ == '__main__':
    client.main()
