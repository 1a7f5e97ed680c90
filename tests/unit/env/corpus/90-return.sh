# lite: yes
export BEFORE=1
if [ -n "$BEFORE" ]; then return 3; fi
export AFTER=1
