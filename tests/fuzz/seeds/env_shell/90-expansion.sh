#!/bin/sh
# lite: yes
P=/a/b/c.tar.gz
export DIR=${P%/*} BASE=${P##*/} STEM=${P%%.*} REST="${P#*/}"
export EXT="${P##*.}" NOCHANGE=${P%.zip} CLASS="${P%[xyz]}"
Q='a*b*c'
export LITERAL="${Q%"*c"}" STAR=${Q%%\**} LEN=${#P} DEF=${NO-def} ALT=${P:+alt}${NO:+never}
: ${ASSIGNED:=first} ${ASSIGNED:=second}
export ASSIGNED
export NESTED="${NO:-${ALSO_NO:-"deep $P"}}" BRACE="${NO:-a\}b}"
export EMPTYSET=${EMPTY_ONE+set} COLON=${EMPTY_ONE:+set}
EMPTY_ONE=
export EMPTYSET2=${EMPTY_ONE+set} COLON2=${EMPTY_ONE:+set}
Y="a b  *"
export UNSPLIT=$Y
PYTHONPATH=/opt/py${PYTHONPATH:+:$PYTHONPATH}
export PYTHONPATH
export MIXED=a'b c'"d $P"e\ f\$g SUBST="$(echo one; echo "two  three")" BACK=`printf '%s-' x "y z"`
export ARGS="$#:$1:$2" ALL="$*"
