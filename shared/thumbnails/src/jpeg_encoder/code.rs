//! Huffman codes for the symbols of a picture (T.81, K.2), and a writer of bits.

/// The number of occurrences of each symbol.
pub(super) struct Counts([u32; 256]);

impl Counts {
    /// Starts without symbols.
    pub(super) const fn new() -> Self {
        Self([0; 256])
    }

    /// Counts a symbol.
    #[inline(always)]
    pub(super) fn add(&mut self, symbol: u8) {
        self.0[usize::from(symbol)] += 1;
    }

    /// The best code with lengths up to 16 and without a code that has only ones.
    pub(super) fn code(&self) -> Code {
        let mut lengths = self.lengths();
        shorten(&mut lengths);
        let mut symbols: Vec<u8> = (0..=255).filter(|symbol| self.0[usize::from(*symbol)] > 0).collect();
        // T.81 sorts by the length before shortening. In both orders, frequent symbols come first.
        symbols.sort_by_key(|symbol| std::cmp::Reverse(self.0[usize::from(*symbol)]));
        Code::new(lengths, symbols)
    }

    /// The number of codes of each length, without a limit. An additional symbol, the rarest of all, takes the code
    /// that has only ones.
    fn lengths(&self) -> [u32; 64] {
        let mut weights: Vec<u64> = self.0.iter().filter(|count| **count > 0).map(|count| u64::from(*count)).collect();
        weights.push(0);
        weights.sort_unstable();
        // Pairs are created in the order of their weights, so the two lightest are always at the front of the two
        // queues.
        let leaves = weights.len();
        let (mut leaf, mut pair) = (0, leaves);
        let mut parents = vec![0; 2 * leaves];
        while weights.len() < 2 * leaves - 1 {
            let mut sum = 0;
            for _ in 0..2 {
                let lightest = if leaf < leaves && weights.get(pair).is_none_or(|pair| weights[leaf] <= *pair) {
                    &mut leaf
                } else {
                    &mut pair
                };
                sum += weights[*lightest];
                parents[*lightest] = weights.len();
                *lightest += 1;
            }
            weights.push(sum);
        }
        let mut depths = vec![0_usize; weights.len()];
        for node in (0..weights.len() - 1).rev() {
            depths[node] = depths[parents[node]] + 1;
        }
        let mut lengths = [0; 64];
        for depth in &depths[..leaves] {
            lengths[(*depth).min(63)] += 1;
        }
        lengths
    }
}

/// Reduces lengths above 16 (T.81, figure K.3), and removes the code that must not be used.
fn shorten(lengths: &mut [u32; 64]) {
    for length in (17..64).rev() {
        while lengths[length] > 0 {
            // Two codes become one code that is shorter by a bit, and a shorter code is split to make room for the
            // other.
            let Some(shorter) = (1..length - 1).rev().find(|length| lengths[*length] > 0) else { break };
            lengths[length] -= 2;
            lengths[length - 1] += 1;
            lengths[shorter + 1] += 2;
            lengths[shorter] -= 1;
        }
    }
    if let Some(longest) = lengths.iter_mut().rev().find(|count| **count > 0) {
        *longest -= 1;
    }
}

/// A Huffman code.
pub(super) struct Code {
    /// The counts in the DHT segment.
    pub(super) counts: [u8; 16],
    /// The symbols, shortest code first.
    pub(super) symbols: Vec<u8>,
    /// Code and length of each symbol.
    codes: [(u16, u8); 256],
}

impl Code {
    fn new(lengths: [u32; 64], symbols: Vec<u8>) -> Self {
        let mut counts = [0; 16];
        for (count, length) in counts.iter_mut().zip(&lengths[1..]) {
            *count = *length as u8;
        }
        let mut codes = [(0, 0); 256];
        let (mut code, mut index) = (0_u16, 0);
        for (length, count) in (1..).zip(counts) {
            for symbol in symbols.iter().skip(index).take(usize::from(count)) {
                codes[usize::from(*symbol)] = (code, length);
                code = code.wrapping_add(1);
            }
            index += usize::from(count);
            code <<= 1;
        }
        Self { counts, symbols, codes }
    }
}

/// A symbol, the bits after it, and its table.
#[derive(Clone, Copy)]
pub(super) struct Token {
    /// Index of the table.
    pub(super) table: u8,
    /// The coded symbol.
    pub(super) symbol: u8,
    /// The bits after the code.
    pub(super) bits: u16,
}

impl Token {
    /// The number of bits after the code: the lower half of every symbol of a baseline scan.
    fn size(self) -> u32 {
        u32::from(self.symbol & 15)
    }
}

/// Writes bits, first bit highest, with zeros stuffed after 0xff.
pub(super) struct Writer {
    out: Vec<u8>,
    word: u64,
    count: u32,
}

impl Writer {
    /// Appends to `out`.
    pub(super) fn new(out: Vec<u8>) -> Self {
        Self { out, word: 0, count: 0 }
    }

    /// Writes a token with the code of its table.
    #[inline(always)]
    pub(super) fn put(&mut self, code: &Code, token: Token) {
        let (bits, length) = code.codes[usize::from(token.symbol)];
        // At most 31 bits are waiting, and at most 16 and 15 are added.
        self.word = self.word << length | u64::from(bits);
        self.word = self.word << token.size() | u64::from(token.bits);
        self.count += u32::from(length) + token.size();
        if self.count >= 32 {
            self.count -= 32;
            self.bytes(&((self.word >> self.count) as u32).to_be_bytes());
        }
    }

    fn bytes(&mut self, bytes: &[u8]) {
        if !bytes.contains(&0xff) {
            self.out.extend_from_slice(bytes);
            return;
        }
        for byte in bytes {
            self.out.push(*byte);
            if *byte == 0xff {
                self.out.push(0);
            }
        }
    }

    /// Fills the last byte with ones.
    pub(super) fn finish(mut self) -> Vec<u8> {
        let missing = self.count.wrapping_neg() % 8;
        let word = self.word << missing | ((1 << missing) - 1);
        let count = (self.count + missing) / 8;
        self.bytes(&word.to_be_bytes()[8 - count as usize..]);
        self.out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The room that codes take, of 2 to the 16th.
    fn room(code: &Code) -> u32 {
        (1..).zip(code.counts).map(|(length, count)| u32::from(count) << (16 - length)).sum()
    }

    #[test]
    fn what_is_frequent_has_a_short_code() {
        let mut counts = Counts::new();
        for (symbol, count) in [(1, 100), (2, 50), (3, 10), (4, 10)] {
            (0..count).for_each(|_| counts.add(symbol));
        }
        let code = counts.code();
        assert_eq!(code.symbols[..2], [1, 2]);
        assert_eq!(code.counts[..4], [1, 1, 1, 1]);
        assert!(room(&code) < 1 << 16, "ones only are a code");
    }

    #[test]
    fn codes_are_at_most_sixteen_bits_long_and_none_is_ones_only() {
        let mut counts = Counts::new();
        // Numbers of Fibonacci give the longest codes there are.
        let (mut count, mut next) = (1, 1);
        for symbol in 0..40 {
            counts.0[symbol] = count;
            (count, next) = (next, count + next);
        }
        let code = counts.code();
        assert_eq!(code.counts.iter().map(|count| usize::from(*count)).sum::<usize>(), 40);
        assert!(room(&code) < 1 << 16);
        assert!(code.codes[39].1 < code.codes[0].1);
    }

    #[test]
    fn one_symbol_alone_has_a_code() {
        let mut counts = Counts::new();
        counts.add(7);
        let code = counts.code();
        assert_eq!((code.symbols.as_slice(), code.codes[7]), ([7].as_slice(), (0, 1)));
    }

    #[test]
    fn bits_are_stuffed_and_the_last_byte_is_filled_with_ones() {
        let mut counts = Counts::new();
        counts.add(8);
        let code = counts.code();
        let mut writer = Writer::new(Vec::new());
        for bits in [0xff, 0x00, 0xff, 0xff, 0x55] {
            writer.put(&code, Token { table: 0, symbol: 8, bits });
        }
        // A zero for the code before each byte.
        assert_eq!(writer.finish(), [0x7f, 0x80, 0x1f, 0xef, 0xf2, 0xaf]);
    }
}
