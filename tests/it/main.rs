//! The black-box tests.

mod codes;
mod support;
mod tidy;
