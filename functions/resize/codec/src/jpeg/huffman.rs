//! Huffman tables (T.81, annex C and F.2.2.3), and look-ups that do more than one step at a time.

use super::Damage;
use super::bits::{Bits, extended};

/// Bits that a look-up for one symbol sees; longer codes are rare and take the slow way.
const NEAR: u32 = 10;

/// Bits that the look-up for coefficients that nobody needs sees. One more takes the table out of the nearest cache.
const FAR: u32 = 14;

/// What a DHT segment says: how many codes there are of each length from 1 to 16, and their symbols.
#[derive(Clone)]
pub(super) struct Spec {
    counts: [u8; 16],
    symbols: Vec<u8>,
}

impl Spec {
    /// Judges what a segment says: codes have to fit their lengths.
    pub(super) fn new(counts: [u8; 16], symbols: &[u8]) -> Result<Self, Damage> {
        let mut room = 1_i32;
        for count in counts {
            room = room * 2 - i32::from(count);
            if room < 0 {
                return Err(Damage::HuffmanTable);
            }
        }
        Ok(Self { counts, symbols: symbols.to_vec() })
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
    pub(super) fn new(spec: &Spec) -> Self {
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
        table
    }

    /// Reads a symbol. At least 16 bits have to be there.
    #[inline(always)]
    pub(super) fn symbol(&self, bits: &mut Bits) -> Result<u8, Damage> {
        let entry = self.near[bits.peek(NEAR)];
        if entry != 0 {
            bits.skip(u32::from(entry & 0xff));
            return Ok((entry >> 8) as u8);
        }
        let (symbol, length) = self.long(bits.peek(16) as u32)?;
        bits.skip(length);
        Ok(symbol)
    }

    #[cold]
    #[inline(never)]
    fn long(&self, code: u32) -> Result<(u8, u32), Damage> {
        for length in 1..=16_u32 {
            let (limit, offset) = self.longer[length as usize];
            if code < limit {
                let index = (code >> (16 - length)) as i32 + offset;
                let symbol = usize::try_from(index).ok().and_then(|index| self.symbols.get(index));
                return symbol.map(|symbol| (*symbol, length)).ok_or(Damage::HuffmanCode);
            }
        }
        Err(Damage::HuffmanCode)
    }
}

/// Reads the differences of DC coefficients: code and number in one look-up.
pub(super) struct DcTable {
    /// Bits used in the low byte and the difference above; 0 where one look-up does not do.
    whole: Box<[i32; 1 << NEAR]>,
    table: Table,
}

impl DcTable {
    /// Builds the look-ups.
    pub(super) fn new(spec: &Spec) -> Self {
        let mut whole = Box::new([0; 1 << NEAR]);
        for (length, code, size) in spec.codes() {
            let used = length + u32::from(size);
            if used <= NEAR {
                for value in 0..1 << size {
                    let first = ((code << size | value) << (NEAR - used)) as usize;
                    let entry = extended(value as i32, u32::from(size)) << 8 | used as i32;
                    whole[first..first + (1 << (NEAR - used))].fill(entry);
                }
            }
        }
        Self { whole, table: Table::new(spec) }
    }

    /// Reads a difference. At least 32 bits have to be there.
    #[inline(always)]
    pub(super) fn difference(&self, bits: &mut Bits) -> Result<i32, Damage> {
        let entry = self.whole[bits.peek(NEAR)];
        if entry != 0 {
            bits.skip((entry & 0xff) as u32);
            return Ok(entry >> 8);
        }
        let size = self.table.symbol(bits)?;
        // Of 8-bit pictures 11 bits are the most, of any 16 (T.81, table F.1 and H.2); libraries take 15.
        if size > 15 {
            return Err(Damage::HuffmanCode);
        }
        Ok(bits.signed(u32::from(size)))
    }
}

/// Reads AC coefficients, or steps over them.
pub(super) struct AcTable {
    /// Bits used in the low byte, coefficients stepped over above; `LAST` more when the block ends there.
    far: Box<[u16; 1 << FAR]>,
    /// Bits used in the low byte, then the run, then the coefficient; 0 where one look-up does not do.
    whole: Box<[i32; 1 << NEAR]>,
    table: Table,
}

/// What an entry of `AcTable::far` adds where the block ends: more than a block has coefficients.
const LAST: u16 = 128;

/// An entry that is no code, or a long one: more than any sum of coefficients.
const NONE: u16 = 0xff00;

/// The run of an entry of `AcTable::whole` that ends the block: more than any sum of runs.
pub(super) const END: i32 = 128;

impl AcTable {
    /// Builds the look-ups.
    pub(super) fn new(spec: &Spec) -> Self {
        let far = steps(spec).try_into().unwrap_or_else(|_| unreachable!("there is an entry for each pattern of bits"));
        let mut whole = Box::new([0; 1 << NEAR]);
        for (length, code, symbol) in spec.codes() {
            let (run, size) = (i32::from(symbol >> 4), u32::from(symbol & 15));
            let used = length + size;
            if used <= NEAR {
                let run = if size == 0 && run != 15 { END } else { run };
                for value in 0..1 << size {
                    let first = ((code << size | value) << (NEAR - used)) as usize;
                    let entry = extended(value as i32, size) << 16 | run << 8 | used as i32;
                    whole[first..first + (1 << (NEAR - used))].fill(entry);
                }
            }
        }
        Self { far, whole, table: Table::new(spec) }
    }

    /// Reads a coefficient: how many zeros come before it, which is `END` where the block ends, and its value. At
    /// least 32 bits have to be there.
    #[inline(always)]
    pub(super) fn coefficient(&self, bits: &mut Bits) -> Result<(usize, i32), Damage> {
        let entry = self.whole[bits.peek(NEAR)];
        if entry != 0 {
            bits.skip((entry & 0xff) as u32);
            return Ok(((entry >> 8 & 0xff) as usize, entry >> 16));
        }
        let symbol = self.table.symbol(bits)?;
        let (run, size) = (symbol >> 4, u32::from(symbol & 15));
        if size == 0 && run != 15 {
            return Ok((END as usize, 0));
        }
        Ok((usize::from(run), bits.signed(size)))
    }

    /// Steps over the last `left` coefficients of a block, which are at least one.
    #[inline(always)]
    pub(super) fn step_over(&self, bits: &mut Bits, mut left: i32) -> Result<(), Damage> {
        loop {
            bits.refill();
            // Two look-ups use at most 56 bits: one that begins in its sight has at most 13 and 15.
            for _ in 0..2 {
                let before = bits.mark();
                let entry = self.far[bits.peek(FAR)];
                bits.skip(u32::from(entry & 63));
                let after = left - i32::from(entry >> 8);
                if after > 0 {
                    left = after;
                    continue;
                }
                // With its end seen, a block of 63 leaves -65 at most, and -127 at least when nothing went too far.
                if after == 0 || (after > -i32::from(LAST) && after < -64) {
                    return Ok(());
                }
                bits.undo(before);
                return self.step_singly(bits, left);
            }
        }
    }

    /// Symbol by symbol: where a look-up would read into the next block, and codes that it does not see.
    #[cold]
    #[inline(never)]
    fn step_singly(&self, bits: &mut Bits, mut left: i32) -> Result<(), Damage> {
        while left > 0 {
            bits.refill();
            let symbol = self.table.symbol(bits)?;
            let (run, size) = (i32::from(symbol >> 4), u32::from(symbol & 15));
            if size == 0 && run != 15 {
                return Ok(());
            }
            bits.skip(size);
            left -= run + 1;
        }
        // A run that leaves the block is damage.
        if left == 0 { Ok(()) } else { Err(Damage::Run) }
    }
}

/// The table of `AcTable::far`. What a pattern of m bits tells is what its first symbol tells, and what the rest of
/// the bits does; so the tables for fewer bits are made first.
fn steps(spec: &Spec) -> Vec<u16> {
    let mut tables: Vec<Vec<u16>> = vec![vec![0]];
    for sight in 1..=FAR {
        let mut table = vec![0; 1 << sight];
        for (length, code, symbol) in spec.codes().take_while(|(length, ..)| *length <= sight) {
            let (run, size) = (u16::from(symbol >> 4), u32::from(symbol & 15));
            let first = (code << (sight - length)) as usize;
            let entries = &mut table[first..first + (1 << (sight - length))];
            let used = length + size;
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
                    // More than a block holds is never used, and must not spill over.
                    let sum = (one >> 8) + (more >> 8 & (LAST - 1));
                    *entry = if sum < 64 { one + more } else { one };
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
