"""The site wrapper: one image named by variables, as environment modules set them."""
import swtest
from swtest import env_of

NAMES = ('singularity_wrapper', 'apptainer_wrapper')


class Wrapper(swtest.Case):
    def call(self, *argv, name=NAMES[0], image=None, flags=None, old=False, **more):
        first, second = ('SING_IMAGE', 'SING_FLAGS') if old else ('CONTAINER_IMAGE', 'CONTAINER_FLAGS')
        return self.run_as_user(name, *argv, env={first: image, second: flags}, **more)

    def test_exec(self):
        for name in NAMES:
            for old in (False, True):
                done = self.call('exec', 'probe', '--exit', '6', name=name, image=self.image, old=old)
                self.assertEqual(done.status, 6, repr(done))

    def test_the_command_line_name(self):
        done = self.run_as_user('swrun', 'wrapper', 'exec', 'probe', '--exit', '6', env={'CONTAINER_IMAGE': self.image})
        self.assertEqual(done.status, 6, repr(done))

    def test_run(self):
        done = self.call('run', 'a b', image=self.image)
        self.assertEqual((done.status, done.out), (5, 'runscript: 1 args\n<a b>\n'), repr(done))

    def test_shell(self):
        done = self.call('shell', '/bin/bash', image=self.image, stdin='echo "$BASH" "$FROM_IMAGE"\n')
        self.assertEqual((done.status, done.out), (0, '/bin/bash yes\n'), repr(done))

    def test_flags_are_split_at_white_space(self):
        self.write('src/file', 'bound\n')
        done = self.call('exec', 'cat', '/data/file', image=self.image, flags=f'  -B {self.work}/src:/data   --cleanenv ')
        self.assertEqual((done.status, done.out), (0, 'bound\n'), repr(done))

    def test_container_beats_sing(self):
        done = self.run_as_user(NAMES[0], 'exec', 'probe',
                                env={'CONTAINER_IMAGE': self.image, 'SING_IMAGE': '/no/such', 'SING_FLAGS': '--no-such-flag',
                                     'CONTAINER_FLAGS': '--env A=right'})
        self.assertEqual(env_of(done.json())['A'], 'right')

    def test_arguments_are_passed_unchanged(self):
        done = self.call('exec', 'probe', 'a b', '', '$HOME', '--env', 'x', image=self.image)
        self.assertEqual(done.json()['argv'][1:], ['a b', '', '$HOME', '--env', 'x'])

    def test_nothing_set(self):
        for name in NAMES:
            done = self.call('exec', 'true', name=name)
            self.assertEqual(done.status, 1, repr(done))
            self.assertIn('Cannot find', done.out + done.err)
            self.assertIn('has not been set', done.out + done.err)
            self.assertIn('sage', done.out + done.err)

    def test_no_image_there(self):
        done = self.call('exec', 'true', image='/no/such/image.sif')
        self.assertEqual(done.status, 1, repr(done))
        self.assertIn('does not point to an image file', done.out + done.err)

    def test_no_command(self):
        for argv in ((), ('frobnicate',)):
            done = self.call(*argv, image=self.image)
            self.assertEqual(done.status, 1, repr(done))
            self.assertIn('sage', done.out + done.err)


if __name__ == '__main__':
    swtest.main()
