# Thin: each target does all its own set-up. What is behind them is in CMakeLists.txt and tests/README.md.
PRESET ?= release
BUILD := build/$(PRESET)
JOBS ?= $(shell nproc)

.PHONY: build demo test bench package lint test-kernels fuzz clean

build:
	@packaging/install-deps.sh
	@cmake --preset $(PRESET) -Wno-dev >/dev/null
	@cmake --build --preset $(PRESET) -j $(JOBS) $(if $(TARGETS),--target $(TARGETS))

demo: build
	@tests/kernel/load-modules
	@HEADGATE=$(CURDIR)/$(BUILD)/headgate PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 tests/lab/demo.py

test: build
	@tests/kernel/load-modules
	@ctest --preset $(PRESET) -j $$(($(JOBS) + 1)) # most of them wait more than they work

bench: build
	@tests/kernel/load-modules
	@PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 tests/bench/bench.py $(BUILD) $(BENCH)

package:
	@packaging/build-packages

lint:
	@packaging/install-deps.sh
	@tests/lint

test-kernels: build
	@tests/kernels/run $(BUILD)

fuzz:
	@packaging/install-deps.sh
	@tests/fuzz/run

clean:
	rm -rf build dist
