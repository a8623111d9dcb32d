//! Bits of a scan, first bit highest, without the zero bytes that are stuffed after 0xff (T.81, B.1.1.5).

/// Reads one scan, or one stretch between two restart markers. Past its end it reads zeros and remembers that.
#[derive(Clone, Copy)]
pub(super) struct Bits<'a> {
    data: &'a [u8],
    /// Index of the first byte that is not counted in `word`.
    at: usize,
    /// The next bits, from the highest on.
    word: u64,
    /// How many bits of `word` count. The other bits are zero, or bits of the next bytes, which are read again.
    count: u32,
    /// How many zero bits were added after a marker or the end of the file.
    invented: u32,
}

impl<'a> Bits<'a> {
    /// Starts at byte `at`.
    pub(super) fn new(data: &'a [u8], at: usize) -> Self {
        Self { data, at, word: 0, count: 0, invented: 0 }
    }

    /// The position of the first byte that was not read. It is meaningful only after all bits were requested: then it
    /// is the position of a marker.
    pub(super) fn position(&self) -> usize {
        self.at
    }

    /// Whether more bits were used than the data have.
    #[inline(always)]
    pub(super) fn overran(&self) -> bool {
        self.invented > self.count
    }

    /// The position of the first byte of which no bit was used.
    pub(super) fn end(&self) -> usize {
        let unused = self.count.saturating_sub(self.invented) / 8;
        // A 0xff before this place is only a fill byte: a 0xff that belongs to the data is followed by a zero.
        let unfilled = |at| self.data.get(..at).and_then(|data| data.iter().rposition(|byte| *byte != 0xff));
        let mut at = unfilled(self.at).map_or(0, |last| last + 1);
        for _ in 0..unused {
            at = at.saturating_sub(1);
            if at > 0 && self.data.get(at - 1..=at) == Some(&[0xff, 0]) {
                at = unfilled(at).map_or(0, |last| last + 1);
            }
        }
        at
    }

    /// Makes at least 56 bits available.
    #[inline(always)]
    pub(super) fn refill(&mut self) {
        if let Some(bytes) = self.data.get(self.at..self.at.wrapping_add(8)).and_then(|bytes| bytes.first_chunk()) {
            let next = u64::from_be_bytes(*bytes);
            if !has_ff(next) {
                self.word |= next >> self.count;
                self.at += ((63 - self.count) >> 3) as usize;
                // At least seven of eight bytes are new. So the count is 56 plus the old count modulo 8.
                self.count |= 0b11_1000;
                return;
            }
        }
        *self = self.refilled();
    }

    /// Refills byte by byte, as stuffed zeros and the end of the data require.
    #[cold]
    #[inline(never)]
    fn refilled(mut self) -> Self {
        // Clears the bits below the counted ones. The bytes that follow differ from those of the fast path, and would
        // be mixed with them.
        self.word &= !(u64::MAX.checked_shr(self.count).unwrap_or(0));
        while self.count < 56 {
            let byte = match self.data.get(self.at..) {
                Some([0xff, 0x00, ..]) => {
                    self.at += 2;
                    0xff
                }
                Some([byte, ..]) if *byte != 0xff => {
                    self.at += 1;
                    *byte
                }
                // Fill bytes, which may stand before a stuffed zero as well as before a marker.
                Some([_, rest @ ..]) if rest.first() == Some(&0xff) => {
                    self.at += rest.iter().position(|byte| *byte != 0xff).unwrap_or(rest.len());
                    continue;
                }
                _ => {
                    self.invented += 8;
                    0
                }
            };
            self.word |= u64::from(byte) << (56 - self.count);
            self.count += 8;
        }
        self
    }

    /// The next `count` bits, 1 to 32, without using them.
    #[inline(always)]
    pub(super) fn peek(&self, count: u32) -> usize {
        (self.word >> (64 - count)) as usize
    }

    /// The state that `undo` restores, as long as there is no refill in between.
    #[inline(always)]
    pub(super) fn mark(&self) -> (u64, u32) {
        (self.word, self.count)
    }

    /// Goes back to `mark`.
    pub(super) fn undo(&mut self, mark: (u64, u32)) {
        (self.word, self.count) = mark;
    }

    /// Skips `count` bits, fewer than 64. They must be available.
    #[inline(always)]
    pub(super) fn skip(&mut self, count: u32) {
        self.word <<= count & 63;
        self.count = self.count.wrapping_sub(count);
    }

    /// The next `count` bits as a number, 0 to 16. They must be available.
    #[inline(always)]
    pub(super) fn take(&mut self, count: u32) -> i32 {
        // Two shifts, because a shift by 64 would do nothing.
        let value = (self.word >> 1 >> (63 - count)) as i32;
        self.skip(count);
        value
    }

    /// The number of `size` bits, 0 to 15, after the next `length` bits. All must be available.
    #[inline(always)]
    pub(super) fn signed_behind(&self, length: u32, size: u32) -> i32 {
        // Two shifts, because a shift by 64 would do nothing.
        extended((self.word << (length & 63) >> 1 >> (63 - (size & 63))) as i32, size)
    }

    /// The next bit.
    #[inline(always)]
    pub(super) fn bit(&mut self) -> i32 {
        if self.count == 0 {
            self.refill();
        }
        self.take(1)
    }

    /// A number of `size` bits as T.81 F.2.2.1 extends it: its first bit is 0 when it is negative.
    #[inline(always)]
    pub(super) fn signed(&mut self, size: u32) -> i32 {
        let value = self.take(size);
        extended(value, size)
    }
}

/// The number that `size` bits stand for.
#[inline(always)]
fn extended(value: i32, size: u32) -> i32 {
    let negative = i32::from(value < (1 << size >> 1));
    value - negative * ((1 << size) - 1)
}

/// Whether one of the eight bytes is 0xff.
#[inline(always)]
fn has_ff(word: u64) -> bool {
    const LOW: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    // A byte carries into its highest bit only when it was 0xff, unless a lower one did, and then the answer is yes too.
    word & HIGH & !word.wrapping_add(LOW) != 0
}
