#!/bin/sh
# lite: yes
case ":${PATH}:" in
    *:"/opt/new/bin":*) ;;
    *) PATH="/opt/new/bin:$PATH" ;;
esac
case ":${PATH}:" in *:/opt/new/bin:*) SECOND=there;; *) SECOND=missing;; esac
case "$HOME" in (/root|/home/*) KIND=home ;; [a-z]*) KIND=relative ;; "") KIND=none ;; *) KIND=other
esac
export PATH SECOND KIND
for d in lib lib64 "with space"; do
    LIST="${LIST:+$LIST:}/opt/$d"
done
for word in $UNSET_LIST; do BAD=1; done
L='x y  z'
for word in $L; do if [ "$word" = z ]; then break; fi; WORDS=$WORDS$word,; done
for arg
do ARGS="$ARGS<$arg>"
done
export LIST WORDS ARGS BAD
