# lite: no
set -e
export BEFORE=1
false
export AFTER=1
