# lite: yes
export Q1="it's \"q\" \$x \`y\` \\ end" Q2='a
b	tab' Q3=' lead and trail ' Q4='!@#%^&*()=+[]{}|;:,<>?' Q5='~' Q6="üñî" Q7="\\n" Q8='$(id)'
export Q9="
swrun-eof
declare -x FAKE=\"1\"
"
