# SPDX-License-Identifier: GPL-2.0
#
# The front door: 'make help' lists what it does. The scripts do the work; what
# they build outside the checkout is cached, see docs/building.md. (The module
# itself is described in Kbuild, which the kernel's build prefers to this file.)

MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help

# ARCH and CONFIG stay as the user gave them: 'make test' has other defaults.
arch := $(or $(ARCH),x86_64)
config := $(or $(CONFIG),base)
name := $(arch)-$(if $(KDIR),kdir,$(config))
LLVM ?= -19

in-root := env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL $(CURDIR)/scripts/in-root
kernel := scripts/kernel --arch $(arch) --config $(config)
kdir = $(or $(KDIR),$$($(kernel) --print-dir))
# $(1): output directory, $(2): more variables and the target, $(3): another source directory
kbuild = dir=$(kdir) && mkdir -p $(1) && $(in-root) make -C "$$dir" M=$(CURDIR)$(3) MO=$(1) \
	ARCH=$(arch) LLVM=$(LLVM) -j$$(nproc) $(if $(V),V=$(V),-s) $(2)
# $(1): where programs go, and where from if not from tests/
program-make = source=$$(scripts/kernel --print-source) && dir=$$($(kernel) --print-dir) && \
	$(in-root) make -s -C tests ARCH=$(arch) CC=clang$(LLVM) SRC="$$source" HDR="$$dir/usr" \
		-j$$(nproc) $(1)
rust-sources = $(shell find rust src tests -name '*.rs' -not -path '*/target/*')
c-sources = $(wildcard rust/*.[ch] src/*.[ch] tests/*.[ch] tests/fuzz/*.[ch] tests/kernel/*.[ch] \
	tests/module/*.[ch] bench/load/*.[ch])

.PHONY: help
help: ## this list
	@echo "make run | make test, or one of:"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1|\2/p' Makefile | column -t -s '|'
	@echo "Variables: ARCH=x86_64|arm64 CONFIG=base|debug|up|peers|peers-rust KDIR=<built tree> FILE=<for run>"
	@echo "           TESTS='names' MODES='sender receiver fault' TIME=<seconds> SEED=<for fuzz>"
	@echo "           QUICK=1 DRIVERS='c rust vbinder' ROWS='patterns' (of bench)"
	@echo "           JOBS=<boots at a time> V=1 ACCEL=kvm CHECK='names'"

.PHONY: run
run: modules programs ## stream a real FILE= through the driver in QEMU, with the shrinker at work
	@scripts/run $(if $(FILE),"$(FILE)")

.PHONY: test
test: setup ## the whole test suite, x86-64 and arm64
	@tests/run

.PHONY: host-test
host-test: setup ## the part of it that needs no guest
	@TESTS=host tests/run

.PHONY: compile-fail
compile-fail: modules ## what rustc must refuse, and the examples in the documentation
	@$(in-root) tests/compile_fail/run build/$(name)
	@$(in-root) tests/compile_fail/run --doc build/$(name)

.PHONY: stress
stress: setup ## the stress cases, each for TIME= seconds (default 60)
	@tests/run stress

.PHONY: fuzz
fuzz: setup ## processes that send garbage, for TIME= seconds (default 60); SEED= repeats a run
	@tests/run fuzz

.PHONY: kernel-selftests
kernel-selftests: setup ## the kernel's own tests, with the queue and without; TESTS='mm/*' for some
	@tests/kernel/run

.PHONY: peers-test
peers-test: setup ## idle memory that vbinder and the in-tree drivers give back, with the queue and without
	@tests/kernel/peers

.PHONY: protocol-test
protocol-test: setup ## the tests of the protocol on the in-tree C driver, TESTS='names' for some
	@tests/run protocol

.PHONY: shell
shell: modules programs ## a shell in a guest with the module loaded (Ctrl-A X leaves)
	@scripts/boot --interactive --arch $(arch) --config $(config) --add build/tests/$(arch):/tests

.PHONY: setup
setup: ## the tools: this machine's, or a tool root in the cache
	@scripts/setup

.PHONY: kernel
kernel: setup ## the patched test kernel of ARCH= and CONFIG=
	@$(if $(KDIR),:,$(kernel))

.PHONY: modules
modules: kernel ## vbinder.ko for that kernel, or for KDIR=
	@$(call kbuild,$(CURDIR)/build/$(name),modules)

.PHONY: test-module
test-module: kernel ## vmarea_test.ko, with which the crate in rust/ is tested
	@$(call kbuild,$(CURDIR)/build/$(name)-test,modules,/tests/module)

.PHONY: programs
programs: kernel ## the test programs
	@$(call program-make,OUT=$(CURDIR)/build/tests/$(arch))

.PHONY: bench-programs
bench-programs: kernel ## the load that speed is measured with
	@$(call program-make,OUT=$(CURDIR)/build/bench/$(arch) FROM=$(CURDIR)/bench/load)

.PHONY: bench
bench: setup ## how fast vbinder and the in-tree drivers are; QUICK=1 for some of it
	@bench/run

.PHONY: clippy
clippy: ## clippy over all crates, for both architectures
	@$(MAKE) clippy-arch ARCH=x86_64
	@$(MAKE) clippy-arch ARCH=arm64

.PHONY: clippy-arch
clippy-arch: kernel
	@echo "clippy $(arch)"
	@$(call kbuild,$(CURDIR)/build/$(name)-clippy,CLIPPY=1 modules)
	@$(call kbuild,$(CURDIR)/build/$(name)-clippy-test,CLIPPY=1 modules,/tests/module)

.PHONY: fmt
fmt: setup ## format all Rust code, and bring docs/unsafe.md up to date
	@$(in-root) rustfmt --config-path $(CURDIR)/.rustfmt.toml $(rust-sources)
	@scripts/unsafe-list

.PHONY: fmt-check
fmt-check: setup ## fail if code is not formatted, or docs/unsafe.md is out of date
	@$(in-root) rustfmt --config-path $(CURDIR)/.rustfmt.toml --check $(rust-sources)
	@scripts/unsafe-list --check

.PHONY: doc
doc: modules ## rustdoc of both crates, in build/doc
	@dir=$(kdir) && $(in-root) scripts/doc "$$dir" build/$(name)

.PHONY: rust-analyzer
rust-analyzer: modules ## rust-project.json for editors
	@$(call kbuild,$(CURDIR)/build/$(name),rust-analyzer)
	@scripts/rust-analyzer build/$(name)

.PHONY: checkpatch
checkpatch: setup ## the kernel's checkpatch --strict over the queue and the C files
	@scripts/kernel --source
	@cd "$$(scripts/kernel --print-source)" && check() { \
		$(in-root) perl scripts/checkpatch.pl --strict --no-summary --terse --quiet "$$@"; \
	} && check $(CURDIR)/kernel/patches/*.patch && check --file $(addprefix $(CURDIR)/,$(c-sources)) && \
	echo "checkpatch: nothing to complain about"

.PHONY: kernel-check
kernel-check: setup ## prove the patch queue: it applies, and compiles everywhere (CHECK='names')
	@scripts/kernel-check

.PHONY: clean
clean: ## remove what was built in the checkout
	rm -rf build rust-project.json

.PHONY: distclean
distclean: clean ## and the cache: tools, kernel sources, kernels
	rm -rf "$${XDG_CACHE_HOME:-$$HOME/.cache}/vbinder"
