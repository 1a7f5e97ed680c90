#!/usr/bin/env bash
# demo.sh: from a fresh clone to a program that runs inside an image, started by swrun as an ordinary user.
#   1. installs what is missing (apt or dnf; root or sudo)   2. builds a release
#   3. makes a small image out of this distribution's packages   4. runs programs in it and shows what came out
# Everything it makes lies below build/ and in one folder below /tmp, which it removes.  Started as root (not by sudo),
# it launches as the user swrun-demo, which it creates.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$REPO"

readonly DEMO_USER=swrun-demo
readonly IMAGE_DIR=$REPO/build/demo

# Whom the launches run as: the caller, the caller of sudo, or a user of our own.
pick_user() {
  if [ "$(id -u)" -ne 0 ]; then
    id -un
  elif [ -n "${SUDO_UID:-}" ] && [ "$SUDO_UID" -ne 0 ]; then
    id -un "$SUDO_UID"
  else
    id -u "$DEMO_USER" >/dev/null 2>&1 || useradd --create-home --shell /bin/bash "$DEMO_USER" >&2
    echo "$DEMO_USER"
  fi
}

make_image() {
  local packages=(python3-minimal bash dash coreutils)
  if [ "$(package_manager)" = dnf ]; then packages=(python3 bash coreutils); fi
  as_root scripts/make_tree.sh "$IMAGE_DIR/tree" extract "${packages[@]}"
  if [ "$IMAGE_DIR/demo.sqfs" -nt "$IMAGE_DIR/tree.made" ] && [ "$IMAGE_DIR/demo.sif" -nt "$IMAGE_DIR/demo.sqfs" ]; then return; fi
  say "making $IMAGE_DIR/demo.sif"
  as_root mksquashfs "$IMAGE_DIR/tree" "$IMAGE_DIR/demo.sqfs" -comp gzip -noappend -no-progress -quiet >/dev/null
  as_root chmod 0644 "$IMAGE_DIR/demo.sqfs"
  local arch
  case "$(uname -m)" in x86_64) arch=amd64 ;; aarch64) arch=arm64 ;; *) arch=$(uname -m) ;; esac
  python3 tests/support/make_sif.py --arch "$arch" --label demo=swrun "$IMAGE_DIR/demo.sqfs" "$IMAGE_DIR/demo.sif.new"
  mv "$IMAGE_DIR/demo.sif.new" "$IMAGE_DIR/demo.sif"
}

# Shows a command as one would type it, then runs it as the ordinary user with nothing of ours in the environment.
show() {
  local word line=""
  for word in "$@"; do
    case "$word" in *[!A-Za-z0-9_./=-]*) line+=" '$word'" ;; *) line+=" $word" ;; esac
  done
  printf '\n%s$%s\n' "$user" "$line"
  local home run=()
  home=$(getent passwd "$user" | cut -d: -f6)
  if [ "$(id -u)" -eq 0 ]; then run=(setpriv "--reuid=$(id -u "$user")" "--regid=$(id -g "$user")" --init-groups); fi
  (cd "$stage" && "${run[@]}" env -i HOME="$home" USER="$user" LOGNAME="$user" LANG=C.UTF-8 TERM="${TERM:-dumb}" \
    PATH="$stage/bin:/usr/local/bin:/usr/bin:/bin" "$@")
}

# Ended processes that nobody has reaped yet do not count.
count_left() {
  local dir count=0
  for dir in /proc/[0-9]*; do
    if [ "$(stat -c %u "$dir" 2>/dev/null)" = "$(id -u "$user")" ] && grep -qs '^Name:.*swrun' "$dir/status" &&
      ! grep -qs '^State:.*Z' "$dir/status"; then count=$((count + 1)); fi
  done
  echo "$count"
}

need_packages build demo
mkdir -p "$IMAGE_DIR"
options=()
if [ ! -f build/release/CMakeCache.txt ]; then options=(-DSWRUN_TESTS=OFF); fi
BUILD_TARGETS=$INSTALLED_TARGETS build release "${options[@]}"
make_image
make_fuse_usable
user=$(pick_user)

# A checkout often lies below a folder that only its owner may enter.
stage=$(mktemp -d /tmp/swrun-demo.XXXXXX)
trap 'rm -rf --one-file-system "$stage"' EXIT
chmod 0755 "$stage"
cmake --install build/release --prefix "$stage" >/dev/null
install -m 0644 "$IMAGE_DIR/demo.sif" "$stage/demo.sif"

say "swrun $("$stage/bin/swrun" --version | sed 's/.* //') on $(uname -sr), as $user (uid $(id -u "$user"))"
show swrun exec demo.sif python3 -c 'import os, sys; print("hello from Python", sys.version.split()[0], "inside", os.environ["SINGULARITY_NAME"], "as uid", os.getuid())'
# shellcheck disable=SC2016
show swrun exec demo.sif sh -c '. /etc/os-release; echo "the image is $PRETTY_NAME"; touch /etc/x 2>/dev/null || echo "its files are read-only"'
show bash -c 'printf "%s\n" 3 1 2 | swrun exec demo.sif sort | tr "\n" " "; echo "(a pipeline through the image)"'
show bash -c 'swrun exec demo.sif sh -c "exit 7"; echo "the status of the program: $?"'

printf '\nprocesses of swrun left behind: %s\n' "$(count_left)"
if [ "$user" = "$DEMO_USER" ]; then echo "(the user $DEMO_USER stays for the next time; userdel -r $DEMO_USER removes it)"; fi
echo "demo done: the image is build/demo/demo.sif, the program build/release/swrun"
