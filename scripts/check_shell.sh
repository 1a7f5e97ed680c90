#!/usr/bin/env bash
# Runs the linter of shell scripts over all of them (status 77: it is not here).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
if ! command -v shellcheck >/dev/null; then
  echo "no shellcheck on this host"
  [ -n "${SWRUN_TESTS_MUST_RUN:-}" ] && exit 1
  exit 77
fi
shellcheck -x scripts/*.sh .ci/run
echo "the shell scripts are clean"
