//! The build script of every function, and a part of the one of `rooms`: links it for a fixed address.
//!
//! A program that can be loaded at any address has tens of thousands of pointers that the dynamic linker corrects at
//! every start, on pages that it copies for this: a quarter of a function's start (docs/speed.md). Libraries, stack and
//! heap still have random addresses.

#[expect(clippy::disallowed_methods, reason = "Cargo tells a build script what it builds by variables")]
pub(crate) fn main() {
    let is = |name, value| std::env::var(name).is_ok_and(|given| given == value);
    println!("cargo::rerun-if-changed=Cargo.toml");
    if is("CARGO_CFG_TARGET_OS", "linux") && is("PROFILE", "release") {
        println!("cargo::rustc-link-arg-bins=-no-pie");
    }
}
