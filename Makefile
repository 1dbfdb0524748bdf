# SPDX-License-Identifier: Apache-2.0
# The front door. Each target installs what it misses through scripts/install-deps.

PREFIX ?= /usr/local
DESTDIR ?=
SWIFT ?= swift
# How long each fuzz target runs.
SECONDS ?= 60
# Nobody links against the program: without exported symbols it starts faster.
RELEASE_FLAGS = -c release --static-swift-stdlib --product stowage -Xlinker -L$(shell scripts/static-libraries) \
	-Xlinker --no-export-dynamic
RELEASE_BIN = .build/release/stowage
SHARE = $(DESTDIR)$(PREFIX)/share
COMPLETIONS = $(addprefix $(SHARE)/, \
  $(addprefix bash-completion/completions/, stowage containers-storage) zsh/site-functions/_stowage \
  $(addprefix fish/vendor_completions.d/, stowage.fish containers-storage.fish))

.PHONY: help build release demo test stress fire differential crash-sweep model fuzz check lint format bench docs install uninstall clean

help: ## Show this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## Debug build of everything
	@scripts/install-deps build
	$(SWIFT) build

release: ## Release build of the command line, Swift runtime linked statically
	@scripts/install-deps build
	$(SWIFT) build $(RELEASE_FLAGS)

demo: release ## Load an image, change a container, run it with Podman from the same store (needs root)
	@scripts/install-deps all
	scripts/demo $(RELEASE_BIN)

test: ## All tests (root, for mounts and for sharing stores with Podman)
	@scripts/install-deps all
	scripts/test

stress: ## Only the two-minute run of Stowage and Debian's tools on one store
	@scripts/install-deps all
	STOWAGE_STRESS_SECONDS=$${STOWAGE_STRESS_SECONDS:-120} $(SWIFT) test --filter ConcurrencyTests

fire: ## Only the run of graph roots that share an image store and are killed at random, five minutes for each driver
	@scripts/install-deps all
	STOWAGE_FIRE_SECONDS=$${STOWAGE_FIRE_SECONDS:-300} $(SWIFT) test --filter SharingUnderFireTests

differential: ## 20,000 random commands for each driver, on twin stores, compared with Debian's containers-storage
	@scripts/install-deps all
	STOWAGE_DIFFERENTIAL_OPERATIONS=$${STOWAGE_DIFFERENTIAL_OPERATIONS:-20000} $(SWIFT) test --filter DifferentialTests

crash-sweep: ## Kill the program at every mutating step of every operation (long)
	@scripts/install-deps all
	STOWAGE_CRASH_SWEEP=full $(SWIFT) test --filter KillTests

model: ## Check the model of the lock and dependents protocol of shared image stores
	@scripts/install-deps all
	docs/models/check

fuzz: ## Fuzz each reader of hostile input, for a minute or SECONDS=… each
	@scripts/install-deps fuzz
	Fuzz/run.sh --all $(SECONDS)

check: lint ## Style, licence headers, layering, linkage
	@scripts/install-deps build
	scripts/check-sources
	scripts/check-layering
	$(SWIFT) build $(RELEASE_FLAGS)
	scripts/check-linkage $(RELEASE_BIN)

lint: ## Formatting and documentation rules
	$(SWIFT) format lint --strict --recursive --parallel Package.swift Sources Tests Fuzz

format: ## Format all sources in place
	$(SWIFT) format --in-place --recursive --parallel Package.swift Sources Tests Fuzz

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
