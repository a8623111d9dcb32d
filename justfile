# The commands of a day: `just --list`. Each line also works without just.

# Start the local run on http://localhost:3000.
run *options:
    cargo run -- {{options}}

# Run every test, or those with a name: `just test captcha`.
test name="":
    cargo test --workspace {{name}}

# The same with nextest, a process for each test, and after them the examples in the documentation, which it does not run.
nextest name="":
    cargo nextest run --workspace {{name}}
    cargo test --workspace --doc

# Run black-box tests only: `just it groups`.
it name="":
    cargo test -p handset-tests --test it {{name}}

# Check one crate as CI does: `just check codes`.
check crate:
    cargo clippy -p {{crate}} --all-targets -- -D warnings

# Format everything.
fmt:
    cargo fmt --all

# Write the generated files again: OpenAPI documents, the list of endpoints, the table of errors.
generate:
    UPDATE_DOCS=1 cargo test -p handset-tests --test it contract
    UPDATE_DOCS=1 cargo test -p handset-http every_error

# Run everything that CI runs.
ci:
    bash .ci/run

# Check a running backend without sending a text: `just smoke https://api.example.com`.
smoke url="http://localhost:3000":
    python3 infra/smoke.py {{url}}
