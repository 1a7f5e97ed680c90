# lite: no
export BEFORE=1
if then
export AFTER=1
