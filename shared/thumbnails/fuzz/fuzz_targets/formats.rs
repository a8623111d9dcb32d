//! The common part of the targets for one format.

use thumbnails::{Fit, Spec};
use libfuzzer_sys::Corpus;

use crate::common::check;

const SPECS: [Spec; 3] = [
    Spec { width: 16, height: 16, fit: Fit::Cover },
    Spec { width: 30, height: 20, fit: Fit::Contain },
    Spec { width: 1, height: 300, fit: Fit::Cover },
];

/// Tries `bytes`, if they begin like the format, and checks the result.
pub fn run(bytes: &[u8], begins: impl Fn(&[u8]) -> bool) -> Corpus {
    if !begins(bytes) {
        return Corpus::Reject;
    }
    check(bytes, &SPECS);
    Corpus::Keep
}
