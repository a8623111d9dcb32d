//! Randomness as an argument.

/// A source of unpredictable bytes.
pub trait Random: Send + Sync {
    /// Fills `bytes`.
    fn fill(&self, bytes: &mut [u8]);
}

/// `N` random bytes.
pub fn bytes<const N: usize>(random: &dyn Random) -> [u8; N] {
    let mut bytes = [0; N];
    random.fill(&mut bytes);
    bytes
}

/// A number below `bound`; all are equally likely. `bound` must not be 0.
pub fn below(random: &dyn Random, bound: u64) -> u64 {
    // Numbers at or above the largest multiple of `bound` would make the small results more likely, so they are drawn
    // again.
    let fair = u64::MAX - u64::MAX % bound;
    loop {
        let number = u64::from_le_bytes(bytes(random));
        if number < fair {
            return number % bound;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    /// Returns the numbers of a list, one after another.
    struct Script(Vec<u64>, AtomicU64);

    impl Random for Script {
        fn fill(&self, bytes: &mut [u8]) {
            let turn = self.1.fetch_add(1, Ordering::Relaxed);
            bytes.copy_from_slice(&self.0[usize::try_from(turn).unwrap()].to_le_bytes());
        }
    }

    #[test]
    fn numbers_that_would_be_unfair_are_drawn_again() {
        let script = Script(vec![u64::MAX, 25], AtomicU64::new(0));
        assert_eq!(below(&script, 10), 5);
    }
}
