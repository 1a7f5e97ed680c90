# lite: yes
export A=1 B=2 C
unset A NEVER
unset -f nofunction
export CALLER_A
HOME=/changed
unset CALLER_B
export D=$A-$B-$C
