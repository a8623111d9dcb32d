//! The characters of captchas as pen strokes.
//!
//! Sixteen characters need no font, and strokes can be bent one by one before they are drawn. Of characters that look
//! alike, the alphabet contains at most one (0 O D Q, 1 I L, 2 Z, 5 S, 6 G C, 8 B 3, U V, X K). The same holds for
//! characters that look alike when a line crosses them or a stroke leans (F becomes E, P becomes R, N and H become M, W
//! or A).

/// All characters that a captcha may contain. With sixteen, four characters give 65,536 texts; a captcha allows one
/// try.
pub const ALPHABET: [char; 16] = ['3', '4', '7', '9', 'A', 'C', 'E', 'J', 'K', 'L', 'M', 'R', 'T', 'U', 'W', 'Y'];

/// The box that glyphs are drawn in: 64 wide, 100 high, from the top left corner.
pub const BOX: (f32, f32) = (64.0, 100.0);

/// A stroke of the pen.
pub enum Stroke {
    /// Straight lines from point to point.
    Lines(&'static [(u8, u8)]),
    /// A smooth curve through all points.
    Bend(&'static [(u8, u8)]),
}

use Stroke::{Bend, Lines};

/// The strokes of a character of [`ALPHABET`]; none for any other.
pub const fn strokes(character: char) -> &'static [Stroke] {
    match character {
        '3' => &[Bend(&[(6, 14), (32, 1), (56, 22), (26, 47)]), Bend(&[(26, 47), (62, 72), (34, 99), (3, 84)])],
        '4' => &[Lines(&[(47, 100), (47, 0), (2, 68), (64, 68)])],
        '7' => &[Lines(&[(3, 2), (60, 2), (22, 100)]), Lines(&[(20, 50), (58, 50)])],
        '9' => &[Bend(&[(56, 30), (32, 2), (7, 28), (28, 55), (56, 30)]), Bend(&[(56, 30), (54, 68), (30, 100)])],
        'A' => &[Lines(&[(0, 100), (32, 0), (64, 100)]), Lines(&[(13, 64), (51, 64)])],
        'C' => &[Bend(&[(61, 20), (36, 1), (8, 30), (7, 70), (36, 99), (61, 80)])],
        'E' => &[Lines(&[(60, 1), (6, 1), (6, 99), (61, 99)]), Lines(&[(6, 49), (48, 49)])],
        'J' => &[Lines(&[(22, 2), (64, 2)]), Bend(&[(45, 2), (46, 62), (36, 95), (14, 95), (3, 72)])],
        'K' => &[Lines(&[(6, 0), (6, 100)]), Lines(&[(60, 0), (7, 56)]), Lines(&[(24, 38), (62, 100)])],
        'L' => &[Lines(&[(8, 0), (8, 98), (60, 98)])],
        'M' => &[Lines(&[(2, 100), (8, 0), (32, 62), (56, 0), (62, 100)])],
        'R' => &[
            Lines(&[(6, 100), (6, 1), (32, 1)]),
            Bend(&[(32, 1), (58, 25), (32, 50)]),
            Lines(&[(32, 50), (6, 50)]),
            Lines(&[(30, 50), (62, 100)]),
        ],
        'T' => &[Lines(&[(0, 2), (64, 2)]), Lines(&[(32, 2), (32, 100)])],
        'U' => &[Bend(&[(6, 0), (6, 64), (18, 95), (46, 95), (58, 64), (58, 0)])],
        'W' => &[Lines(&[(0, 0), (15, 100), (32, 36), (49, 100), (64, 0)])],
        'Y' => &[Lines(&[(2, 0), (32, 50), (62, 0)]), Lines(&[(32, 50), (32, 100)])],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_has_strokes_inside_its_box() {
        for character in ALPHABET {
            let strokes = strokes(character);
            assert!(!strokes.is_empty(), "{character}");
            for Lines(points) | Bend(points) in strokes {
                assert!(points.len() >= 2 && points.iter().all(|(x, y)| *x <= 64 && *y <= 100), "{character}");
            }
        }
    }
}
