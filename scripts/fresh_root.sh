#!/usr/bin/env bash
# fresh_root.sh [COMMAND...]: runs COMMAND (default: scripts/demo.sh) on a copy of this checkout in a clean root of this
# distribution, as a newcomer would on a fresh machine.  Root only.  Packages are fetched as the host is configured to.
# The root is made once and kept below build/cache; every call works in a layer of its own, which is thrown away.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

[ "$(id -u)" -eq 0 ] || die "must be root"
[ $# -gt 0 ] || set -- scripts/demo.sh
base=$REPO/build/cache/fresh-root
"$REPO/scripts/make_tree.sh" "$base" essential apt mount git ca-certificates

work=$(mktemp -d /tmp/swrun-fresh.XXXXXX)
trap 'rm -rf --one-file-system "$work"' EXIT
mkdir "$work/up" "$work/work" "$work/root" "$work/src"
(cd "$REPO" && git ls-files -z --cached --others --exclude-standard | tar -cf - --null --ignore-failed-read -T - 2>/dev/null) | tar -xf - -C "$work/src"

# A chroot may not make user namespaces, so the root is entered by pivot_root.
# shellcheck disable=SC2016
unshare -m --propagation private bash -euc '
  work=$1; shift
  mount -t overlay overlay -o "lowerdir=$1,upperdir=$work/up,workdir=$work/work" "$work/root"; shift
  cd "$work/root"
  mkdir -p src/swrun
  mount --bind "$work/src" src/swrun
  mount -t proc proc proc
  mount --rbind /sys sys
  mount --rbind /dev dev
  mount -t tmpfs -o mode=1777 tmp tmp
  cat /etc/resolv.conf >etc/resolv.conf
  cat /etc/hosts >etc/hosts
  # As the host fetches packages: with its certificates and the settings of pip.
  if [ -r /etc/ssl/certs/ca-certificates.crt ]; then cat /etc/ssl/certs/ca-certificates.crt >etc/ssl/certs/ca-certificates.crt; fi
  if [ -r /etc/pip.conf ]; then cat /etc/pip.conf >etc/pip.conf; fi
  pivot_root . .
  umount -l .
  cd /src/swrun
  exec env -i HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin TERM="${TERM:-dumb}" CI="${CI:-}" \
    SWRUN_TESTS_MUST_RUN="${SWRUN_TESTS_MUST_RUN:-}" "$@"
' enter "$work" "$base" "$@"
