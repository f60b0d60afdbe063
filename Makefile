# The one entry. `make` alone lists the targets.

.DEFAULT_GOAL := help
.PHONY: help build release test fmt fmt-check clippy doc reference audit fuzz bench-freshness bench-freshness-loaded bench-signed bench-soap bench-routes bench-codec bench-dns bench-sip bench-sip-overload diff-dns endure demo up verify clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## build the programs (unoptimised)
	cargo build --workspace --all-targets

release: ## build the programs as they are shipped
	cargo build --release --workspace --bins

test: build ## run all tests beside a throw-away MariaDB
	tests/bin/tools check
	tests/bin/with-mariadb cargo test --workspace

fmt: ## format the code
	cargo fmt --all

fmt-check: ## fail when the code is not formatted
	cargo fmt --all --check

clippy: ## lint everything, warnings are errors
	cargo clippy --workspace --all-targets -- -D warnings

doc: ## build the documentation, warnings are errors
	RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps

reference: ## write doc/reference from the table and from calls that are made for it
	NGN_WRITE_REFERENCE=1 cargo test -p ngn-tests --test published reference::examples
	NGN_WRITE_REFERENCE=1 cargo test -p ngn-ngnpro --lib docs::

audit: ## check dependencies and their licences
	cargo test -p ngn-tests --test audit

fuzz: ## fuzz every decoder for a minute each (needs a C++ compiler)
	tests/bin/fuzz

bench-freshness: ## measure how soon SIP and DNS show 1,000 changes, on both databases
	cargo build --release --workspace --bins
	tests/bin/with-mariadb cargo run --release -p ngn-tests --example freshness

bench-freshness-loaded: ## measure how soon DNS shows changes with a million numbers and 20,000 questions a second (takes minutes)
	cargo build --release --workspace --bins
	NGN_BENCH_LOADED=1000000 NGN_BENCH_CHANGES=500 NGN_TEST_PATIENCE=900 tests/bin/with-mariadb cargo run --release -p ngn-tests --example freshness

bench-signed: ## sign an ENUM zone of a million numbers while it is served, and validate it (takes many minutes)
	cargo build --release --workspace --bins
	NGN_BENCH_VERIFY=1 NGN_TEST_PATIENCE=900 tests/bin/with-mariadb cargo run --release -p ngn-tests --example signed_numbers

bench-soap: ## measure accounts added over SOAP against rows inserted by hand, on a MariaDB that syncs
	cargo build --release --workspace --bins
	NGN_MARIADB_DURABLE=1 tests/bin/with-mariadb cargo run --release -p ngn-tests --example accounts

bench-routes: ## measure calls, changes and loading with a million accounts and routes (takes minutes)
	cargo run --release -p ngn-routing --example routes
	cargo build --release --workspace --bins
	NGN_TEST_PATIENCE=900 tests/bin/with-mariadb cargo run --release -p ngn-tests --example loading

bench-sip-overload: ## measure calls, and those who must not notice, under ten times the rated load
	cargo build --release --workspace --bins
	cargo run --release -p ngn-tests --example overload

bench-codec: ## measure the processor time of a SOAP message beside gSOAP's C++ (needs gSOAP)
	cargo run --release -p ngn-tests --example codec

bench-dns: ## measure enumd beside NSD, Knot and BIND, with zones out of MariaDB and master files (needs them and dnsperf)
	cargo build --release --workspace --bins
	tests/bin/with-mariadb cargo run --release -p ngn-tests --example dns_peers

bench-sip: ## measure registrations and calls beside Kamailio, on a MariaDB that syncs (needs Kamailio, SIPp)
	cargo build --release --workspace --bins
	NGN_MARIADB_DURABLE=1 tests/bin/with-mariadb cargo run --release -p ngn-tests --example sip_peers

diff-dns: ## compare 100,000 answers of enumd with those of NSD, Knot and BIND, field by field (takes minutes)
	NGN_DIFF_QUERIES=100000 tests/bin/with-mariadb cargo test -p ngn-tests --test peers differential

endure: ## kill sipd under 10,000 calls and under 100,000 registrations, and stop its database under load (takes half an hour)
	cargo build --release --workspace --bins
	for what in calls bindings outage; do \
		tests/bin/with-mariadb cargo run --release -p ngn-tests --example endurance $$what || exit 1; \
	done

demo: ## build, start a platform in ./data/demo, provision it, call, ask DNS; Ctrl-C ends it
	cargo run -p ngn -- demo

up: ## build and start the platform in ./data
	cargo run -p ngn -- up

verify: ## everything that continuous integration runs
	@tests/bin/verify

clean: ## remove everything that was built
	cargo clean
