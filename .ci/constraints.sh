#!/usr/bin/env bash
# Write the tested versions of everything installed, without any address.
set -euo pipefail
cd "$(dirname "$0")/.."
{
  echo "# Versions the test suite was last run with, on CPython 3.13. Use: pip install -c .ci/constraints.txt ."
  uv pip freeze --exclude-editable
} > .ci/constraints.txt
