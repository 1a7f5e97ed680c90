export A=1
if [ -d /opt ]; then
  export B="x y"
fi
