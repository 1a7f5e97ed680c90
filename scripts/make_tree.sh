#!/usr/bin/env bash
# make_tree.sh OUT VARIANT PACKAGE...: a root tree made of this distribution's own packages, for images and clean roots.
#   VARIANT  extract    the packages and what they depend on, unpacked and not configured: seconds
#            essential  a configured system of the essential packages and the given ones
#            apt        the same with apt, good for installing a .deb
# Packages come from the sources that this host is configured for.  A tree that was made with the same arguments is
# kept.  Root, because the files of a distribution have owners.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

[ $# -ge 3 ] || die "usage: make_tree.sh OUT VARIANT PACKAGE..."
out=$1 variant=$2
shift 2
[ "$(id -u)" -eq 0 ] || exec sudo "$0" "$out" "$variant" "$@"

stamp="2 $variant $*"
if [ -f "$out.made" ] && [ "$(cat "$out.made")" = "$stamp" ] && [ -d "$out" ]; then
  exit 0
fi
case "$out" in /*/?*) ;; *) die "OUT must be an absolute path: $out" ;; esac
rm -rf --one-file-system "$out" "$out.made"
mkdir -p "$(dirname "$out")"

with_apt() {
  local suite sources=() file
  # shellcheck disable=SC1091
  suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
  # Only the distribution's own: an entry of a third party would need its keys and adds nothing.
  # mmdebstrap, which made some hosts, puts a number before the name.
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/*{debian,ubuntu}.{list,sources}; do
    if [ -s "$file" ] && grep -qE "(^|[[:space:]])$suite([[:space:]]|\$)" "$file"; then sources+=("$file"); fi
  done
  [ "${#sources[@]}" -gt 0 ] || die "no apt source of $suite on this host"
  # Proxies and the like; paths, hooks and pinning of the host stay out.
  apt-config dump | grep -E '^Acquire::(Check|http|https|Force|Retries)' >"$out.apt.conf" || true
  mmdebstrap --quiet --variant="$variant" --include="$(IFS=,; echo "$*")" --aptopt="$out.apt.conf" \
    "$suite" "$out" "${sources[@]}"
  rm -f "$out.apt.conf"
}

with_dnf() {
  local release
  # shellcheck disable=SC1091
  release=$(. /etc/os-release && echo "$VERSION_ID")
  dnf -q -y --installroot="$out" --releasever="$release" --setopt=install_weak_deps=False --setopt=tsflags=nodocs install "$@"
  rm -rf "$out/var/cache/dnf"
}

case "$(package_manager)" in
  apt) have mmdebstrap || die "mmdebstrap is not installed"; with_apt "$@" ;;
  dnf) with_dnf "$@" ;;
  *) die "neither apt nor dnf here" ;;
esac
if [ "$variant" = extract ]; then
  # What configuring would have made, and what launchers bind over or add to.
  [ -e "$out/etc/passwd" ] || echo 'root:x:0:0:root:/root:/bin/sh' >"$out/etc/passwd"
  [ -e "$out/etc/group" ] || echo 'root:x:0:' >"$out/etc/group"
  touch "$out/etc/hosts" "$out/etc/resolv.conf"
  # Without the loader's cache every start would try a dozen directories, as in no real image.
  if have ldconfig; then ldconfig -r "$out" || true; fi
fi
echo "$stamp" >"$out.made"
