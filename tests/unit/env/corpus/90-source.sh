#!/bin/sh
# lite: yes
. @ROOT@/opt/tool/env.sh
export AFTER=$?
if [ -r @ROOT@/opt/tool/env.sh ]; then . "@ROOT@/opt/current/env.sh"; fi
echo "said by the file"
umask 027
readonly FIXED=1
export FIXED
