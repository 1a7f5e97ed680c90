#!/usr/bin/env bash
# test.sh: installs what the tests need, builds, runs everything through ctest.
#   test.sh              release: all tests; then asan: the unit and integration levels
#   test.sh PRESET...    only these presets
#   test.sh PRESET -- CTEST OPTIONS      e.g. test.sh release -- -R launch -V
# Started as root, all that launches runs as an ordinary user.  SWRUN_TESTS_MUST_RUN=1 (set where CI is) turns "cannot
# run here" into a failure.  The last lines are ctest's own summary, of the first preset that failed or of the last.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$REPO"

presets=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do
  presets+=("$1")
  shift
done
[ $# -eq 0 ] || shift
[ "${#presets[@]}" -gt 0 ] || presets=(release asan)
if [ -n "${CI:-}" ]; then export SWRUN_TESTS_MUST_RUN=${SWRUN_TESTS_MUST_RUN:-1}; fi

need_packages build test
make_fuse_usable
for preset in "${presets[@]}"; do
  build "$preset" -DSWRUN_TESTS=ON
  say "testing preset $preset"
  ctest --preset "$preset" -j "$(nproc)" "$@"
done
