//! The whole function: any bytes, and any boxes.

#![no_main]

mod common;

use thumbnails::{Fit, Spec};
use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|bytes: &[u8]| -> Corpus {
    // The last five bytes choose the thumbnails, so the bytes before them are a normal file.
    let Some((file, [width, height, fit, other_width, other_height])) = bytes.split_last_chunk() else {
        return Corpus::Reject;
    };
    let fit = |bit: u8| if fit & bit == 0 { Fit::Cover } else { Fit::Contain };
    let spec = |width: u8, height: u8, fit| Spec { width: width.max(1).into(), height: height.max(1).into(), fit };
    common::check(file, &[spec(*width, *height, fit(1)), spec(*other_width, *other_height, fit(2))]);
    Corpus::Keep
});
