"""spython, the Python client that other tools build on: version, execute, run, inspect, and instances.

The calls are those of upstream's tests (spython/tests/test_client.py and test_instances.py), whose images come from a
registry through `pull` and `build`; these two need network access and are no part of a launcher.
"""
import json
import os

import client
import swtest

BASICS = r'''
import json, sys
from subprocess import CalledProcessError
from spython.main import Client
from spython.utils import check_install, get_singularity_version
image, script = sys.argv[1:]
Client.quiet = True
said = {"installed": check_install(), "version": get_singularity_version(), "client": Client.version()}
said["execute"] = Client.execute(image, ["echo", "a  b"])
said["words"] = Client.execute(image, "ls /.singularity.d")
said["result"] = Client.execute(image, ["sh", "-c", "echo out; exit 6"], return_result=True)
said["options"] = Client.execute(image, ["sh", "-c", "echo $A; pwd; cat /bound"], options=["--env", "A=given", "--pwd", "/usr"],
                                 bind=[script + ":/bound"])
said["contain"] = Client.execute(image, ["sh", "-c", "echo $FROM_HOST"], contain=True, options=["--cleanenv"])
said["run"] = Client.run(image, args=["echo", "ran", "x y"])
said["stream"] = "".join(Client.execute(image, ["sh", script], stream=True))
said["both"] = "".join(Client.execute(image, ["sh", script], stream=True, stream_type="both"))
try:
    list(Client.execute(image, ["sh", script, "1"], stream=True))
except CalledProcessError as error:
    said["error"] = error.returncode
said["inspect"] = Client.inspect(image)["attributes"]
Client.load(image)
said["loaded"] = Client.execute(["echo", "loaded"])
print("SAID" + json.dumps(said))
'''

INSTANCES = r'''
import json, sys
from spython.main import Client
image = sys.argv[1]
Client.quiet = True
said = {"none": Client.instances()}
one = Client.instance(image, name="one")
said["uri"], said["count"] = one.get_uri(), len(Client.instances())
said["listed"] = Client.instances(return_json=True)[0]
said["execute"] = Client.execute(one, ["echo", "hello"])
said["result"] = Client.execute(one, "ls /", return_result=True)
said["stopped"] = one.stop()
said["left"] = Client.instances()
two, three = Client.instance(image, name="two"), Client.instance(image, name="three")
said["again"] = len(Client.instances())
said["both"] = [two.stop(), three.stop()]
said["last"] = Client.instances()
print("SAID" + json.dumps(said))
'''


class Spython(client.Client):
    user_name, user_id = 'swspy', 7044
    requirements = 'spython'

    def said(self, script, *argv, **more):
        return json.loads(self.python(script, *argv, **more).out.rpartition('SAID')[2])

    def test_client(self):
        script = self.write('script.sh', 'echo This is stdout\necho This is stderr >&2\nexit ${1-0}\n')
        said = self.said(BASICS, self.debian, script, env={'FROM_HOST': 'leaked'})
        self.assertIs(said['installed'], True)
        self.assertRegex(said['client'], r'^apptainer version \d+\.\d+\.\d+$')
        self.assertEqual(said['execute'], 'a  b\n')
        self.assertIn('runscript', said['words'].split())
        self.assertEqual(said['result'], {'message': 'out\n', 'return_code': 6})
        self.assertEqual(said['options'], f'given\n/usr\n{self.text("script.sh")}')
        self.assertEqual(said['contain'], '\n')
        self.assertEqual(said['run'], 'ran x y')
        self.assertEqual(said['stream'], 'This is stdout\n')
        self.assertEqual(sorted(said['both'].split('\n')), ['', 'This is stderr', 'This is stdout'])
        self.assertEqual(said['error'], 1)
        self.assertEqual(said['inspect']['deffile'], client.DEFINITION.rstrip())
        self.assertEqual(said['inspect']['labels'], json.loads(client.FROM_REGISTRY['.singularity.d/labels.json']))
        self.assertEqual(said['loaded'], 'loaded\n')

    def test_instances(self):
        if self.user.root:
            self.addCleanup(swtest.remove_tree, os.path.join(self.user.home, '.apptainer'))
        said = self.said(INSTANCES, self.debian)
        self.assertEqual((said['none'], said['uri'], said['count']), ([], 'instance://one', 1))
        self.assertEqual((said['listed']['instance'], said['listed']['img']), ('one', self.debian))
        self.assertGreater(said['listed']['pid'], 0)
        self.assertEqual((said['execute'], said['result']['return_code']), ('hello\n', 0))
        self.assertEqual((said['stopped'], said['left'], said['again']), (0, [], 2))
        self.assertEqual((said['both'], said['last']), ([0, 0], []))


if __name__ == '__main__':
    client.main()
