#!/usr/bin/env python3
"""A field that is added to a type of the plan must not compile until its list has it: adds one to every type of a copy.

    new_field.py CHECKOUT COMPILER
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

COMPLAINT = 'a field of this struct is missing in its list'


def compile_lists(checkout, compiler, sources, types):
    """The compiler's output for a use of each type's list; empty when all is well."""
    lines = ['#include "plan/plan_fields.h"', 'namespace swrun {']
    lines += [f'void use(const {name}& it) {{ each_field(it, [](const auto&, const auto&) {{}}); }}' for name in types]
    program = os.path.join(sources, 'use.cpp')
    with open(program, 'w', encoding='utf-8') as out:
        out.write('\n'.join(lines + ['}  // namespace swrun', '']))
    done = subprocess.run([compiler, '-std=c++20', '-fsyntax-only', '-fmax-errors=0', '-I', sources, '-I',
                           os.path.join(checkout, 'src'), program],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True, timeout=300)
    return done.stdout if done.returncode else ''


def add_fields(folder, types):
    """Adds a field to each of the types; gives those that were found."""
    found = set()
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        with open(path, encoding='utf-8') as source:
            text = source.read()
        for one in types:
            end = re.compile(rf'(\nstruct {one} \{{\n.*?)(    friend bool operator==\(const {one}&)', re.S)
            text, count = end.subn(r'\1    int forgotten = 0;\n\2', text, 1)
            if count:
                found.add(one)
        with open(path, 'w', encoding='utf-8') as out:
            out.write(text)
    return found


def main():
    checkout, compiler = sys.argv[1:]
    with open(os.path.join(checkout, 'src/plan/plan_fields.h'), encoding='utf-8') as source:
        types = re.findall(r'struct FieldsOf<(\w+)>', source.read())
    with tempfile.TemporaryDirectory() as work:
        shutil.copytree(os.path.join(checkout, 'src/plan'), os.path.join(work, 'plan'))
        said = compile_lists(checkout, compiler, work, types)
        if said:
            sys.exit('the lists as they are do not compile:\n' + said[-4000:])
        found = add_fields(os.path.join(work, 'plan'), types)
        if found != set(types):
            sys.exit(f'not found in src/plan: {sorted(set(types) - found)}')
        said = compile_lists(checkout, compiler, work, types)
    named = set(re.findall(r'T = const (?:swrun::)?(\w+)', said))
    if said.count(COMPLAINT) != len(types) or named != set(types):
        sys.exit(f'{said.count(COMPLAINT)} complaints about {len(types)} types; none about {sorted(set(types) - named)}\n' +
                 said[-4000:])
    print(f'{len(types)} types, and a new field of each is missed')


if __name__ == '__main__':
    main()
