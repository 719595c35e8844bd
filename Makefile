# Thin: each target does all its own set-up. What is behind them is in CMakeLists.txt and tests/README.md.
PRESET ?= release
BUILD := build/$(PRESET)
JOBS ?= $(shell nproc)

.PHONY: build demo test bench package lint test-abuse test-kernels test-distributions fuzz clean

build:
	@packaging/install-deps.sh build $(if $(filter-out release,$(PRESET)),clang)
	@cmake --preset $(PRESET) -Wno-dev >/dev/null
	@cmake --build --preset $(PRESET) -j $(JOBS) $(if $(TARGETS),--target $(TARGETS))

demo:
	@JOBS=$(JOBS) tests/lab/demo

test: build
	@packaging/install-deps.sh test node $(if $(filter release,$(PRESET)),browser packages judges)
	@tests/kernel/load-modules
	@ctest --preset $(PRESET) -j $$(($(JOBS) + 2)) # most of them wait more than they work

bench: build
	@packaging/install-deps.sh bench
	@tests/kernel/load-modules
	@PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 tests/bench/bench.py $(BUILD) $(BENCH)

package:
	@packaging/build-packages

lint:
	@packaging/install-deps.sh lint
	@tests/lint

test-kernels: build
	@packaging/install-deps.sh test
	@tests/kernels/run $(BUILD)

# An hour of attacks: each goes on for some minutes.
test-abuse: build
	@packaging/install-deps.sh test
	@tests/kernel/load-modules
	@HEADGATE_ABUSE_SECONDS=$${HEADGATE_ABUSE_SECONDS:-120} ctest --preset $(PRESET) -L abuse --verbose

test-distributions:
	@packaging/install-deps.sh test judges
	@tests/distributions/run $(SUITES)

fuzz:
	@packaging/install-deps.sh clang
	@tests/fuzz/run

clean:
	rm -rf build dist
