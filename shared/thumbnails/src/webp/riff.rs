//! The container of WebP: where its metadata is, and its first frame as a file of its own.
//!
//! libwebp decodes stills to any size, but animations only whole. A frame of an animation is coded as a still is, so it
//! is lifted out and decoded as one.

use media_formats::riff::{self, Chunk, Chunks};

/// What a container says.
pub(super) struct Container<'a> {
    /// The Exif block.
    pub(super) exif: Option<&'a [u8]>,
    /// The colour profile.
    pub(super) profile: Option<&'a [u8]>,
    /// The first frame of an animation; `None` for a still.
    pub(super) frame: Option<Frame>,
}

/// A frame of an animation: a rectangle of its canvas.
pub(super) struct Frame {
    /// Width and height of the canvas in pixels.
    pub(super) canvas: (u32, u32),
    /// Left edge in pixels.
    pub(super) x: u32,
    /// Upper edge in pixels.
    pub(super) y: u32,
    /// The frame as a WebP of its own.
    pub(super) still: Vec<u8>,
}

/// Bytes of `RIFF`, the length, and `WEBP`.
const HEADER: usize = 12;

/// Bits of the flags in VP8X (WebP Container Specification, Extended File Format).
const ANIMATION: u8 = 0x02;
const ALPHA: u8 = 0x10;

/// Reads the container of `bytes`. `None` if it is an animation without a frame that could be shown.
pub(super) fn container(bytes: &[u8]) -> Option<Container<'_>> {
    let mut found = Container { exif: None, profile: None, frame: None };
    let mut animated = None;
    for Chunk { kind, data } in Chunks(bytes.get(HEADER..)?) {
        match &kind {
            b"VP8X" if animated.is_none() && data.first()? & ANIMATION != 0 => {
                animated = Some((1 + u24(data.get(4..)?)?, 1 + u24(data.get(7..)?)?));
            }
            b"ICCP" => found.profile = found.profile.or(Some(data)),
            b"EXIF" => found.exif = found.exif.or(Some(data)),
            b"ANMF" if found.frame.is_none() => found.frame = Some(frame(animated?, data)?),
            _ => {}
        }
    }
    // A still in a file that says it is an animation would be refused by libwebp.
    (animated.is_none() || found.frame.is_some()).then_some(found)
}

fn frame(canvas: (u32, u32), content: &[u8]) -> Option<Frame> {
    let (x, y) = (2 * u24(content)?, 2 * u24(content.get(3..)?)?);
    let (width, height) = (content.get(6..9)?, content.get(9..12)?);
    let mut alpha = None;
    for Chunk { kind, data } in Chunks(content.get(16..)?) {
        match &kind {
            b"ALPH" => alpha = Some(data),
            b"VP8L" => return Some(Frame { canvas, x, y, still: still(&[(*b"VP8L", data)]) }),
            b"VP8 " => {
                let Some(alpha) = alpha else {
                    return Some(Frame { canvas, x, y, still: still(&[(*b"VP8 ", data)]) });
                };
                let extended = [&[ALPHA, 0, 0, 0], width, height].concat();
                let chunks = [(*b"VP8X", extended.as_slice()), (*b"ALPH", alpha), (*b"VP8 ", data)];
                return Some(Frame { canvas, x, y, still: still(&chunks) });
            }
            _ => {}
        }
    }
    None
}

/// A WebP of these chunks.
fn still(chunks: &[([u8; 4], &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (kind, data) in chunks {
        riff::write(&mut body, *kind, data);
    }
    riff::webp(&body)
}

fn u24(bytes: &[u8]) -> Option<u32> {
    let [low, middle, high] = *bytes.first_chunk()?;
    Some(u32::from_le_bytes([low, middle, high, 0]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn animation(frame: &[u8]) -> Vec<u8> {
        still(&[(*b"VP8X", &[ANIMATION, 0, 0, 0, 99, 0, 0, 49, 0, 0]), (*b"ANIM", &[0; 6]), (*b"ANMF", frame)])
    }

    fn header(x: u8) -> Vec<u8> {
        [&[x, 0, 0, 3, 0, 0, 9, 0, 0, 7, 0, 0], [0; 4].as_slice()].concat()
    }

    #[test]
    fn the_first_frame_is_lifted_out_with_its_alpha() {
        let lossy = still(&[(*b"ALPH", b"abc"), (*b"VP8 ", b"defg")]);
        let bytes = animation(&[header(5), lossy[HEADER..].to_vec()].concat());
        let frame = container(&bytes).unwrap().frame.unwrap();
        assert_eq!((frame.canvas, frame.x, frame.y), ((100, 50), 10, 6));
        let names: Vec<_> = Chunks(&frame.still[HEADER..]).map(|chunk| chunk.kind).collect();
        assert_eq!(names, [*b"VP8X", *b"ALPH", *b"VP8 "]);
        assert!(Chunks(&frame.still[HEADER..]).any(|chunk| chunk.data == [ALPHA, 0, 0, 0, 9, 0, 0, 7, 0, 0]));
    }

    #[test]
    fn metadata_is_found_wherever_it_stands() {
        let bytes = still(&[(*b"VP8X", &[0; 10]), (*b"ICCP", b"icc"), (*b"VP8 ", b"x"), (*b"EXIF", b"exif")]);
        let found = container(&bytes).unwrap();
        assert_eq!((found.profile, found.exif), (Some(b"icc".as_slice()), Some(b"exif".as_slice())));
        assert!(found.frame.is_none());
    }

    #[test]
    fn an_animation_without_a_frame_is_nothing_and_cuts_are_survived() {
        assert!(container(&animation(&header(0))).is_none());
        let whole = animation(&[header(0), still(&[(*b"VP8L", b"abcd")])[HEADER..].to_vec()].concat());
        assert!(container(&whole).is_some());
        for length in 0..whole.len() {
            let _ = container(&whole[..length]);
        }
    }
}
