#!/usr/bin/env python3
"""swrun-bench: swrun and its peers on the same content, interleaved in one run.  bench/ beside this file has all of it;
`bench.py --help` says how to use it."""
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
# The package is found before this file, which has the same name: Python looks for folders first.
from bench.cli import main  # noqa: E402

if __name__ == '__main__':
    sys.exit(main())
