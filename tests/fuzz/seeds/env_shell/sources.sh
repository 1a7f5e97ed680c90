. /opt/current/env.sh
X=`echo \`echo a\``
${A:?no}
set -u -- a b
X=$'\u00e4\x41'
. /opt/loop.sh
