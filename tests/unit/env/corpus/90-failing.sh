# lite: no
export BEFORE=1
false
/no/such/program 2>/dev/null
export AFTER=2
