#!/usr/bin/env bash
# Answers all questions anew (on Windows: python experiments/all.py). --smoke: tiny, into a temporary folder.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
python=.venv/bin/python
[ -x "$python" ] || python=python3
exec "$python" experiments/all.py "$@"
