# Every target sets up what is still missing by itself, and is fast when nothing is.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

UV := $(or $(shell command -v uv 2>/dev/null),.tools/uv/bin/uv)
READY := .venv/.ready

.PHONY: help demo test lint docs examples bench fuzz setup ffmpeg

help: ## Show the targets.
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

demo: setup ## Two-stream recordings with known truth, through the whole chain.
	.venv/bin/dogclips demo

# Without its bytecode each of three processes would rewrite the asserts of all test files again.
test: export PYTHONDONTWRITEBYTECODE =
test: lint ## Every check of the project.
	@# Two files at a time, each on a core of its own: threads of torch would wait for each other.
	OMP_NUM_THREADS=1 .venv/bin/pytest -m "not timing" -n 2 --dist loadfile --no-loadscope-reorder
	@# What measures time has the cores for itself; looking for it in every file would take longer.
	.venv/bin/pytest -m timing $$(grep -rl --include='test_*.py' 'mark\.timing' tests)

lint: setup docs ## Style, types, layers, documentation.
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports

docs: setup docs/_build/.built ## Documentation in docs/_build/html; a warning is an error.

# What was built with a warning must not be kept: the next build would not say it again.
DOCUMENTED := $(shell find docs dogclips -name '*.py' -o -name '*.md' -o -name '*.css' \
	| grep -v -e ^docs/_build -e ^docs/reference)
docs/_build/.built: $(DOCUMENTED) $(READY)
	@.venv/bin/python -m sphinx -b html -d docs/_build/doctrees -W --keep-going -q \
		docs docs/_build/html || { rm -rf docs/_build; exit 1; }
	@touch $@

examples: setup ## Every command that the documentation shows; takes minutes, and needs the demo.
	.venv/bin/python -m docs.check_examples

bench: setup ## Ratios against what a user would use otherwise.
	.venv/bin/python -m tests.benchmarks

fuzz: setup ## Thousands of damaged annotations, two-stream files and clips; takes an hour.
	OMP_NUM_THREADS=1 .venv/bin/pytest -n 2 -m hypothesis --hypothesis-profile random
	.venv/bin/python -m tests.annotations.damage --cases 100000
	.venv/bin/python -m tests.pairs --cases 5000
	.venv/bin/python -m tests.cuts --cases 5000
	.venv/bin/python -m tests.faults --kills 100 --stops 50

setup: ffmpeg $(READY)

$(READY): pyproject.toml uv.lock | $(UV)
	$(UV) sync --locked --compile-bytecode
	@# Where Python may not write bytecode, every start would compile our own modules again.
	@.venv/bin/python -m compileall -q dogclips
	@touch $@

# A uv of our own, beside nobody's Python.
.tools/uv/bin/uv:
	python3 -m pip install --quiet --target .tools/uv uv \
	|| { echo "error: uv cannot be installed (python3 -m pip): install uv or python3-pip" >&2; exit 1; }

ffmpeg:
	@command -v ffprobe >/dev/null && exit 0; \
	if command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then apt=apt-get; \
	elif command -v apt-get >/dev/null && sudo -n true 2>/dev/null; then apt="sudo apt-get"; \
	else echo "warning: ffprobe is missing: install ffmpeg; until then PyAV measures" >&2; exit 0; fi; \
	$$apt update -q && $$apt install -y -q --no-install-recommends ffmpeg
