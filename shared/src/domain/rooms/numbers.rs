//! Room numbers: short, and each one's own.
//!
//! A number is drawn at random among those of some length and claimed by a conditional write; where it is taken,
//! another is drawn. A counter would give shorter numbers, but every new room would wait in line for that one item.
//!
//! The length follows what was met: each taken number makes the next ones a little longer, the more so the more came in
//! a row, and each free one a little shorter. That settles where about one number in six is taken, so numbers are as
//! short as they can be drawn without much ado, and a function that starts beside a million rooms is there in a few
//! draws.

use std::sync::atomic::{AtomicU32, Ordering};

use crate::domain::random::{self, Random};

/// Parts of a digit in which the length is kept.
const PARTS: u32 = 16;
/// The document's example has four digits.
const SHORTEST: u32 = 4 * PARTS;
/// Nobody dials more than twelve.
const LONGEST: u32 = 12 * PARTS;
/// What the first taken number of a draw adds; the second adds twice as much, the third three times, and so on.
const TAKEN: u32 = 4;
/// What a free number takes off.
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

/// The draws for one room or account.
#[derive(Debug)]
pub struct Draw<'a> {
    numbers: &'a Numbers,
    taken: u32,
}

impl Numbers {
    /// Begins to draw.
    #[must_use]
    pub fn draw(&self) -> Draw<'_> {
        Draw { numbers: self, taken: 0 }
    }

    fn change(&self, change: impl Fn(u32) -> u32) {
        let change = |length| Some(change(length).clamp(SHORTEST, LONGEST));
        // The function above always answers something, so this never fails.
        let _ = self.length.fetch_update(Ordering::Relaxed, Ordering::Relaxed, change);
    }
}

impl Draw<'_> {
    /// How many draws are worth making: the last ones are of the longest numbers, of which hardly any is taken.
    pub const MOST: usize = 16;

    /// A number: decimal digits, the first not 0.
    #[must_use]
    pub fn number(&self, random: &dyn Random) -> String {
        let digits = self.numbers.length.load(Ordering::Relaxed) / PARTS;
        let least = 10_u64.pow(digits - 1);
        (least + random::below(random, 9 * least)).to_string()
    }

    /// Notes that the number was taken.
    pub fn was_taken(&mut self) {
        self.taken += 1;
        let step = TAKEN * self.taken;
        self.numbers.change(|length| length.saturating_add(step));
    }

    /// Notes that the number was free.
    pub fn was_free(self) {
        self.numbers.change(|length| length.saturating_sub(FREE));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::atomic::AtomicU64;

    use super::*;

    /// The same numbers at every run (`SplitMix64`).
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

    /// Claims a number like a table would, and answers how many draws that took.
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
