//! GIF: first frames of every kind.

use std::borrow::Cow;

use gif::{Encoder, Frame};

use crate::make::{CONTAIN, COVER, letters, one, pixels};

const PALETTE: [u8; 12] = [255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255];

/// Indices of the colours of quarters, in the order in which they are stored.
fn frame(left: u16, top: u16, width: u16, height: u16, interlaced: bool) -> Frame<'static> {
    let passes: &[(u16, usize)] = if interlaced { &[(0, 8), (4, 8), (2, 4), (1, 2)] } else { &[(0, 1)] };
    let rows = passes.iter().flat_map(|(first, step)| (*first..height).step_by(*step));
    let buffer: Vec<u8> =
        rows.flat_map(|y| (0..width).map(move |x| u8::from(x >= width / 2) + 2 * u8::from(y >= height / 2))).collect();
    Frame { left, top, width, height, interlaced, buffer: Cow::Owned(buffer), ..Frame::default() }
}

fn file(screen: (u16, u16), frames: &[Frame]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, screen.0, screen.1, &PALETTE).unwrap();
    for frame in frames {
        encoder.write_frame(frame).unwrap();
    }
    drop(encoder);
    bytes
}

#[test]
fn frames_are_read_interlaced_or_not() {
    for (width, height) in [(1, 1), (3, 5), (100, 99), (1000, 701)] {
        let [whole, interlaced] = [false, true].map(|interlaced| {
            let made = one(&file((width, height), &[frame(0, 0, width, height, interlaced)]), COVER);
            if width > 9 {
                assert_eq!((made.content_type, letters(&made)), ("image/jpeg", "rgbw".to_owned()));
            }
            made.bytes
        });
        assert!(whole == interlaced, "{width} by {height}");
    }
}

#[test]
fn an_animation_gives_its_first_frame_even_if_the_rest_is_missing() {
    let frames = [frame(0, 0, 300, 300, false), frame(0, 0, 300, 300, true)];
    let bytes = file((300, 300), &frames);
    assert_eq!(letters(&one(&bytes, COVER)), "rgbw");
    let rest = file((300, 300), &frames[..1]).len();
    assert_eq!(letters(&one(&bytes[..rest], COVER)), "rgbw");
}

#[test]
fn a_frame_smaller_than_the_screen_is_surrounded_by_nothing() {
    for interlaced in [false, true] {
        let made = one(&file((400, 200), &[frame(200, 100, 200, 100, interlaced)]), CONTAIN);
        assert_eq!((made.width, made.height, made.content_type), (128, 64, "image/png"));
        assert_eq!(letters(&made), "...w");
        assert_eq!(pixels(&made).get_pixel(70, 40).0, [255, 0, 0, 255]);
    }
}

#[test]
fn a_frame_that_sticks_out_of_the_screen_is_cut() {
    for interlaced in [false, true] {
        let made = one(&file((200, 100), &[frame(0, 0, 400, 200, interlaced)]), CONTAIN);
        assert_eq!((made.width, made.height, made.content_type), (128, 64, "image/jpeg"));
        assert_eq!(letters(&made), "rrrr");
        let outside = one(&file((200, 100), &[frame(300, 200, 100, 100, interlaced)]), CONTAIN);
        assert_eq!(letters(&outside), "....");
    }
}

#[test]
fn a_transparent_index_is_seen_through_and_an_index_without_colour_too() {
    let mut see_through = frame(0, 0, 200, 200, false);
    see_through.transparent = Some(1);
    let made = one(&file((200, 200), &[see_through]), COVER);
    assert_eq!((made.content_type, letters(&made)), ("image/png", "r.bw".to_owned()));
    // White, as the encoder fills palettes up, or nothing; but no panic and no colour of another.
    let mut beyond = frame(0, 0, 200, 200, false);
    beyond.palette = Some(PALETTE[..9].to_vec());
    assert_ne!(pixels(&one(&file((200, 200), &[beyond]), COVER)).get_pixel(100, 100).0, [255, 255, 255, 255]);
}
