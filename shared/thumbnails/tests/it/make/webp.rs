//! Writes WebP through libwebp.

use image::{DynamicImage, RgbaImage};
use webpx::{AnimationEncoder, Encoder, Unstoppable};

/// A still; lossy unless `lossless`.
pub(crate) fn still(picture: &DynamicImage, lossless: bool) -> Vec<u8> {
    let (width, height) = (picture.width(), picture.height());
    if picture.color().has_alpha() {
        let pixels = picture.to_rgba8();
        Encoder::new_rgba(&pixels, width, height).lossless(lossless).encode(Unstoppable).unwrap()
    } else {
        let pixels = picture.to_rgb8();
        Encoder::new_rgb(&pixels, width, height).lossless(lossless).encode(Unstoppable).unwrap()
    }
}

/// An animation of these frames.
pub(crate) fn animation(frames: &[RgbaImage], lossless: bool) -> Vec<u8> {
    let (width, height) = frames[0].dimensions();
    let mut encoder = AnimationEncoder::new(width, height).unwrap();
    encoder.set_lossless(lossless);
    for (at, frame) in (0..).step_by(100).zip(frames) {
        encoder.add_frame_rgba(frame, at).unwrap();
    }
    encoder.finish(100 * i32::try_from(frames.len()).unwrap()).unwrap()
}

/// A file of these chunks.
pub(crate) fn riff(chunks: &[([u8; 4], &[u8])]) -> Vec<u8> {
    let mut body = b"WEBP".to_vec();
    for (name, content) in chunks {
        body.extend(name);
        body.extend(u32::try_from(content.len()).unwrap().to_le_bytes());
        body.extend(*content);
        body.resize(body.len().next_multiple_of(2), 0);
    }
    let length = u32::try_from(body.len()).unwrap().to_le_bytes();
    [b"RIFF", length.as_slice(), &body].concat()
}

/// The content of the first chunk of a name.
pub(crate) fn content(file: &[u8], name: [u8; 4]) -> &[u8] {
    let mut rest = &file[12..];
    loop {
        let length = u32::from_le_bytes(rest[4..8].try_into().unwrap()) as usize;
        if rest.starts_with(&name) {
            return &rest[8..8 + length];
        }
        rest = &rest[8 + length.next_multiple_of(2)..];
    }
}

/// A frame of an animation: its place, its size, and its chunks.
pub(crate) fn frame((x, y): (u32, u32), (width, height): (u32, u32), chunks: &[([u8; 4], &[u8])]) -> Vec<u8> {
    let fields = [x / 2, y / 2, width - 1, height - 1, 100];
    let mut frame: Vec<u8> = fields.iter().flat_map(|field| field.to_le_bytes().into_iter().take(3)).collect();
    frame.push(0);
    frame.extend(&riff(chunks)[12..]);
    frame
}

/// The content of `VP8X`.
pub(crate) fn extended(flags: u8, (width, height): (u32, u32)) -> Vec<u8> {
    let mut content = vec![flags, 0, 0, 0];
    for side in [width, height] {
        content.extend(&(side - 1).to_le_bytes()[..3]);
    }
    content
}
