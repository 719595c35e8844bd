# Thin wrappers: each target does all its set-up. The details are in CMakeLists.txt and tests/README.md.
PRESET ?= release
BUILD := build/$(PRESET)
JOBS ?= $(shell nproc)

.PHONY: build demo test bench package lint test-abuse test-replaced test-kernels test-distributions fuzz clean

build:
	@packaging/install-deps.sh build $(if $(filter-out release,$(PRESET)),clang)
	@cmake --preset $(PRESET) -Wno-dev >/dev/null
	@cmake --build --preset $(PRESET) -j $(JOBS) $(if $(TARGETS),--target $(TARGETS))

demo:
	@JOBS=$(JOBS) tests/lab/demo

test: build
	@packaging/install-deps.sh test node $(if $(filter release,$(PRESET)),browser packages judges)
	@tests/kernel/load-modules
	@ctest --preset $(PRESET) -j $$(($(JOBS) + 2)) # most tests wait more than they compute

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

# Flushes of a hundred thousand flows that younger ones replace meanwhile.
test-replaced: build
	@packaging/install-deps.sh test
	@tests/kernel/load-modules
	@HEADGATE_REPLACED_FLOWS=100000 ctest --preset $(PRESET) -R replaced_meanwhile

# An hour of attacks, each of which lasts some minutes.
test-abuse: build
	@packaging/install-deps.sh test
	@tests/kernel/load-modules
	@HEADGATE_ABUSE_SECONDS=$${HEADGATE_ABUSE_SECONDS:-120} ctest --preset $(PRESET) -L abuse --verbose

test-distributions:
	@packaging/install-deps.sh test judges
	@tests/distributions/run $(SUITES)

fuzz:
	@packaging/install-deps.sh clang
	@JOBS=$(JOBS) RUNS=$(RUNS) tests/fuzz/run

clean:
	rm -rf build dist
