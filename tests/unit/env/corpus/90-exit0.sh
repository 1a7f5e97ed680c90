# lite: yes
export BEFORE=1
umask 077
exit 0
export AFTER=1
