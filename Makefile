.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c

BIN := .venv/bin
WORKERS ?= 2
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal
DEMO := runs/demo

# Data sets that lie beside the checkout are used when nothing else is said.
ifndef LEARNSYM_DATA
ifneq ($(wildcard ../shared/data),)
export LEARNSYM_DATA := $(abspath ../shared/data)
endif
endif

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile

setup:  ## virtual environment .venv with everything (at once when it is up to date)
	@bash scripts/setup.sh

demo: setup  ## digits as scanned, rotated by up to 60 and by up to 180 degrees: which is which? (5 minutes)
	$(BIN)/learnsym train configs/demo.yaml --out $(DEMO)/as-scanned
	$(BIN)/learnsym train configs/demo.yaml --data.label rotated-60 --data.plant.rotation 60 --out $(DEMO)/rotated-60
	$(BIN)/learnsym train configs/demo.yaml --data.label rotated-180 --data.plant.rotation 180 --out $(DEMO)/rotated-180
	$(BIN)/learnsym analyze $(DEMO)

test: setup  ## tests and doctests, without the slow ones (tests/slow.txt, and those marked)
	$(PYTEST) -m "not slow"

test-all: setup  ## all tests
	$(PYTEST)

lint: setup  ## ruff, ruff format and pyright
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright

docs: setup  ## documentation in docs/_build/html, with a gallery of real pages (15 minutes at first)
	@EXTRAS=steerable,molecules,sim,scale,dev,export,tensorboard,docs bash scripts/setup.sh
	$(BIN)/python docs/gallery.py
	$(BIN)/sphinx-build -W --keep-going -q -b html docs docs/_build/html
	$(BIN)/python docs/check_links.py docs/_build/html
	@echo "docs/_build/html/index.html"

bench: setup  ## ratios on one CPU thread
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks --device cpu

bench-gpu:  ## what only a GPU can tell, in eight minutes of one (experiments/gpu)
	bash experiments/gpu/run.sh

clean:  ## remove the demo's runs, caches and builds, but not .venv
	rm -rf $(DEMO) build dist docs/_build docs/_gallery docs/jupyter_execute .pytest_cache .ruff_cache *.egg-info

.PHONY: help setup demo test test-all lint docs bench bench-gpu clean
