//! The checks of every target.

use thumbnails::{Limits, Spec, thumbnails};

/// Limits that a few milliseconds are enough for, so that many files are tried.
const LIMITS: Limits = Limits { max_pixels: 1 << 18, max_bytes: 1 << 24 };

/// Tries `bytes`: an error is fine; a thumbnail must be within its box and readable.
pub fn check(bytes: &[u8], specs: &[Spec]) {
    let Ok(made) = thumbnails(bytes, specs, LIMITS) else { return };
    assert_eq!(made.len(), specs.len());
    for (made, spec) in made.iter().zip(specs) {
        assert!(made.width >= 1 && made.height >= 1 && made.width <= spec.width && made.height <= spec.height);
        let read = image::load_from_memory(&made.bytes).expect("a thumbnail is readable");
        assert_eq!((read.width(), read.height()), (made.width, made.height));
    }
}
