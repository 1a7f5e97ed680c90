#!/usr/bin/env python3
"""Takes the C library's questions about caches out of the start of a static program.

    lean_start.py PROGRAM

To tune memcpy, glibc's start asks an Intel processor for the size, line and ways of each cache (handle_intel() of
sysdeps/x86/dl-cacheinfo.h): 45 of the 68 CPUID instructions before main().  Each one traps to the hypervisor of a virtual machine,
which there is a fifth of the whole launch of a small program.  Nothing that is set at run time comes before them, so the
function is replaced in the linked file by one that knows three usual answers and says "unknown" (0) to the rest.  The
answers only choose between ways to copy, all of which are right.

A program that is not built as expected is left as it is, with one line that says so: it starts as any other does.
"""
import struct
import sys

# bits/confname.h
FIRST, LAST = 185, 199                             # _SC_LEVEL1_ICACHE_SIZE, _SC_LEVEL4_CACHE_LINESIZE
ANSWERS = {188: 48 << 10, 191: 1 << 20, 194: 32 << 20}  # _SC_LEVEL{1_D,2_,3_}CACHE_SIZE
FUNCTION = b'handle_intel'
ENOUGH_CALLS = 8  # of twelve: the compiler may set the first argument of some far ahead


class Unexpected(Exception):
    pass


class Program:
    """An ELF file of this kind of machine (elf(5)): sections for the symbols, segments for where they lie."""

    def __init__(self, data):
        self.data = data
        if data[:6] != b'\x7fELF\x02\x01' or struct.unpack_from('<H', data, 18)[0] != 62:
            raise Unexpected('not a program of x86-64')
        segments, sections = struct.unpack_from('<QQ', data, 32)
        size, count, section_size, section_count = struct.unpack_from('<HHHH', data, 54)
        self.segments = [struct.unpack_from('<IIQQQQQQ', data, segments + i * size) for i in range(count)]
        self.sections = [struct.unpack_from('<IIQQQQIIQQ', data, sections + i * section_size) for i in range(section_count)]

    def function(self, name):
        """Address and size of the only one called so, whatever the compiler has hung on its name."""
        found = []
        for section in self.sections:
            if section[1] != 2:  # SHT_SYMTAB
                continue
            names = self.sections[section[6]][4]
            for at in range(section[4], section[4] + section[5], 24):
                text, info, _, _, address, size = struct.unpack_from('<IBBHQQ', self.data, at)
                start = names + text
                if info & 15 == 2 and self.data[start:self.data.index(b'\0', start)].split(b'.')[0] == name:  # STT_FUNC
                    found.append((address, size))
        if len(found) != 1:
            raise Unexpected(f'{len(found)} functions {name.decode()}')
        return found[0]

    def code(self):
        """(address, offset in the file, size) of what may be run."""
        return [(address, offset, size) for kind, flags, offset, address, _, size, _, _ in self.segments if kind == 1 and flags & 1]

    def offset(self, address):
        for start, offset, size in self.code():
            if start <= address < start + size:
                return offset + address - start
        raise Unexpected('a function outside all code')


def calls_with(program, target):
    """The constants that callers put into the first argument (mov edi, imm32) shortly before they call."""
    seen = []
    for start, offset, size in program.code():
        at = program.data.find(b'\xe8', offset, offset + size - 4)
        while at >= 0:
            if start + at - offset + 5 + struct.unpack_from('<i', program.data, at + 1)[0] == target:
                before = program.data.rfind(b'\xbf', max(offset, at - 24), at - 4)
                if before >= 0:
                    seen.append(struct.unpack_from('<I', program.data, before + 1)[0])
            at = program.data.find(b'\xe8', at + 1, offset + size - 4)
    return seen


def replacement():
    code = b'\x31\xc0'  # xor eax, eax
    for name, answer in ANSWERS.items():
        # cmp edi, name; jne over the next two; mov eax, answer; ret
        code += b'\x81\xff' + struct.pack('<I', name) + b'\x75\x06\xb8' + struct.pack('<I', answer) + b'\xc3'
    return code + b'\xc3'


def change(data):
    program = Program(data)
    address, size = program.function(FUNCTION)
    names = calls_with(program, address)
    if sum(FIRST <= name <= LAST for name in names) < ENOUGH_CALLS:
        raise Unexpected('it is called in another way')
    code = replacement()
    if len(code) > size:
        raise Unexpected('it is too short')
    at = program.offset(address)
    data[at:at + len(code)] = code


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with open(sys.argv[1], 'r+b') as file:
        data = bytearray(file.read())
        before = bytes(data)
        try:
            change(data)
        except (Unexpected, struct.error, ValueError, IndexError) as why:
            print(f'{sys.argv[1]}: starts as the C library has it: {why}')
            return
        if data != before:
            file.seek(0)
            file.write(data)


main()
