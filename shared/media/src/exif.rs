//! The one thing of Exif that is part of how a picture looks: its orientation (CIPA DC-008, TIFF 6.0 tag 274).
//!
//! Exif is a TIFF file inside another file. Only its first directory is looked at, and of it only the orientation, so
//! what the camera wrote about place and time is never even read.

/// How a stored picture has to be turned to be upright: the number 1 to 8 of the TIFF tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Orientation(u8);

impl Orientation {
    /// Upright as it is stored.
    pub const UPRIGHT: Self = Self(1);

    /// The number of the TIFF tag.
    #[must_use]
    pub const fn number(self) -> u8 {
        self.0
    }

    /// Finds it in an Exif block: the first entry that is one number from 1 to 8.
    #[must_use]
    pub fn of_tiff(tiff: &[u8]) -> Option<Self> {
        entries(tiff)?.find_map(|(count, value)| Self::from_number(value.filter(|_| count == 1)?))
    }

    /// The same as most readers see it: the first entry counts, however many numbers it says it has.
    #[must_use]
    pub fn shown(tiff: &[u8]) -> Option<Self> {
        Self::from_number(entries(tiff)?.next()?.1?)
    }

    fn from_number(number: u32) -> Option<Self> {
        u8::try_from(number).ok().filter(|number| (1..=8).contains(number)).map(Self)
    }

    /// A TIFF structure that says this and nothing else.
    pub(crate) const fn tiff(self) -> [u8; 26] {
        // One entry: tag 0x112, a SHORT, one of them, this; no further directory.
        [b'M', b'M', 0, 42, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, self.0, 0, 0, 0, 0, 0, 0]
    }
}

/// The turns and flips of a HEIC, in their order. They take the place of an Exif orientation.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Turns {
    /// Whether left and right change places first.
    flipped: bool,
    /// Quarter turns with the clock after that, 0 to 3.
    quarters: u8,
}

impl Turns {
    /// So many quarter turns against the clock.
    pub(crate) const fn against_the_clock(&mut self, quarters: u8) {
        self.quarters = (self.quarters + 4 - quarters % 4) % 4;
    }

    /// Left and right change places. Flipping after a turn is turning the other way after flipping.
    pub(crate) const fn left_to_right(&mut self) {
        self.flipped = !self.flipped;
        self.quarters = (4 - self.quarters) % 4;
    }

    /// Above and below change places.
    pub(crate) const fn upside_down(&mut self) {
        self.left_to_right();
        self.against_the_clock(2);
    }

    /// All of them as one.
    pub(crate) const fn orientation(self) -> Orientation {
        Orientation(match (self.flipped, self.quarters) {
            (false, 0) => 1,
            (true, 0) => 2,
            (false, 2) => 3,
            (true, 2) => 4,
            (true, 3) => 5,
            (false, 1) => 6,
            (true, _) => 7,
            (false, _) => 8,
        })
    }
}

/// The entries of an Exif block for the orientation: how many numbers each has, and the first if it is one.
fn entries(tiff: &[u8]) -> Option<impl Iterator<Item = (u32, Option<u32>)>> {
    // Some programs leave the head of a JPEG's segment on the block when they put it into another format.
    let tiff = tiff.strip_prefix(b"Exif\0\0").unwrap_or(tiff);
    let order = match tiff.first_chunk()? {
        b"MM\0\x2a" => Order { two: u16::from_be_bytes, four: u32::from_be_bytes },
        b"II\x2a\0" => Order { two: u16::from_le_bytes, four: u32::from_le_bytes },
        _ => return None,
    };
    let directory = tiff.get(usize::try_from((order.four)(*tiff.get(4..)?.first_chunk()?)).ok()?..)?;
    let (count, entries) = directory.split_first_chunk()?;
    let entries = entries.as_chunks::<12>().0.iter().take(usize::from((order.two)(*count)));
    Some(entries.filter_map(move |entry| order.orientation(entry)))
}

/// A byte order.
struct Order {
    two: fn([u8; 2]) -> u16,
    four: fn([u8; 4]) -> u32,
}

impl Order {
    /// How many numbers an entry for the orientation has, and the first; `None` for another entry.
    fn orientation(&self, entry: &[u8; 12]) -> Option<(u32, Option<u32>)> {
        const TAG: u16 = 0x112;
        const SHORT: u16 = 3;
        const LONG: u16 = 4;
        let [tag_0, tag_1, kind_0, kind_1, a, b, c, d, value @ ..] = *entry;
        if (self.two)([tag_0, tag_1]) != TAG {
            return None;
        }
        let value = match (self.two)([kind_0, kind_1]) {
            SHORT => Some(u32::from((self.two)([value[0], value[1]]))),
            // The tag is a SHORT by the standard, but some programs write every number as a LONG.
            LONG => Some((self.four)(value)),
            _ => None,
        };
        Some(((self.four)([a, b, c, d]), value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        for number in 1..=8 {
            assert_eq!(Orientation::of_tiff(&Orientation(number).tiff()), Some(Orientation(number)));
        }
    }

    #[test]
    fn both_byte_orders_and_any_place_of_the_directory_are_read() {
        let little = b"II\x2a\0\x0a\0\0\0??\x02\0\x0f\x01\x02\0\x01\0\0\0\0\0\0\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0";
        assert_eq!(Orientation::of_tiff(little), Some(Orientation(6)));
        assert_eq!(Orientation::of_tiff(&[b"Exif\0\0", &little[..]].concat()), Some(Orientation(6)));
    }

    #[test]
    fn a_long_is_read_in_both_byte_orders() {
        let little = b"II\x2a\0\x08\0\0\0\x01\0\x12\x01\x04\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
        let big = b"MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x04\0\0\0\x01\0\0\0\x06\0\0\0\0";
        for long in [little, big] {
            assert_eq!(Orientation::of_tiff(long), Some(Orientation(6)));
            // The bytes that a SHORT leaves alone are part of the number.
            for at in 18..22 {
                let mut other = *long;
                other[at] ^= 0x40;
                assert_eq!(Orientation::of_tiff(&other), None, "byte {at}");
            }
        }
    }

    #[test]
    fn nonsense_is_no_orientation() {
        let whole = Orientation(6).tiff();
        for length in 0..22 {
            assert_eq!(Orientation::of_tiff(&whole[..length]), None);
        }
        for (at, value) in [(0, b'X'), (4, 0xff), (13, 4), (13, 5), (17, 2), (19, 0), (19, 9), (18, 1)] {
            let mut bytes = whole;
            bytes[at] = value;
            assert_eq!(Orientation::of_tiff(&bytes), None, "byte {at}");
        }
    }
}
