# shells: bash
# lite: yes
source @ROOT@/opt/nothing.sh
export AFTER=1
