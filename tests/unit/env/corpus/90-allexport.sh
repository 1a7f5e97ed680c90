# lite: no
set -a
ALLEXPORTED="x y"
