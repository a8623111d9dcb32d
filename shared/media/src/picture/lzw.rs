//! The codes of a GIF's pixels (`GIF89a` specification, appendix F), without the pixels.

/// Bits of the longest code.
const LONGEST: u32 = 12;

/// Whether the codes in these sub-blocks are ones that were given a meaning, as far as they go or a picture of so many
/// pixels needs them. A code without one is refused by libvips, which otherwise shows what there is.
pub(super) fn is_sound(sub_blocks: &[u8], code_size: u8, pixels: u64) -> bool {
    let clear = 1_usize << code_size;
    let mut codes = Codes { sub_blocks, left: 0, word: 0, count: 0 };
    let mut lengths = vec![1_u32; clear + 2];
    let (mut known, mut bits, mut before) = (clear + 2, u32::from(code_size) + 1, None);
    let mut told = 0;
    while told < pixels {
        let Some(code) = codes.next(bits) else { return true };
        if code == clear {
            (known, bits, before) = (clear + 2, u32::from(code_size) + 1, None);
            continue;
        }
        if code == clear + 1 {
            return true;
        }
        let length = match before {
            // The first code stands for a pixel.
            None if code < clear => 1,
            // A code may be the one that it makes known.
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
            _ => return false,
        };
        told += u64::from(length);
        before = Some(length);
    }
    true
}

/// Reads codes, of which the lowest bit comes first.
struct Codes<'a> {
    sub_blocks: &'a [u8],
    /// Bytes left of the sub-block that is being read.
    left: u8,
    word: u32,
    count: u32,
}

impl Codes<'_> {
    /// The next code of so many bits; none where the data end.
    fn next(&mut self, bits: u32) -> Option<usize> {
        while self.count < bits {
            while self.left == 0 {
                self.left = self.byte()?;
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
}
