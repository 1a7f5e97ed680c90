# lite: no
set -u
set -f
IFS=:
export() { echo trapped; }
printf() { echo trapped; }
unset -f export
export OPTIONS=1
