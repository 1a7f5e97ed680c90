#!/bin/sh
# lite: yes
if [ -z "${LD_LIBRARY_PATH:-}" ]; then
    LD_LIBRARY_PATH="/opt/lib"
else
    LD_LIBRARY_PATH="/opt/lib:$LD_LIBRARY_PATH"
fi
export LD_LIBRARY_PATH
if test -d "@ROOT@/opt/tool" && [ ! -e @ROOT@/opt/nothing ]; then TOOL=@ROOT@/opt/tool
elif [ -f "@ROOT@/opt/nothing" -o -n "$HOME" ]
then TOOL=other; else TOOL=none
fi
export TOOL
[ -L @ROOT@/opt/current ] && [ -d @ROOT@/opt/current/ ] && export LINK=yes || export LINK=no
[ -f @ROOT@/opt/broken ] || export BROKEN=yes
if [ "$FOO" = x ] || ! [ "${BAR-none}" != none ]; then :; fi && export LOGIC=$?
[ 3 -gt 2 -a 2 -le 2 ] && [ ! 1 -eq 2 ] && export NUMBERS=ok
[ "x$UNSET" = x ] && export SAFE=1
false || true && export CHAIN=1
! false && export NOT=1
{ export GROUPED=1; }
export STATUS=$?
false
STATUS2=$?
export STATUS2
