#!/usr/bin/env bash
# format.sh: formats the C++ of this checkout in place.   format.sh --check: only says what would change.
# Results differ between versions of clang-format, so only the one that Debian 12 has is asked (status 77: not here).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly wanted=14
tool=""
for candidate in "clang-format-$wanted" clang-format; do
  if command -v "$candidate" >/dev/null && "$candidate" --version | grep -q "version $wanted\\."; then
    tool=$candidate
    break
  fi
done
if [ -z "$tool" ]; then
  echo "format: no clang-format $wanted on this host"
  [ -n "${SWRUN_TESTS_MUST_RUN:-}" ] && exit 1
  exit 77
fi

mapfile -t files < <(find src tests \( -name '*.h' -o -name '*.cpp' -o -name '*.c' \) -type f | sort)
if [ "${1:-}" = --check ]; then
  "$tool" --dry-run --Werror "${files[@]}" || { echo "format: run scripts/format.sh"; exit 1; }
  echo "format: ${#files[@]} files are as they should be"
else
  "$tool" -i "${files[@]}"
fi
