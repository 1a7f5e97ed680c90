#!/usr/bin/env bash
# install.sh [PREFIX]: builds a release and installs it below PREFIX (default /usr/local; root or sudo where needed).
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

prefix=${1:-/usr/local}
need_packages build
options=()
if [ ! -f "$REPO/build/release/CMakeCache.txt" ]; then options=(-DSWRUN_TESTS=OFF); fi
BUILD_TARGETS=$INSTALLED_TARGETS build release "${options[@]}"
if mkdir -p "$prefix" 2>/dev/null && [ -w "$prefix" ]; then
  cmake --install "$REPO/build/release" --prefix "$prefix" >/dev/null
else
  as_root cmake --install "$REPO/build/release" --prefix "$prefix" >/dev/null
fi
say "installed below $prefix"
"$prefix/bin/swrun" --version
echo "next: $prefix/bin/swrun doctor"
