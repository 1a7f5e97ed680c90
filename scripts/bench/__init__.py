"""swrun-bench: swrun and its peers on the same content, interleaved in one run.

    cli        the order in which everything happens;  options: the command line
    machine    what this machine is, and whether it is quiet
    images     the content: SIF, squashfs and tree of the same files
    peers      who can be measured here, and what would bring the others;  views: mounts of the image, for reads
    worker     the process that launches and times, as an ordinary user
    suites     what is measured
    counts     FUSE requests, blocks, syscalls: what noise cannot touch
    stats      medians, spread, ratios of interleaved pairs
    targets    the headline: what swrun promises, and whether it keeps it
    report     JSON, Markdown, comparison with an older run;  plots: pictures

Python 3.8, standard library; matplotlib for plots where it is there.
"""
SCHEMA = 1
