# Sound Forge Alchemy. `make` alone lists what there is to do; CONTRIBUTING.md says when.

PYTHON_ENV := .venv/bin/python
PYTEST := $(PYTHON_ENV) -m pytest
ARGS ?=
# Images of containers often set it. Then every program that starts compiles all its modules anew: 4.5 s of CPU instead of 2.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup demo run test test-browser test-engines soak check fix lock docs clean

help: ## list these commands
	@echo 'Sound Forge Alchemy: songs in; stems, tempo, key and a mixer out.'
	@awk -F ':.*## ' '/^[a-z%-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## take a song the whole way and compare what was found with what is true
	@sh scripts/setup.sh base
	@$(PYTHON_ENV) -m soundforge demo $(ARGS)

run: ## serve the studio and open it
	@sh scripts/setup.sh base
	@$(PYTHON_ENV) -m soundforge serve --open $(ARGS)

setup: ## make .venv, exactly as locked (demo, run, test and check do it themselves), and the downloader
	@sh scripts/setup.sh dev
	@$(PYTHON_ENV) -m soundforge tools install downloader >/dev/null || echo 'make setup: everything but downloads from links works; later: .venv/bin/soundforge tools install downloader' >&2

test: ## the tests a change must pass (ARGS="-k keyset" for some of them)
	@sh scripts/setup.sh dev
	@$(PYTEST) -n auto --dist worksteal $(ARGS)

test-browser: ## the studio in a real browser: bytes on the wire, accessibility, the mixer
	@sh scripts/setup.sh dev
	@$(PYTEST) -m browser $(ARGS)

test-engines: ## the real engines, slowly
	@sh scripts/setup.sh dev
	@$(PYTEST) -m engines $(ARGS)

soak: ## kill everything a hundred times and look at what is left
	@sh scripts/setup.sh dev
	@$(PYTEST) -m soak $(ARGS)

check: ## format, lint, types, rooms, conventions, licences, vendored files, JavaScript types
	@sh scripts/setup.sh dev
	@$(PYTHON_ENV) scripts/check.py $(ARGS)

fix: ## let ruff mend what it can
	@sh scripts/setup.sh dev
	@$(PYTHON_ENV) -m ruff check --fix --quiet . ; $(PYTHON_ENV) -m ruff format .

docs: ## write the documents that are derived from the code
	@sh scripts/setup.sh dev
	@$(PYTHON_ENV) scripts/docs.py

lock: ## pin what pyproject.toml asks for, with hashes (ARGS=--upgrade for newer ones)
	@sh scripts/setup.sh dev
	@sh scripts/lock.sh $(ARGS)

bench-%: ## measure one thing: bench/<name>.py
	@sh scripts/setup.sh dev
	@$(PYTHON_ENV) -m bench.$* $(ARGS)

clean: ## remove what the other commands made, but no data and no music
	rm -rf .venv .tools .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis test-results demo-out
