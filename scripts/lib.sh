# shellcheck shell=bash
# Shared by the scripts of this folder; sourced, never run.  Expects `set -euo pipefail`.
# Package names of both families stand here once; a script asks for a group of them.

REPO=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
readonly REPO

# What is installed, without the tests.
# shellcheck disable=SC2034
INSTALLED_TARGETS="swrun swrun-tools swrun_papers"

say() { printf '\n== %s\n' "$*"; }
die() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

# as_root COMMAND...: directly when root, else through sudo.
as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif have sudo; then
    sudo "$@"
  else
    die "needs root or sudo for: $*"
  fi
}

# apt, dnf or none.
package_manager() {
  if have apt-get && have dpkg-query; then
    echo apt
  elif have dnf && have rpm; then
    echo dnf
  else
    echo none
  fi
}

# packages GROUP: names of this host's family, one a line.
#   build  everything that `cmake --preset release` asks for     demo  makes and squashes an image
#   test   everything that ctest uses
packages() {
  case "$(package_manager):$1" in
    apt:build)
      printf '%s\n' cmake ninja-build g++ pkg-config libcli11-dev libtomlplusplus-dev nlohmann-json3-dev \
        libfuse3-dev libdeflate-dev libzstd-dev liblz4-dev liblzma-dev libcap-dev libxxhash-dev \
        libgtest-dev libgmock-dev
      ;;
    apt:demo) printf '%s\n' mmdebstrap squashfs-tools python3 util-linux bash-static passwd ;;
    apt:test)
      printf '%s\n' mmdebstrap squashfs-tools python3 util-linux bash-static busybox-static passwd strace fuse2fs fuse-overlayfs uidmap \
        clang-format clang-tidy shellcheck ccache dpkg-dev e2fsprogs file rpm bubblewrap charliecloud-runtime mandoc \
        lmod procps python3-dev python3-venv libsquashfuse-dev squashfuse zlib1g-dev liblzo2-dev libopenmpi-dev libmpich-dev slurmctld slurmd slurm-client munge
      ;;
    dnf:build)
      # Part of it comes from EPEL; only the compiler of RHEL 8 is too old for C++20, hence the toolset.
      printf '%s\n' cmake ninja-build gcc-c++ pkgconf-pkg-config cli11-devel tomlplusplus-devel json-devel \
        fuse3-devel libdeflate-devel libzstd-devel lz4-devel xz-devel libcap-devel \
        xxhash-devel gtest-devel gmock-devel
      case "$(sed -n 's/^VERSION_ID="\?\([0-9]*\).*/\1/p' /etc/os-release)" in 8) echo gcc-toolset-12-gcc-c++ ;; esac
      ;;
    dnf:demo) printf '%s\n' squashfs-tools python3 util-linux shadow-utils ;;
    dnf:test) printf '%s\n' squashfuse squashfuse-devel zlib-devel lzo-devel squashfs-tools python3 strace util-linux shadow-utils e2fsprogs fuse2fs fuse-overlayfs clang-tools-extra ShellCheck ccache rpm-build bubblewrap ;;
    *) ;;
  esac
}

missing_packages() {
  local name
  for name in "$@"; do
    case "$(package_manager)" in
      apt) [ "$(dpkg-query -W -f '${db:Status-Abbrev}' "$name" 2>/dev/null)" = "ii " ] || echo "$name" ;;
      dnf) rpm -q --whatprovides "$name" >/dev/null 2>&1 || echo "$name" ;;
      *) ;;
    esac
  done
}

# need_packages GROUP...: installs what is missing; a second call costs a query.
need_packages() {
  local wanted missing group
  wanted=()
  for group in "$@"; do
    mapfile -t -O "${#wanted[@]}" wanted < <(packages "$group")
  done
  [ "${#wanted[@]}" -gt 0 ] || { echo "no apt or dnf here: install the needs by hand (README.md)"; return 0; }
  mapfile -t missing < <(missing_packages "${wanted[@]}" | sort -u)
  [ "${#missing[@]}" -gt 0 ] || return 0
  say "installing ${missing[*]}"
  case "$(package_manager)" in
    apt)
      # A fresh system has no lists; an old list may name versions that are gone, so it is refreshed for a second try.
      if ! compgen -G '/var/lib/apt/lists/*_Packages*' >/dev/null; then as_root apt-get -qq update; fi
      without_services apt_install "${missing[@]}" ||
        { as_root apt-get -qq update && without_services apt_install "${missing[@]}"; }
      ;;
    dnf)
      if ! rpm -q epel-release >/dev/null 2>&1; then
        as_root dnf -q -y install epel-release || echo "no EPEL here: some needs may be missing"
        as_root dnf -q config-manager --set-enabled crb || as_root dnf -q config-manager --set-enabled powertools || true
      fi
      as_root dnf -q -y install "${missing[@]}"
      ;;
    *) ;;
  esac
}

# No service starts on account of a test's needs (invoke-rc.d(8)); what a host says about that itself stands.
without_services() {
  local policy=/usr/sbin/policy-rc.d status=0
  if [ -e "$policy" ]; then
    "$@"
    return
  fi
  printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
  as_root chmod 755 "$policy"
  "$@" || status=$?
  as_root rm -f "$policy"
  return "$status"
}

apt_install() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dpkg::Use-Pty=0 install --no-install-recommends "$@" >"${TMPDIR:-/tmp}/swrun-apt.$$" 2>&1 || {
    tail -n 5 "${TMPDIR:-/tmp}/swrun-apt.$$"
    rm -f "${TMPDIR:-/tmp}/swrun-apt.$$"
    return 1
  }
  rm -f "${TMPDIR:-/tmp}/swrun-apt.$$"
}

# A host without udev may have no FUSE device, or one that only root may open.
make_fuse_usable() {
  [ "$(id -u)" -eq 0 ] || return 0
  [ -e /dev/fuse ] || mknod -m 0666 /dev/fuse c 10 229 2>/dev/null || { echo "no /dev/fuse, and it cannot be made here"; return 0; }
  [ "$(stat -c %a /dev/fuse)" = 666 ] || chmod 0666 /dev/fuse || echo "/dev/fuse is for root only and stays so"
}

# build PRESET [CMAKE OPTIONS...]: configures, then builds; with BUILD_TARGETS (a list) only these.
build() {
  local preset=$1
  shift
  if [ "$(package_manager)" = dnf ] && [ -r /opt/rh/gcc-toolset-12/enable ]; then
    # shellcheck disable=SC1091
    set +u && . /opt/rh/gcc-toolset-12/enable && set -u
  fi
  # The static archives that the default wants are not packaged there.
  [ "$(package_manager)" != dnf ] || set -- -DSWRUN_STATIC=OFF "$@"
  if have ccache; then
    # Relative to the checkout, so that one checkout finds what another has compiled (ccache(1)).
    export CMAKE_C_COMPILER_LAUNCHER=ccache CMAKE_CXX_COMPILER_LAUNCHER=ccache CCACHE_BASEDIR=$REPO CCACHE_NOHASHDIR=1
  fi
  say "building preset $preset"
  local log
  log=$(mktemp)
  if ! (cd "$REPO" && cmake --preset "$preset" "$@" >"$log" 2>&1); then
    cat "$log"
    rm -f "$log"
    die "cmake --preset $preset failed"
  fi
  rm -f "$log"
  local targets=()
  if [ -n "${BUILD_TARGETS:-}" ]; then read -r -a targets <<<"--target $BUILD_TARGETS"; fi
  (cd "$REPO" && cmake --build --preset "$preset" -j "$(nproc)" "${targets[@]}")
}
