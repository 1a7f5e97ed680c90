# shells: bash
# lite: no
arr=(one "two words" three)
export ARR_COUNT=${#arr[@]} ARR_SECOND="${arr[1]}"
export arr
declare -A map; map[k]=v; export MAPK="${map[k]}"
s="a-b-c"; export REPL="${s//-/+}" UPPER="${s^^}" SUB="${s:2:1}"
if [[ "$s" == a-* && "$s" =~ ^a-(.)-c$ ]]; then export MATCHED="${BASH_REMATCH[1]}"; fi
addp() { case ":$PATH:" in *:"$1":*) ;; *) PATH="$1:$PATH" ;; esac; }
addp /opt/first; addp /opt/first
\export CONDA=ok
read -r FIRST REST <<< "alpha beta gamma"; export FIRST REST
export SPECIAL=$'tab\there\001'
hidden=1; export -n hidden
shopt -s extglob
case x in @(x|y)) export EXT=1 ;; esac
cd /
