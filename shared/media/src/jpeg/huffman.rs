//! Huffman tables (T.81, annex C and F.2.2.3), and look-ups that take several steps at once.

use super::Damage;
use super::bits::Bits;

/// The number of bits that a look-up for one symbol uses. Longer codes are rare and take the slow path.
const NEAR: u32 = 10;

/// The number of bits that the look-up uses for coefficients that are not needed. With one bit more, the table does not
/// fit into the processor's nearest cache.
const FAR: u32 = 14;

/// The content of a DHT segment: the number of codes of each length from 1 to 16, and their symbols.
#[derive(Clone)]
pub(super) struct Spec {
    counts: [u8; 16],
    symbols: Vec<u8>,
}

impl Spec {
    /// The content of a segment. It is not checked before it is used.
    pub(super) fn new(counts: [u8; 16], symbols: &[u8]) -> Self {
        Self { counts, symbols: symbols.to_vec() }
    }

    /// Checks that the codes fit their lengths, and that no code consists of ones only (T.81, C.2).
    fn judge(&self) -> Result<(), Damage> {
        let mut room = 1_i32;
        let longest = self.counts.iter().rposition(|count| *count > 0).map_or(0, |last| last + 1);
        for count in &self.counts[..longest] {
            room = room * 2 - i32::from(*count);
            if room < 1 {
                return Err(Damage::HuffmanTable);
            }
        }
        Ok(())
    }

    /// The content of a DHT segment with this table under the name `name`.
    pub(super) fn segment(&self, name: u8) -> impl Iterator<Item = u8> {
        [name].into_iter().chain(self.counts).chain(self.symbols.iter().copied())
    }

    /// Length, code and symbol of each code, shortest first (T.81, C.2).
    fn codes(&self) -> impl Iterator<Item = (u32, u32, u8)> {
        let lengths = (1..).zip(self.counts).flat_map(|(length, count)| (0..count).map(move |_| length));
        let mut next = (0, 0);
        lengths.zip(&self.symbols).map(move |(length, symbol)| {
            next = (length, next.1 << (length - next.0));
            let code = next.1;
            next.1 += 1;
            (length, code, *symbol)
        })
    }
}

/// Finds the symbol of a code.
pub(super) struct Table {
    /// Length of the code in the low byte and its symbol above; 0 where the code is longer.
    near: [u16; 1 << NEAR],
    /// For each length, the first code that is longer, with its bits moved up to bit 15, and what to add to a code for
    /// the index of its symbol.
    longer: [(u32, i32); 17],
    symbols: [u8; 256],
}

impl Table {
    /// Builds the look-ups.
    pub(super) fn new(spec: &Spec) -> Result<Self, Damage> {
        spec.judge()?;
        let mut table = Self { near: [0; 1 << NEAR], longer: [(0, 0); 17], symbols: [0; 256] };
        for (length, code, symbol) in spec.codes() {
            if length <= NEAR {
                let first = (code << (NEAR - length)) as usize;
                let entry = u16::from(symbol) << 8 | length as u16;
                table.near[first..first + (1 << (NEAR - length))].fill(entry);
            }
        }
        let (mut code, mut index) = (0_i32, 0_i32);
        for (length, count) in (1_usize..).zip(spec.counts) {
            let offset = index - code;
            code += i32::from(count);
            index += i32::from(count);
            table.longer[length] = ((code as u32) << (16 - length), offset);
            code <<= 1;
        }
        for (to, symbol) in table.symbols.iter_mut().zip(&spec.symbols) {
            *to = *symbol;
        }
        Ok(table)
    }

    /// Reads a symbol. At least 17 bits must be available.
    #[inline(always)]
    pub(super) fn symbol(&self, bits: &mut Bits) -> u8 {
        let entry = self.near[bits.peek(NEAR)];
        if entry != 0 {
            bits.skip(u32::from(entry & 0xff));
            return (entry >> 8) as u8;
        }
        let (symbol, length) = self.long(bits.peek(16) as u32);
        bits.skip(length);
        symbol
    }

    /// The symbol of a code that may be long, and its length in bits. A code that does not exist counts as the symbol 0
    /// with 17 bits, the number after which libjpeg stops searching.
    #[cold]
    #[inline(never)]
    fn long(&self, code: u32) -> (u8, u32) {
        for length in 1..=16_u32 {
            let (limit, offset) = self.longer[length as usize];
            if code < limit {
                let index = (code >> (16 - length)) as i32 + offset;
                let symbol = usize::try_from(index).ok().and_then(|index| self.symbols.get(index));
                return (symbol.copied().unwrap_or(0), length);
            }
        }
        (0, 17)
    }
}

/// Codes with the numbers that follow them. A look-up only finds where the next code begins. The number is extracted in
/// parallel, so it takes almost no time.
struct Numbers {
    /// For each pattern of bits, the code at its start; nothing if that code is longer.
    near: Box<[Found; 1 << NEAR]>,
    table: Table,
}

/// A code that a look-up has found.
#[derive(Clone, Copy, Default)]
struct Found {
    /// Bits of the code and of the number after it; 0 if nothing was found.
    used: u8,
    /// Bits of the code.
    length: u8,
    /// Zeros before the coefficient, or `END`.
    run: u8,
    /// Bits of the number.
    size: u8,
}

impl Found {
    fn new(length: u32, run: u8, size: u8) -> Self {
        Self { used: length as u8 + size, length: length as u8, run, size }
    }
}

impl Numbers {
    /// Builds the look-up; `split` tells run and size of a symbol.
    fn new(spec: &Spec, split: impl Fn(u8) -> (u8, u8)) -> Result<Self, Damage> {
        let table = Table::new(spec)?;
        let mut near = Box::new([Found::default(); 1 << NEAR]);
        for (length, code, symbol) in spec.codes().take_while(|(length, ..)| *length <= NEAR) {
            let (run, size) = split(symbol);
            let first = (code << (NEAR - length)) as usize;
            near[first..first + (1 << (NEAR - length))].fill(Found::new(length, run, size));
        }
        Ok(Self { near, table })
    }

    /// The next code, and the number after it. Takes at most 25 of the available bits.
    #[inline(always)]
    fn next(&self, bits: &mut Bits, split: impl Fn(u8) -> (u8, u8)) -> (u8, i32) {
        let mut found = self.near[bits.peek(NEAR)];
        if found.used == 0 {
            (*bits, found) = self.longer(*bits, split);
        }
        let value = bits.signed_behind(u32::from(found.length), u32::from(found.size));
        bits.skip(u32::from(found.used));
        (found.run, value)
    }

    /// Finds a long code and makes its bits available.
    #[cold]
    #[inline(never)]
    fn longer<'a>(&self, mut bits: Bits<'a>, split: impl Fn(u8) -> (u8, u8)) -> (Bits<'a>, Found) {
        bits.refill();
        let symbol = self.table.symbol(&mut bits);
        bits.refill();
        let (run, size) = split(symbol);
        (bits, Found::new(0, run, size))
    }
}

/// Reads the differences of DC coefficients.
pub(super) struct DcTable(Numbers);

impl DcTable {
    /// Builds the look-up. Of 8-bit pictures 11 bits are the most, of any 16 (T.81, table F.1 and H.2); libraries
    /// take 15.
    pub(super) fn new(spec: &Spec) -> Result<Self, Damage> {
        if spec.symbols.iter().any(|size| *size > 15) {
            return Err(Damage::HuffmanTable);
        }
        Ok(Self(Numbers::new(spec, Self::split)?))
    }

    /// Reads a difference. At least 25 bits must be available.
    #[inline(always)]
    pub(super) fn difference(&self, bits: &mut Bits) -> i32 {
        self.0.next(bits, Self::split).1
    }

    fn split(size: u8) -> (u8, u8) {
        (0, size & 15)
    }
}

/// Reads AC coefficients, or skips them.
pub(super) struct AcTable {
    /// The low byte has the bits used, the rest the coefficients skipped; plus `LAST` if the block ends there.
    far: Box<[u16; 1 << FAR]>,
    numbers: Numbers,
}

/// The most bits that an entry of `AcTable::far` uses: two entries must fit into the 56 available bits.
const REACH: u32 = 28;

/// The count that an entry of `AcTable::far` adds at the end of the block: more coefficients than a block has.
const LAST: u16 = 128;

/// The entry for an undefined or a long code: more than any sum of coefficients.
const NONE: u16 = 0xff00;

/// The run that marks the end of the block: more than any sum of runs.
pub(super) const END: u8 = 128;

impl AcTable {
    /// Builds the look-ups.
    pub(super) fn new(spec: &Spec) -> Result<Self, Damage> {
        let numbers = Numbers::new(spec, Self::split)?;
        let far = steps(spec).try_into().unwrap_or_else(|_| unreachable!("there is an entry for each pattern of bits"));
        Ok(Self { far, numbers })
    }

    /// Reads a coefficient: the number of zeros before it (`END` at the end of the block), and its value. At least 25
    /// bits must be available.
    #[inline(always)]
    pub(super) fn coefficient(&self, bits: &mut Bits) -> (usize, i32) {
        let (run, value) = self.numbers.next(bits, Self::split);
        (usize::from(run), value)
    }

    fn split(symbol: u8) -> (u8, u8) {
        match (symbol >> 4, symbol & 15) {
            (..15, 0) => (END, 0),
            split => split,
        }
    }

    /// Skips the last `left` coefficients of a block, at least one.
    ///
    /// Whether the second look-up is useful changes only numbers, not branches: a branch that the processor cannot
    /// predict costs more than the unneeded work.
    #[inline(always)]
    pub(super) fn step_over(&self, bits: &mut Bits, mut left: i32) {
        loop {
            bits.refill();
            let before = (bits.mark(), left);
            // Two look-ups use at most twice `REACH` bits. After the end of the block, a look-up is masked out.
            for _ in 0..2 {
                let entry = i32::from(self.far[bits.peek(FAR)]) & (left.wrapping_neg() >> 31);
                bits.skip(entry as u32 & 63);
                left -= entry >> 8;
            }
            if left > 0 {
                continue;
            }
            // After the end of a block of 63, `left` is at most -65, and at least -127 if no run went too far.
            if left == 0 || (left > -i32::from(LAST) && left < -64) {
                return;
            }
            bits.undo(before.0);
            *bits = self.step_singly(*bits, before.1);
            return;
        }
    }

    /// Skips symbol by symbol: where a look-up would read into the next block, and for codes that are too long for it.
    /// A run that leaves the block ends it.
    #[cold]
    #[inline(never)]
    fn step_singly<'a>(&self, mut bits: Bits<'a>, mut left: i32) -> Bits<'a> {
        while left > 0 {
            bits.refill();
            let symbol = self.numbers.table.symbol(&mut bits);
            let (run, size) = (i32::from(symbol >> 4), u32::from(symbol & 15));
            if size == 0 && run != 15 {
                break;
            }
            bits.skip(size);
            left -= run + 1;
        }
        bits
    }
}

/// The table of `AcTable::far`. The entry of a pattern of m bits combines its first symbol with the entry of the
/// remaining bits, so the tables for fewer bits are made first.
fn steps(spec: &Spec) -> Vec<u16> {
    let mut tables: Vec<Vec<u16>> = vec![vec![0]];
    for sight in 1..=FAR {
        let mut table = vec![0; 1 << sight];
        for (length, code, symbol) in spec.codes().take_while(|(length, ..)| *length <= sight) {
            let (run, size) = (u16::from(symbol >> 4), u32::from(symbol & 15));
            let first = (code << (sight - length)) as usize;
            let entries = &mut table[first..first + (1 << (sight - length))];
            let used = length + size;
            if used > REACH {
                continue;
            }
            if size == 0 && run != 15 {
                entries.fill(LAST << 8 | used as u16);
                continue;
            }
            let one = (run + 1) << 8 | used as u16;
            let Some(rest) = sight.checked_sub(used) else {
                entries.fill(one);
                continue;
            };
            let rest = &tables[rest as usize];
            for entries in entries.chunks_exact_mut(rest.len()) {
                for (entry, more) in entries.iter_mut().zip(rest) {
                    // A count above the size of a block is never used, but must not overflow. Nor may more bits be used
                    // than are available.
                    let sum = (one >> 8) + (more >> 8 & (LAST - 1));
                    let both = used + u32::from(more & 0xff);
                    *entry = if sum < 64 && both <= REACH { one + more } else { one };
                }
            }
        }
        tables.push(table);
    }
    let mut table = tables.pop().unwrap_or_default();
    for entry in &mut table {
        if *entry == 0 {
            *entry = NONE;
        }
    }
    table
}
