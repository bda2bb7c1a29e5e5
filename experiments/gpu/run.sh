#!/usr/bin/env bash
# All parts in at most eight minutes of one GPU: bash experiments/gpu/run.sh [--device cpu --size 0.01] [--parts steps digits]
# Python is that of $PYTHON, else of .venv, else python3; results go to $OUT, runs/gpu by default.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

PYTHON=${PYTHON:-.venv/bin/python}
[[ -x "$(command -v "$PYTHON")" ]] || PYTHON=python3
export PYTHONPATH=$PWD${PYTHONPATH:+:$PYTHONPATH}
exec "$PYTHON" experiments/gpu/run.py --out "${OUT:-runs/gpu}" "$@"
