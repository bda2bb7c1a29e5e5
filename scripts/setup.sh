#!/usr/bin/env bash
# Make .venv with everything that `make demo` and `make test` need; a second call returns at once.
set -euo pipefail
cd "$(dirname "$0")/.."

VENV=${VENV:-.venv}
EXTRAS=${EXTRAS:-steerable,molecules,volumes,sim,scale,dev,export,tensorboard,hf,lightning,e3nn,graphs}
TORCH=$(grep '^torch==' constraints.txt)
STAMP=$VENV/.ready-${EXTRAS//,/-}
LOG=$VENV/setup.log

say() { printf '== %s\n' "$*"; }
fail() { printf 'setup: %s\n' "$*" >&2; exit 1; }
fingerprint() { cat pyproject.toml constraints.txt scripts/setup.sh <(pwd) | sha256sum | cut -c1-64; }

# The first Python that runs and is 3.11 or 3.12 (escnn stops at 3.12).
find_python() {
  local candidate
  for candidate in ${PYTHON:-} python3.11 python3.12 python3; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info[:2] not in {(3, 11), (3, 12)})' 2>/dev/null; then
      "$candidate" -c 'import sys; print(sys.executable)'
      return
    fi
  done
  fail "found no Python 3.11 or 3.12; install one (apt-get install python3 python3-venv) or set PYTHON=/path/to/python3.11"
}

# Debian packages that building the wheels of escnn's dependencies needs and this machine lacks.
missing_packages() {
  local version
  version=$("$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
  "$1" -c 'import ensurepip, venv' 2>/dev/null || echo "python$version-venv"
  "$VENV/bin/python" -c 'import escnn' 2>/dev/null && return
  command -v gfortran >/dev/null || echo gfortran
  command -v gcc >/dev/null || echo gcc
  "$1" -c 'import os, sys, sysconfig; sys.exit(not os.path.exists(sysconfig.get_path("include") + "/Python.h"))' \
    || echo "python$version-dev"
}

install_packages() {
  [ $# -gt 0 ] || return 0
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    fail "this machine lacks $*; install it first (sudo apt-get install $*) and run the same command again"
  fi
  say "apt-get install $*"
  { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@"; } \
    >apt.log 2>&1 </dev/null || { tail -n 5 apt.log >&2; fail "apt-get could not install $*; install it by hand and run the same command again"; }
  rm -f apt.log
}

# pip, with one line for each package that it takes; everything else goes to the log.
pip_install() {
  "$VENV/bin/python" -m pip install --disable-pip-version-check "$@" 2>&1 </dev/null | tee -a "$LOG" \
    | sed -un 's/^  *Building wheel for \([^ ]*\).*started.*/   building \1/p; s/^Collecting \([^ <>=!~;]*\).*/   \1/p; /^ERROR/p' \
    || fail "pip stopped; the whole story is in $LOG"
}

if [ -f "$STAMP" ] && [ "$(cat "$STAMP")" = "$(fingerprint)" ]; then
  exit 0
fi

python=$(find_python)
packages=$(missing_packages "$python")
# shellcheck disable=SC2086  # one word a package
install_packages $packages

if ! "$VENV/bin/python" -c 'import pip' 2>/dev/null; then
  say "virtual environment in $VENV ($("$python" --version))"
  "$python" -m venv --clear "$VENV"
fi
: >"$LOG"
if ! "$VENV/bin/python" -c 'import torch' 2>/dev/null; then
  say "PyTorch ($TORCH): the largest download"
  pip_install "$TORCH"
fi
say "learnsym with [$EXTRAS], at the versions in constraints.txt"
pip_install -c constraints.txt -e ".[$EXTRAS]"
# not all machines have a build of torchvision, which timm asks for and learnsym does without
pip_install -c constraints.txt --no-deps timm
fingerprint >"$STAMP"
say "ready: $VENV"
