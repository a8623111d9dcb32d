//! Files that begin as a PNG does.

#![no_main]

mod common;
mod formats;

use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|bytes: &[u8]| -> Corpus { formats::run(bytes, |bytes| bytes.starts_with(b"\x89PNG\r\n\x1a\n")) });
