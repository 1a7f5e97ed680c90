# lite: no
set -u
set -f
IFS=:
umask() { echo trapped; }
printf() { echo trapped; }
export OPTIONS=1
