# rbt's commands for people. Everything is built once, in the release profile: the demo and the tests share it.

cargo := scripts/with-duckdb cargo
# Where cargo builds; a cache outside the clone is fine.
built := $(or $(CARGO_TARGET_DIR),target)/release
library := $(if $(filter Darwin,$(shell uname -s)),libduckdb.dylib,libduckdb.so)

.PHONY: demo build test lint clean

# Build rbt and run its main job on the reference project: extract a day from the invented world, build and test it in one
# go, and the next day.
demo_day = target/release/rbt build --project-dir project --profiles-dir project --sandbox --date $(1) \
	--vars '{raw_path: $(CURDIR)/target/demo/raw}'
demo: build
	$(call demo_day,2026-01-06)
	$(call demo_day,2026-01-07)

# Leave the program at target/release/rbt, and DuckDB's library beside it: the two run from anywhere together.
build:
	$(cargo) build --release
	@mkdir -p target/release
	@test $(built) -ef target/release || cp -f $(built)/rbt target/release/rbt
	@scripts/with-duckdb sh -c 'from="$${DUCKDB_LIB_DIR:-$(built)/deps}/$(library)"; \
		test ! -e "$$from" || cmp -s "$$from" target/release/$(library) || cp -f "$$from" target/release/'

# All tests.
test:
	$(cargo) test --release

# What a change must pass besides the tests.
lint:
	cargo fmt --check
	$(cargo) clippy --release --all-targets -- -D warnings

clean:
	cargo clean
