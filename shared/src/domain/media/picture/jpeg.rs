//! JPEG: segments and scans (ITU-T T.81, annex B).

use super::{Broken, CUT_SHORT, DAMAGED, Orientation, Reader, Walk, Walked};

const START: u8 = 0xd8;
const END: u8 = 0xd9;
const SCAN: u8 = 0xda;
const COMMENT: u8 = 0xfe;

/// More scans than any encoder writes; each costs a decoder a pass over all pixels.
const MAX_SCANS: u32 = 100;

/// Walks a JPEG from its first to its last marker.
pub(super) fn walk(bytes: &[u8]) -> Walked<Walk> {
    let mut reader = Reader(bytes);
    let mut walker = Walker::default();
    if reader.array()? != [0xff, START] {
        return Err(DAMAGED);
    }
    loop {
        match marker(&mut reader)? {
            END => return walker.finish(),
            marker => {
                let length = usize::from(u16::from_be_bytes(reader.array()?));
                let payload = reader.take(length.checked_sub(2).ok_or(DAMAGED)?)?;
                walker.segment(marker, payload)?;
                if marker == SCAN {
                    walker.copy_scan(&mut reader)?;
                }
            }
        }
    }
}

/// The next marker, past the fill bytes that may stand before it (B.1.1.2).
fn marker(reader: &mut Reader<'_>) -> Walked<u8> {
    if reader.byte()? != 0xff {
        return Err(DAMAGED);
    }
    loop {
        let marker = reader.byte()?;
        if marker != 0xff {
            return Ok(marker);
        }
    }
}

/// What browsers do not show: arithmetic coding, lossless and hierarchical JPEG, 12 bits a sample.
const OTHER_KIND: Broken = Broken("a kind of JPEG that browsers do not show");

#[derive(Default)]
struct Walker {
    size: Option<(u16, u16)>,
    /// The components that no scan has told anything of yet.
    untold: Vec<u8>,
    scans: u32,
    orientation: Option<Orientation>,
    /// The JFIF segment, which has to come first.
    jfif: Option<[u8; 14]>,
    /// The other segments and the scans that are kept, in their order.
    kept: Vec<u8>,
}

impl Walker {
    fn segment(&mut self, marker: u8, payload: &[u8]) -> Walked<()> {
        match marker {
            // Baseline, extended and progressive: the ones that browsers show.
            0xc0..=0xc2 => self.frame(payload)?,
            // Tables and restart intervals.
            0xc4 | 0xdb | 0xdd => {}
            SCAN if self.size.is_some() && self.scans < MAX_SCANS => self.tell(payload)?,
            0xe0 => {
                self.jfif = self.jfif.or_else(|| jfif(payload));
                return Ok(());
            }
            0xe1 => {
                if let Some(tiff) = payload.strip_prefix(b"Exif\0\0") {
                    self.orientation = self.orientation.or_else(|| Orientation::of_tiff(tiff));
                }
                return Ok(());
            }
            // The colour profile, and how Adobe's programs stored colours: without them the picture looks different.
            0xe2 if payload.starts_with(b"ICC_PROFILE\0") => {}
            0xee if payload.starts_with(b"Adobe") => {
                // Twelve bytes (Adobe's Technical Note 5116); what follows them is nobody's.
                return write(&mut self.kept, marker, payload.get(..12).ok_or(DAMAGED)?);
            }
            0xe2..=0xef | COMMENT => return Ok(()),
            0xc3 | 0xc5..=0xcf => return Err(OTHER_KIND),
            _ => return Err(DAMAGED),
        }
        write(&mut self.kept, marker, payload)
    }

    fn frame(&mut self, payload: &[u8]) -> Walked<()> {
        let [precision, height_0, height_1, width_0, width_1, components, parameters @ ..] = payload else {
            return Err(DAMAGED);
        };
        if self.size.is_some() || parameters.is_empty() || parameters.len() != 3 * usize::from(*components) {
            return Err(DAMAGED);
        }
        if *precision != 8 {
            return Err(OTHER_KIND);
        }
        self.untold = parameters.as_chunks::<3>().0.iter().map(|[component, ..]| *component).collect();
        self.size = Some((u16::from_be_bytes([*width_0, *width_1]), u16::from_be_bytes([*height_0, *height_1])));
        Ok(())
    }

    /// Reads whose samples a scan tells. It is a scan of at least one component, and says three bytes more (B.2.3).
    fn tell(&mut self, payload: &[u8]) -> Walked<()> {
        let Some((count, rest)) = payload.split_first() else { return Err(DAMAGED) };
        let Some((components, [_, _, _])) = rest.split_at_checked(2 * usize::from(*count)) else {
            return Err(DAMAGED);
        };
        if components.is_empty() {
            return Err(DAMAGED);
        }
        self.untold.retain(|untold| components.as_chunks::<2>().0.iter().all(|[component, _]| component != untold));
        self.scans += 1;
        Ok(())
    }

    /// Copies the compressed pixels that follow a scan's header, up to the next marker.
    fn copy_scan(&mut self, reader: &mut Reader<'_>) -> Walked<()> {
        let mut length = 0;
        loop {
            let rest = reader.0.get(length..).ok_or(CUT_SHORT)?;
            length += rest.iter().position(|byte| *byte == 0xff).ok_or(CUT_SHORT)?;
            match reader.0.get(length + 1).ok_or(CUT_SHORT)? {
                // A stuffed zero, or a restart.
                0x00 | 0xd0..=0xd7 => length += 2,
                _ => break,
            }
        }
        self.kept.extend(reader.take(length)?);
        Ok(())
    }

    fn finish(self) -> Walked<Walk> {
        let (width, height) = self.size.ok_or(DAMAGED)?;
        // A file whose last scans were cut off, and that was closed all the same.
        if !self.untold.is_empty() {
            return Err(CUT_SHORT);
        }
        let orientation = self.orientation.unwrap_or(Orientation::UPRIGHT);
        let mut clean = vec![0xff, START];
        if let Some(jfif) = self.jfif {
            write(&mut clean, 0xe0, &jfif)?;
        }
        if orientation != Orientation::UPRIGHT {
            write(&mut clean, 0xe1, &[b"Exif\0\0", &orientation.tiff()[..]].concat())?;
        }
        clean.extend(self.kept);
        clean.extend([0xff, END]);
        Ok(Walk { width: width.into(), height: height.into(), largest_frame: 0, orientation, clean })
    }
}

/// A JFIF segment without the thumbnail it may hold.
fn jfif(payload: &[u8]) -> Option<[u8; 14]> {
    let mut jfif = *payload.first_chunk::<14>().filter(|start| start.starts_with(b"JFIF\0"))?;
    jfif[12..].fill(0);
    Some(jfif)
}

fn write(out: &mut Vec<u8>, marker: u8, payload: &[u8]) -> Walked<()> {
    let length = u16::try_from(payload.len() + 2).map_err(|_| DAMAGED)?;
    out.extend([0xff, marker]);
    out.extend(length.to_be_bytes());
    out.extend(payload);
    Ok(())
}
