//! The codes of a GIF's pixels (`GIF89a` specification, appendix F), without the pixels.

/// Bits of the longest code.
const LONGEST: u32 = 12;

/// These sub-blocks, closed, up to the last code that a picture of so many pixels needs, and up to the end code if it
/// follows. The bytes after it are not part of the picture. `None` if an earlier code was not defined: libvips refuses
/// such a code, and otherwise shows as much as there is.
pub(super) fn trimmed(sub_blocks: &[u8], code_size: u8, pixels: u64) -> Option<Vec<u8>> {
    let clear = 1_usize << code_size;
    let mut codes = Codes { sub_blocks, length: 0, left: 0, word: 0, count: 0 };
    let mut needed = codes;
    let mut lengths = vec![1_u32; clear + 2];
    let (mut known, mut bits, mut before) = (clear + 2, u32::from(code_size) + 1, None);
    let mut told = 0;
    loop {
        let Some(code) = codes.next(bits) else {
            // If the codes do not cover all pixels, every code is needed.
            if told < pixels {
                return Some(sub_blocks.to_vec());
            }
            break;
        };
        if code == clear {
            (known, bits, before) = (clear + 2, u32::from(code_size) + 1, None);
            continue;
        }
        if code == clear + 1 {
            needed = codes;
            break;
        }
        if told >= pixels {
            break;
        }
        let length = match before {
            // The first code stands for a pixel.
            None if code < clear => 1,
            // A code may be the one that it defines.
            Some(before) if code <= known && (code < known || known < 1 << LONGEST) => {
                let next = before + 1;
                if known < 1 << LONGEST {
                    lengths.truncate(known);
                    lengths.push(next);
                    known += 1;
                    if known == 1 << bits && bits < LONGEST {
                        bits += 1;
                    }
                }
                lengths[code]
            }
            _ => return None,
        };
        told += u64::from(length);
        before = Some(length);
        needed = codes;
    }
    Some(needed.read_of(sub_blocks))
}

/// Reads codes, lowest bit first.
#[derive(Clone, Copy)]
struct Codes<'a> {
    sub_blocks: &'a [u8],
    /// Bytes of the sub-block that is being read, and how many of them are left.
    length: u8,
    left: u8,
    word: u32,
    count: u32,
}

impl Codes<'_> {
    /// The next code of so many bits; `None` at the end of the data.
    fn next(&mut self, bits: u32) -> Option<usize> {
        while self.count < bits {
            while self.left == 0 {
                self.length = self.byte()?;
                self.left = self.length;
                if self.left == 0 {
                    return None;
                }
            }
            self.left -= 1;
            self.word |= u32::from(self.byte()?) << self.count;
            self.count += 8;
        }
        let code = self.word & ((1 << bits) - 1);
        self.word >>= bits;
        self.count -= bits;
        usize::try_from(code).ok()
    }

    /// The part of all sub-blocks that was read, closed.
    fn read_of(&self, all: &[u8]) -> Vec<u8> {
        let read = all.len() - self.sub_blocks.len();
        let mut bytes = all[..read].to_vec();
        // Only a part of the last one may be needed.
        let last = self.length - self.left;
        if let Some(length) = read.checked_sub(usize::from(last) + 1).and_then(|at| bytes.get_mut(at)) {
            *length = last;
        }
        bytes.push(0);
        bytes
    }

    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.sub_blocks.split_first()?;
        self.sub_blocks = rest;
        Some(*first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Codes of the lengths that they have in a stream, in one sub-block.
    fn coded(codes: &[(u32, u32)]) -> Vec<u8> {
        let (mut bytes, mut word, mut count) = (Vec::new(), 0, 0);
        for (code, bits) in codes {
            word |= code << count;
            count += bits;
            while count >= 8 {
                bytes.push(u8::try_from(word & 0xff).unwrap());
                (word, count) = (word >> 8, count - 8);
            }
        }
        bytes.push(u8::try_from(word).unwrap());
        [&[u8::try_from(bytes.len()).unwrap()], &bytes[..], &[0]].concat()
    }

    fn is_sound(sub_blocks: &[u8], code_size: u8, pixels: u64) -> bool {
        trimmed(sub_blocks, code_size, pixels).is_some()
    }

    #[test]
    fn codes_that_have_a_meaning_are_sound_as_far_as_they_go() {
        // Two bits a pixel: 4 clears, 5 ends, 6 is the first that becomes known.
        let whole = coded(&[(4, 3), (1, 3), (6, 3), (6, 3), (2, 4), (5, 4)]);
        assert!(is_sound(&whole, 2, 6));
        for length in 0..whole.len() {
            assert!(is_sound(&whole[..length], 2, 6), "{length}");
        }
    }

    #[test]
    fn a_code_without_a_meaning_is_not_unless_nothing_is_needed_any_more() {
        let first = coded(&[(4, 3), (6, 3)]);
        assert!(!is_sound(&first, 2, 6) && is_sound(&first, 2, 0));
        let later = coded(&[(4, 3), (1, 3), (7, 3)]);
        assert!(!is_sound(&later, 2, 6) && is_sound(&later, 2, 1));
        assert!(is_sound(&coded(&[(4, 3), (1, 3), (5, 3), (7, 3)]), 2, 6));
    }

    #[test]
    fn what_is_behind_the_last_code_is_trimmed() {
        let codes = [(4, 3), (1, 3), (6, 3), (6, 3), (2, 4), (5, 4)];
        let whole = coded(&codes);
        assert_eq!(trimmed(&whole, 2, 6).unwrap(), whole);
        let open = &whole[1..whole.len() - 1];
        let length = u8::try_from(open.len()).unwrap();
        // In the same sub-block, in others, and in both.
        let same = [&[length + 6], open, b"SECRET\0"].concat();
        let other = [&[length], open, b"\x06SECRET\x06SECRET\0"].concat();
        let both = [&[length + 6], open, b"SECRET\x06SECRET\0"].concat();
        let apart = [&[1], &open[..1], &[length + 5], &open[1..], b"SECRET\0"].concat();
        for hiding in [&same, &other, &both] {
            assert_eq!(trimmed(hiding, 2, 6).unwrap(), whole);
        }
        assert_eq!(trimmed(&apart, 2, 6).unwrap(), [&[1], &open[..1], &[length - 1], &open[1..], &[0]].concat());
        // Nor is anything needed behind an end code that comes early, and the end code where there are pixels enough.
        assert_eq!(trimmed(&both, 2, 100).unwrap(), whole);
        // Five codes of sixteen bits.
        let without = [&[2], &open[..2], &[0]].concat();
        assert_eq!(trimmed(&without, 2, 6).unwrap(), without);
        assert_eq!(trimmed(&coded(&[&codes[..5], &[(3, 4); 20]].concat()), 2, 6).unwrap(), without);
        // The end code may come behind codes that clear.
        let clears = coded(&[&codes[..5], &[(4, 4), (4, 3), (5, 3)]].concat());
        assert_eq!(trimmed(&clears, 2, 6).unwrap(), clears);
        // Where codes are missing, all are needed.
        assert_eq!(trimmed(&without, 2, 100).unwrap(), without);
    }
}
