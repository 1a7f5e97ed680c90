#!/bin/sh
# lite: yes
export PATH="/usr/local/nvidia/bin:/usr/local/cuda/bin:/usr/local/sbin:/usr/bin"
export PLAIN="${PLAIN:-"plain"}"
export SPACED="${SPACED:-"a b  c"}"
export DOLLAR="${DOLLAR:-"cost \$5 \${HOME} \`id\`"}"
export QUOTE="${QUOTE:-"it's \"q\" \\ end"}"
export EMPTY="${EMPTY:-""}"
export HOME="${HOME:-"/oci-home"}"
export GLOB="${GLOB:-"*.txt [a-z] ?"}"
export JAVA_OPTS="${JAVA_OPTS:-"-Xmx2g -Dx=y"}"
export UTF8="${UTF8:-"käyttäjä"}"
export MULTI="${MULTI:-"line 1
line 2"}"
