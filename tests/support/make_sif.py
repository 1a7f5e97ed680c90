#!/usr/bin/env python3
"""Wraps a squashfs file into a SIF image, for tests and the demo.

    make_sif.py [options] ROOT.sqfs OUT.sif

Writes what builders write: a header, a table of descriptors, the definition file, the metadata summary
that `inspect` reads, and the primary partition.  Needs nothing but Python.
"""
import argparse
import json
import struct
import sys
import uuid

ARCHES = ["unknown", "386", "amd64", "arm", "arm64", "ppc64", "ppc64le", "mips", "mipsle", "mips64", "mips64le",
          "s390x", "riscv64", "loong64"]
FILE_SYSTEMS = {"squashfs": 1, "ext3": 2, "archive": 3, "raw": 4, "encrypted": 5, "gocryptfs": 6}
PARTITIONS = {"system": 1, "primary": 2, "data": 3, "overlay": 4}
TYPES = {"deffile": 0x4001, "env": 0x4002, "labels": 0x4003, "partition": 0x4004, "json": 0x4006,
         "generic": 0x4007}
TABLE_OFFSET = 4096
DESCRIPTOR = 585
GROUP = 0xF0000001


def arch_code(name):
    return b"%02d\0" % ARCHES.index(name)


def descriptor(number, kind, name, offset, data, padding, when, extra=b""):
    fixed = struct.pack("<iBIIIqqqqqqq", kind, 1, number, GROUP, 0, offset, len(data), len(data) + padding, when,
                        when, 0, 0)
    return fixed + name.encode()[:128].ljust(128, b"\0") + extra.ljust(384, b"\0")


def metadata_of(options, deffile):
    if options.metadata:
        with open(options.metadata, "rb") as file:
            return file.read()
    attributes = {}
    if options.label:
        attributes["labels"] = dict(item.split("=", 1) for item in options.label)
    if deffile:
        attributes["deffile"] = deffile.decode()
    if not attributes:
        return b""
    return json.dumps({"data": {"attributes": attributes}, "type": "container"}).encode()


def build(options):
    with open(options.root, "rb") as file:
        root = file.read()
    deffile = b""
    if options.deffile:
        with open(options.deffile, "rb") as file:
            deffile = file.read()
    objects = []
    if deffile:
        objects.append((TYPES["deffile"], "", deffile, 1, b""))
    summary = metadata_of(options, deffile)
    if summary:
        objects.append((TYPES["json"], "inspect-metadata.json", summary, 1, b""))
    for item in options.object:
        kind, name, path = item.split(":", 2)
        with open(path, "rb") as file:
            objects.append((TYPES[kind], name, file.read(), 1, b""))
    extra = struct.pack("<ii", FILE_SYSTEMS[options.fs], PARTITIONS[options.part]) + arch_code(options.arch)
    objects.append((TYPES["partition"], options.name, root, options.align, extra))
    if options.overlay:
        with open(options.overlay, "rb") as file:
            extra = struct.pack("<ii", FILE_SYSTEMS["ext3"], PARTITIONS["overlay"]) + arch_code(options.arch)
            objects.append((TYPES["partition"], "", file.read(), options.align, extra))

    table = b""
    body = b""
    start = TABLE_OFFSET + DESCRIPTOR * options.descriptors
    for number, (kind, name, data, align, more) in enumerate(objects, 1):
        at = start + len(body)
        padding = -at % align
        table += descriptor(number, kind, name, at + padding, data, padding, options.time, more)
        body += b"\0" * padding + data
    header = struct.pack("<32s10s3s3s16sqqqqqqqq", options.launch.encode(), b"SIF_MAGIC", b"01",
                         arch_code(options.arch), uuid.UUID(options.uuid).bytes, options.time, options.time,
                         options.descriptors - len(objects), options.descriptors, TABLE_OFFSET,
                         DESCRIPTOR * options.descriptors, start, len(body))
    return header.ljust(TABLE_OFFSET, b"\0") + table.ljust(DESCRIPTOR * options.descriptors, b"\0") + body


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", help="squashfs file with the root file system")
    parser.add_argument("out", help="SIF file to write")
    parser.add_argument("--arch", default="amd64", choices=ARCHES)
    parser.add_argument("--launch", default="#!/usr/bin/env run-singularity\n", help="first line of the file")
    parser.add_argument("--deffile", help="definition file to embed")
    parser.add_argument("--metadata", help="file with the JSON summary, instead of one made of the labels")
    parser.add_argument("--label", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--object", action="append", default=[], metavar="TYPE:NAME:FILE",
                        help="a further object; TYPE is one of " + ", ".join(TYPES))
    parser.add_argument("--name", default="", help="name of the partition")
    parser.add_argument("--fs", default="squashfs", choices=FILE_SYSTEMS)
    parser.add_argument("--part", default="primary", choices=PARTITIONS)
    parser.add_argument("--overlay", metavar="EXT3", help="file to embed as overlay partition")
    parser.add_argument("--align", type=int, default=4096, help="of the partition")
    parser.add_argument("--descriptors", type=int, default=48)
    parser.add_argument("--time", type=int, default=1700000000)
    parser.add_argument("--uuid", default="00000000-0000-4000-8000-000000000001")
    options = parser.parse_args()
    image = build(options)
    with open(options.out, "wb") as file:
        file.write(image)
    return 0


if __name__ == "__main__":
    sys.exit(main())
