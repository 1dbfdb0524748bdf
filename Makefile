# SPDX-License-Identifier: Apache-2.0
# The front door. Each target installs what it misses through scripts/install-deps.

PREFIX ?= /usr/local
DESTDIR ?=
SWIFT ?= swift
# How long each fuzz target runs.
SECONDS ?= 60
RELEASE_BIN = .build/release/stowage
SHARE = $(DESTDIR)$(PREFIX)/share
COMPLETIONS = $(addprefix $(SHARE)/, \
  $(addprefix bash-completion/completions/, stowage containers-storage) zsh/site-functions/_stowage \
  $(addprefix fish/vendor_completions.d/, stowage.fish containers-storage.fish))

.PHONY: help build release demo test quick soak stress fire differential crash-sweep power-cut model coverage fuzz check lint format bench docs install uninstall clean

help: ## Show this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## Debug build of everything, tests included
	@scripts/install-deps build
	SWIFT=$(SWIFT) scripts/build-tests

release: ## Release build of the command line, Swift runtime linked statically, its linkage proved
	SWIFT=$(SWIFT) scripts/build-release

demo: release ## Load an image, change a container, run it with Podman from the same store (needs root)
	@scripts/install-deps all
	scripts/demo $(RELEASE_BIN)

test: ## All tests (root, for mounts and for sharing stores with Podman)
	@scripts/install-deps all
	scripts/test
	docs/models/check

quick: ## What needs neither mounts nor other programs: the libraries' own tests, in a minute with the build
	@scripts/install-deps build
	scripts/test --quick

soak: ## What is too long for `test`, whole, within TIME (default 1h); a second run goes on where the first ended
	@scripts/install-deps soak
	scripts/soak $(TIME)

power-cut: release ## Cut the power of a recorded disk at 40 moments for each file system, driver and form of store
	@scripts/install-deps soak
	Tests/PowerCut/run --self-test
	Tests/PowerCut/run

stress: ## Only the two-minute run of Stowage and Debian's tools on one store
	@scripts/install-deps all
	STOWAGE_STRESS_SECONDS=$${STOWAGE_STRESS_SECONDS:-120} scripts/test ConcurrencyTests

fire: ## Only the run of graph roots that share an image store and are killed at random, five minutes for each driver
	@scripts/install-deps all
	STOWAGE_FIRE_SECONDS=$${STOWAGE_FIRE_SECONDS:-300} scripts/test SharingUnderFireTests

differential: ## 20,000 random commands for each driver, on twin stores, compared with Debian's containers-storage
	@scripts/install-deps all
	STOWAGE_DIFFERENTIAL_OPERATIONS=$${STOWAGE_DIFFERENTIAL_OPERATIONS:-20000} scripts/test DifferentialTests

crash-sweep: ## Kill the program, and let it fail, at every mutating step of every operation (long)
	@scripts/install-deps all
	STOWAGE_SWEEP=1/1 scripts/test 'KillTests|FailedStepTests'

model: ## Check the model of the lock and dependents protocol of shared image stores
	@scripts/install-deps all
	docs/models/check

coverage: ## Which lines the tests run: a table, and HTML in .build/coverage; WHAT=all for all tests (root, long)
	@scripts/install-deps all
	scripts/coverage $(WHAT)

fuzz: ## Fuzz each reader of hostile input, for a minute or SECONDS=… each
	@scripts/install-deps fuzz
	Fuzz/run.sh --all $(SECONDS)

check: lint release ## Style, licence headers, citations, layering, linkage of the release build
	scripts/check-sources
	scripts/check-layering

lint: ## Formatting and documentation rules
	$(SWIFT) format lint --strict --recursive --parallel Package.swift Sources Tests Examples Fuzz

format: ## Format all sources in place
	$(SWIFT) format --in-place --recursive --parallel Package.swift Sources Tests Examples Fuzz

bench: release ## Our figures beside tar and Debian's containers-storage (root, about 2 GB of memory for tmpfs)
	@scripts/install-deps all
	Benchmarks/run $(RELEASE_BIN)

docs: ## Reference documentation as a static site in .build/docs
	scripts/build-docs

install: release ## Install under PREFIX as `stowage` and `containers-storage`, with manual pages and completions
	install -d $(DESTDIR)$(PREFIX)/bin
	install -m 755 -s $(RELEASE_BIN) $(DESTDIR)$(PREFIX)/bin/stowage
	ln -sf stowage $(DESTDIR)$(PREFIX)/bin/containers-storage
	install -d $(SHARE)/man/man1 $(dir $(COMPLETIONS))
	$(RELEASE_BIN) manual $(SHARE)/man/man1
	$(RELEASE_BIN) completion bash > $(SHARE)/bash-completion/completions/stowage
	ln -sf stowage $(SHARE)/bash-completion/completions/containers-storage
	$(RELEASE_BIN) completion zsh > $(SHARE)/zsh/site-functions/_stowage
	$(RELEASE_BIN) completion fish > $(SHARE)/fish/vendor_completions.d/stowage.fish
	ln -sf stowage.fish $(SHARE)/fish/vendor_completions.d/containers-storage.fish

uninstall: ## Remove what install put there
	rm -f $(DESTDIR)$(PREFIX)/bin/stowage $(DESTDIR)$(PREFIX)/bin/containers-storage
	rm -f $(SHARE)/man/man1/stowage.1 $(SHARE)/man/man1/stowage-*.1 $(SHARE)/man/man1/containers-storage.1
	rm -f $(COMPLETIONS)

clean: ## Remove build products
	rm -rf .build Benchmarks/results
