//! Files that begin as a HEIC does.

#![no_main]

mod common;
mod formats;

use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|bytes: &[u8]| -> Corpus { formats::run(bytes, |bytes| bytes.get(4..8) == Some(b"ftyp")) });
