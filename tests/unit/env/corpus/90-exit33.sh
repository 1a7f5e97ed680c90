# lite: yes
export BEFORE=1
echo leaving
exit 33
