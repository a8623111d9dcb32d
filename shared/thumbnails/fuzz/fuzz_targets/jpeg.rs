//! Files that begin as a JPEG does.

#![no_main]

mod common;
mod formats;

use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|bytes: &[u8]| -> Corpus { formats::run(bytes, |bytes| bytes.starts_with(b"\xff\xd8\xff")) });
