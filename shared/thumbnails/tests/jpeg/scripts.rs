//! The coded side of a made JPEG: scans in any order, with restart markers anywhere.

use crate::made::{Component, Made};

/// One scan: its components, its first and last coefficient, and its first and last bit.
#[derive(Debug, Clone)]
pub struct Scan {
    pub components: Vec<usize>,
    pub band: (usize, usize),
    pub high: u32,
    pub low: u32,
}

/// A scan for `scripts`.
pub fn scan(components: &[usize], band: (usize, usize), high: u32, low: u32) -> Scan {
    Scan { components: components.to_vec(), band, high, low }
}

/// How a made picture is written.
#[derive(Clone)]
pub struct Script {
    pub progressive: bool,
    pub restart: u16,
    /// Whether the Huffman codes have 2 to 16 bits instead of 8.
    pub long_codes: bool,
    pub scans: Vec<Scan>,
    /// Segments before the frame header, whole.
    pub segments: Vec<u8>,
}

impl Script {
    /// A sequential picture in these scans.
    pub fn sequential(scans: &[&[usize]]) -> Self {
        let scans = scans.iter().map(|components| scan(components, (0, 63), 0, 0)).collect();
        Self { progressive: false, restart: 0, long_codes: false, scans, segments: Vec::new() }
    }

    /// A progressive picture in these scans.
    pub fn progressive(scans: Vec<Scan>) -> Self {
        Self { progressive: true, restart: 0, long_codes: false, scans, segments: Vec::new() }
    }

    /// The file.
    pub fn write(&self, made: &Made) -> Vec<u8> {
        let mut out = vec![0xff, 0xd8];
        out.extend(&self.segments);
        let steps: Vec<u8> = made.steps.iter().flat_map(|step| step.to_be_bytes()).collect();
        segment(&mut out, 0xdb, &[&[0x10], steps.as_slice()].concat());
        let codes = [Codes::of_differences(self.long_codes), Codes::of_coefficients(self.long_codes)];
        for (name, codes) in [0x00, 0x10].into_iter().zip(&codes) {
            segment(&mut out, 0xc4, &[&[name], codes.counts.as_slice(), &codes.symbols].concat());
        }
        segment(&mut out, 0xdd, &self.restart.to_be_bytes());
        let [height, width] = [made.size.1, made.size.0].map(|side| u16::try_from(side).unwrap().to_be_bytes());
        let mut content = vec![8, height[0], height[1], width[0], width[1]];
        content.push(u8::try_from(made.components.len()).unwrap());
        for component in &made.components {
            content.extend([component.id, u8::try_from(component.across * 16 + component.down).unwrap(), 0]);
        }
        segment(&mut out, if self.progressive { 0xc2 } else { 0xc0 }, &content);
        for scan in &self.scans {
            let mut content = vec![u8::try_from(scan.components.len()).unwrap()];
            content.extend(scan.components.iter().flat_map(|index| [made.components[*index].id, 0]));
            let (first, last) = scan.band;
            content.extend([first, last].map(|at| u8::try_from(at).unwrap()));
            content.push(u8::try_from(scan.high * 16 + scan.low).unwrap());
            segment(&mut out, 0xda, &content);
            Coder::new(self, made, scan, &codes).write(&mut out);
        }
        out.extend([0xff, 0xd9]);
        out
    }
}

/// Writes a segment.
pub fn segment(out: &mut Vec<u8>, marker: u8, content: &[u8]) {
    out.extend([0xff, marker]);
    out.extend(u16::try_from(content.len() + 2).unwrap().to_be_bytes());
    out.extend(content);
}

/// A Huffman code.
struct Codes {
    counts: [u8; 16],
    symbols: Vec<u8>,
    /// Code and length of each symbol.
    of_symbols: Vec<(u32, u32)>,
}

impl Codes {
    /// For the twelve sizes that differences of DC coefficients have.
    fn of_differences(long: bool) -> Self {
        let mut counts = [0; 16];
        if long {
            counts[1..12].fill(1);
            counts[15] = 1;
        } else {
            counts[3] = 12;
        }
        Self::new(counts, vec![3, 0, 11, 1, 2, 10, 4, 9, 8, 7, 5, 6])
    }

    /// For every symbol but 255.
    fn of_coefficients(long: bool) -> Self {
        let mut counts = [0; 16];
        if long {
            counts[1..15].fill(1);
            counts[8] = 240;
            counts[15] = 2;
        } else {
            counts[7] = 255;
        }
        // The end of a block and one frequent coefficient have the shortest codes, others that are frequent the longest.
        let shortest = [0x00, 0x01, 0x11, 0xf0, 0x05];
        let longest = [0x21, 0x03, 0x31, 0x06, 0x41, 0x02, 0x12, 0x04];
        let others = (0..255).filter(|symbol| !shortest.contains(symbol) && !longest.contains(symbol));
        Self::new(counts, shortest.into_iter().chain(others).chain(longest).collect())
    }

    fn new(counts: [u8; 16], symbols: Vec<u8>) -> Self {
        let mut codes = vec![(0, 0); 256];
        let (mut code, mut at) = (0, 0);
        for (length, count) in (1..).zip(counts) {
            for _ in 0..count {
                codes[usize::from(symbols[at])] = (code, length);
                code += 1;
                at += 1;
            }
            code <<= 1;
        }
        Self { counts, symbols, of_symbols: codes }
    }
}

/// Writes the coded data of one scan.
struct Coder<'a> {
    script: &'a Script,
    made: &'a Made,
    scan: &'a Scan,
    codes: &'a [Codes; 2],
    bits: Vec<bool>,
    before: [i32; 4],
    /// Blocks whose band has ended, not written yet, and the bits that belong behind them.
    ended: u32,
    waiting: Vec<bool>,
}

impl<'a> Coder<'a> {
    fn new(script: &'a Script, made: &'a Made, scan: &'a Scan, codes: &'a [Codes; 2]) -> Self {
        Self { script, made, scan, codes, bits: Vec::new(), before: [0; 4], ended: 0, waiting: Vec::new() }
    }

    fn write(mut self, out: &mut Vec<u8>) {
        for (number, unit) in self.units().into_iter().enumerate() {
            let interval = usize::from(self.script.restart);
            if interval > 0 && number > 0 && number % interval == 0 {
                self.flush(out);
                out.extend([0xff, 0xd0 + u8::try_from((number / interval - 1) % 8).unwrap()]);
                self.before = [0; 4];
            }
            for (index, block) in unit {
                let block = self.made.components[index].blocks[block];
                match (self.script.progressive, self.scan.band.0, self.scan.high) {
                    (false, ..) => self.sequential(index, &block),
                    (true, 0, 0) => self.dc(index, block[0] >> self.scan.low),
                    (true, 0, _) => self.bits.push(block[0] >> self.scan.low & 1 == 1),
                    (true, _, 0) => self.first(&block),
                    (true, ..) => self.refine(&block),
                }
            }
        }
        self.flush(out);
    }

    /// The blocks of each unit: component and index.
    fn units(&self) -> Vec<Vec<(usize, usize)>> {
        if let [index] = *self.scan.components {
            let component = &self.made.components[index];
            let (width, height) = self.made.samples(component);
            let blocks = (0..height.div_ceil(8)).flat_map(|y| (0..width.div_ceil(8)).map(move |x| (x, y)));
            return blocks.map(|(x, y)| vec![(index, (y * component.width + x) as usize)]).collect();
        }
        let (across, down) = self.made.most();
        let (across, down) = (self.made.size.0.div_ceil(8 * across), self.made.size.1.div_ceil(8 * down));
        let blocks = |index: &usize, column: u32, row: u32| {
            let component: &Component = &self.made.components[*index];
            let lines = row * component.down..(row + 1) * component.down;
            let columns = column * component.across..(column + 1) * component.across;
            let (index, width) = (*index, component.width);
            lines.flat_map(move |y| columns.clone().map(move |x| (index, (y * width + x) as usize)))
        };
        let unit = |column, row| self.scan.components.iter().flat_map(|index| blocks(index, column, row)).collect();
        (0..down).flat_map(|row| (0..across).map(move |column| (column, row))).map(|(x, y)| unit(x, y)).collect()
    }

    /// Writes a symbol in the code of AC coefficients.
    fn symbol(&mut self, symbol: u32) {
        self.coded(1, symbol);
    }

    fn coded(&mut self, table: usize, symbol: u32) {
        let (code, length) = self.codes[table].of_symbols[symbol as usize];
        assert!(length > 0, "symbol {symbol} has no code");
        self.number(code, length);
    }

    fn number(&mut self, value: u32, size: u32) {
        self.bits.extend((0..size).rev().map(|bit| value >> bit & 1 == 1));
    }

    fn magnitude(&mut self, value: i32, size: u32) {
        let value = if value < 0 { value - 1 } else { value };
        self.number(value.cast_unsigned() & ((1 << size) - 1), size);
    }

    fn dc(&mut self, index: usize, value: i32) {
        let difference = value - self.before[index];
        self.before[index] = value;
        let size = size(difference);
        self.coded(0, size);
        self.magnitude(difference, size);
    }

    fn sequential(&mut self, index: usize, block: &[i32; 64]) {
        self.dc(index, block[0]);
        let mut run = 0;
        for value in &block[1..] {
            if *value == 0 {
                run += 1;
                continue;
            }
            self.coefficient(run, *value);
            run = 0;
        }
        if run > 0 {
            self.symbol(0);
        }
    }

    fn coefficient(&mut self, mut run: u32, value: i32) {
        while run > 15 {
            self.symbol(0xf0);
            run -= 16;
        }
        let size = size(value);
        self.symbol(run * 16 + size);
        self.magnitude(value, size);
    }

    fn first(&mut self, block: &[i32; 64]) {
        let mut run = 0;
        for value in &block[self.scan.band.0..=self.scan.band.1] {
            // The scans have the bits of magnitudes (T.81, G.1.2.1).
            let value = value.signum() * (value.abs() >> self.scan.low);
            if value == 0 {
                run += 1;
                continue;
            }
            self.end();
            self.coefficient(run, value);
            run = 0;
        }
        if run > 0 {
            self.ended += 1;
            if self.ended == 0x7fff {
                self.end();
            }
        }
    }

    fn refine(&mut self, block: &[i32; 64]) {
        let band = &block[self.scan.band.0..=self.scan.band.1];
        let magnitude = |value: &i32| value.abs() >> self.scan.low;
        let last_new = band.iter().rposition(|value| magnitude(value) == 1);
        let (mut run, mut later) = (0, Vec::new());
        for (at, value) in band.iter().enumerate() {
            let magnitude = magnitude(value);
            if magnitude == 0 {
                run += 1;
                continue;
            }
            while run > 15 && last_new.is_some_and(|last| at <= last) {
                self.end();
                self.symbol(0xf0);
                self.bits.append(&mut later);
                run -= 16;
            }
            if magnitude > 1 {
                later.push(magnitude & 1 == 1);
                continue;
            }
            self.end();
            self.symbol(run * 16 + 1);
            self.bits.push(*value > 0);
            self.bits.append(&mut later);
            run = 0;
        }
        if run > 0 || !later.is_empty() {
            self.ended += 1;
            self.waiting.append(&mut later);
            if self.ended == 0x7fff {
                self.end();
            }
        }
    }

    /// Writes how many blocks have ended.
    fn end(&mut self) {
        if self.ended > 0 {
            let size = self.ended.ilog2();
            self.symbol(size * 16);
            self.number(self.ended - (1 << size), size);
            self.ended = 0;
        }
        self.bits.append(&mut self.waiting);
    }

    fn flush(&mut self, out: &mut Vec<u8>) {
        self.end();
        for byte in self.bits.chunks(8) {
            let byte = (0..8).fold(0, |value, at| value << 1 | u8::from(*byte.get(at).unwrap_or(&true)));
            out.push(byte);
            if byte == 0xff {
                out.push(0);
            }
        }
        self.bits.clear();
    }
}

/// Bits of a magnitude.
fn size(value: i32) -> u32 {
    32 - value.unsigned_abs().leading_zeros()
}
