//! Room numbers: short and unique.
//!
//! A number is drawn at random among those of some length and claimed by a conditional write. If it is taken, another
//! is drawn. A counter would give shorter numbers, but then every new room would wait for that one item.
//!
//! The length adapts to the results: each taken number makes the next ones a little longer, and more so the more taken
//! numbers come in a row; each free number makes them a little shorter. In balance about one number in six is taken. So
//! the numbers are about as short as they can be without many draws, and a newly started function reaches the right
//! length after a few draws even with a million rooms.

use std::sync::atomic::{AtomicU32, Ordering};

use crate::random::{self, Random};

/// The length is kept in fractions of a digit, so many to a digit.
const PARTS: u32 = 16;
/// The example in the API's documentation has four digits.
const SHORTEST: u32 = 4 * PARTS;
/// More than twelve digits are too long to dial.
const LONGEST: u32 = 12 * PARTS;
/// How much the first taken number of a draw adds to the length. The second adds twice as much, the third three times,
/// and so on.
const TAKEN: u32 = 4;
/// How much a free number takes off the length.
const FREE: u32 = 1;

/// Draws room numbers.
#[derive(Debug)]
pub struct Numbers {
    length: AtomicU32,
}

impl Default for Numbers {
    fn default() -> Self {
        Self { length: AtomicU32::new(SHORTEST) }
    }
}

/// The draws for one room or one account.
#[derive(Debug)]
pub struct Draw<'a> {
    numbers: &'a Numbers,
    taken: u32,
}

impl Numbers {
    /// Starts drawing.
    #[must_use]
    pub fn draw(&self) -> Draw<'_> {
        Draw { numbers: self, taken: 0 }
    }

    fn change(&self, change: impl Fn(u32) -> u32) {
        let change = |length| Some(change(length).clamp(SHORTEST, LONGEST));
        // `change` always returns `Some`, so this never fails.
        let _ = self.length.fetch_update(Ordering::Relaxed, Ordering::Relaxed, change);
    }
}

impl Draw<'_> {
    /// The maximum number of draws. The last draws use the longest numbers, of which hardly any is taken.
    pub const MOST: usize = 16;

    /// A number: decimal digits, the first not 0.
    #[must_use]
    pub fn number(&self, random: &dyn Random) -> String {
        let digits = self.numbers.length.load(Ordering::Relaxed) / PARTS;
        let least = 10_u64.pow(digits - 1);
        (least + random::below(random, 9 * least)).to_string()
    }

    /// Records that the number was taken.
    pub fn was_taken(&mut self) {
        self.taken += 1;
        let step = TAKEN * self.taken;
        self.numbers.change(|length| length.saturating_add(step));
    }

    /// Records that the number was free.
    pub fn was_free(self) {
        self.numbers.change(|length| length.saturating_sub(FREE));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::atomic::AtomicU64;

    use super::*;

    /// The same numbers in every run (`SplitMix64`).
    #[derive(Default)]
    struct Seeded(AtomicU64);

    impl Random for Seeded {
        fn fill(&self, bytes: &mut [u8]) {
            let mut mixed = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            bytes.copy_from_slice(&(mixed ^ (mixed >> 31)).to_le_bytes());
        }
    }

    /// Claims a number as a table would, and returns how many draws that took.
    fn claim(numbers: &Numbers, random: &Seeded, table: &mut HashSet<String>) -> usize {
        let mut draw = numbers.draw();
        for tries in 1..=Draw::MOST {
            if table.insert(draw.number(random)) {
                draw.was_free();
                return tries;
            }
            draw.was_taken();
        }
        panic!("no number was free");
    }

    #[test]
    fn numbers_stay_short_and_draws_few_while_lengths_fill_up() {
        let (numbers, random, mut table) = (Numbers::default(), Seeded::default(), HashSet::new());
        let mut tries = 0;
        for _ in 0..30_000 {
            tries += claim(&numbers, &random, &mut table);
        }
        let of = |digits: usize| table.iter().filter(|number| number.len() == digits).count();
        assert!(
            of(4) > 3_000 && of(4) + of(5) + of(6) > 29_900,
            "{} of four, {} of five, {} of six",
            of(4),
            of(5),
            of(6)
        );
        assert!(tries < 30_000 * 3 / 2, "{tries} draws");
    }

    #[test]
    fn a_function_that_starts_late_soon_draws_long_numbers() {
        let mut table: HashSet<String> = (1_000..100_000_u32).map(|number| number.to_string()).collect();
        let (numbers, random) = (Numbers::default(), Seeded::default());
        assert!(claim(&numbers, &random, &mut table) <= 6);
        let tries: usize = (0..100).map(|_| claim(&numbers, &random, &mut table)).sum();
        assert!(tries < 150, "{tries} draws");
    }
}
