#!/bin/sh
# lite: yes
# Custom environment shell code should follow

    export FOO=image
    export IMGVAR="from image"
    export PATH=$PATH:/opt/tools/bin
    export FROMHOST=${FROMHOST:-imagedefault}
    export EMPTYVAR=
    export SAW_USER="user=${USER:-unset}"
    export QUOTED='single $HOME "double"'
    NOTEXPORTED=1; CALLER_B=unexported
    CALLER_C=later
    export CALLER_C
    A=1 B=2
    C=${A}-suffix; export C
    export LONG="one \
two" \
      NEXT=x
