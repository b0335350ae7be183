# A short front for meson, ninja and the scripts in tools/. `make` alone says what there is.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help build run test test-quick bench bench-pages bench-live fuzz lint format clean distclean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22

build: ## build/clew: optimised, hardened, pages included
	@tools/setup build
	@tools/build release

run: ## build, start the server and the demo shop, print the URL; Ctrl-C stops all of it
	@tools/setup run
	@tools/run

test: ## every tier of tests; the last line says how many passed
	@tools/setup test
	@tools/test

test-quick: ## house checks and unit tests only
	@tools/setup test
	@tools/test lint unit

bench: ## load the release build and print the figures of the store (ARGS="--scenario ...")
	@tools/setup test
	@tools/build release
	@. tools/env && $$CLEW_PYTHON bench/run.py $(ARGS)

bench-pages: ## what the pages cost a reader, in Chromium over a million records (ARGS="--only logs")
	@tools/setup test
	@tools/build release
	@. tools/env && ninja -C build/release bench/otlpgen >/dev/null && node bench/pages.mjs $(ARGS)

bench-live: ## cost of conditions, of probes in Python, of values and probes in Node beside its breakpoints, and (as root) of the agent itself; attach to Python servers and loops, 10,000 times each (ARGS="-n 1000 --only 3.11")
	@tools/setup test
	@tools/build dev
	@ninja -C build/dev bench/bench_expr bench/python_attach bench/python_hit bench/node_place >/dev/null && build/dev/bench/bench_expr && bench/python_hit.py && bench/node_walk.py && bench/node_place.py && . tools/env && { [ "$$(id -u)" != 0 ] || "$$CLEW_PYTHON" bench/agent_cost.py; } && bench/python_attach.py $(ARGS)

fuzz: ## fuzz every decoder for 60 s each (ARGS="SECONDS [TARGET...]")
	@tools/setup test
	@tools/build fuzz
	@tools/fuzz $(ARGS)

lint: ## house checks: arrow, size, banned calls, format, warnings, static analysis
	@tools/setup test
	@tools/test lint

format: ## clang-format over all C and C++ files
	@tools/setup test
	@tools/format

clean: ## remove what was built
	rm -rf build ui/dist

distclean: clean ## remove what was installed locally, too
	rm -rf .setup ui/node_modules demo/node_modules demo/*/node_modules tests/node_modules tests/*/node_modules
