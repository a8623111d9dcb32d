//! Draws a captcha: for every pixel it computes the distance to the nearest stroke, through a distortion that is
//! different in every picture.
//!
//! Segmentation is what makes it hard for programs: characters touch, lean and lie on a wave, lines as dark as the ink
//! cross them, lines as pale as the paper cut them, and somewhere in the middle ink and paper swap colours, so that no
//! single threshold separates the two. People recognise shapes and can read it in spite of this.

use std::f32::consts::TAU;
use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::{Rgb, RgbImage};

use super::glyphs::{self, Stroke};
use crate::random::{self, Random};
use crate::{Fault, Result};

/// Width in pixels.
pub const WIDTH: u16 = 160;
/// Height in pixels.
pub const HEIGHT: u16 = 60;

/// Number of straight pieces that draw a smooth curve between two points.
const PIECES: u8 = 6;
/// In percent: high enough for clean edges of the strokes, low enough for a small file.
const JPEG_QUALITY: u8 = 80;

type Point = (f32, f32);

/// A drawn captcha.
#[derive(Clone, Debug)]
pub struct Picture(RgbImage);

impl Picture {
    /// Draws a text of [`glyphs::ALPHABET`]'s characters.
    #[must_use]
    pub fn of(text: &str, random: &dyn Random) -> Self {
        let dice = Dice(random);
        let scene = Scene::arrange(text, &dice);
        Self(RgbImage::from_fn(WIDTH.into(), HEIGHT.into(), |x, y| {
            Rgb(scene.colour(&dice, (coordinate(x), coordinate(y))))
        }))
    }

    /// The picture as a JPEG.
    pub fn jpeg(&self) -> Result<Vec<u8>> {
        let mut bytes = Cursor::new(Vec::new());
        let encoded = self.0.write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY));
        encoded.map_err(|error| Fault::new("encoding a captcha", error))?;
        Ok(bytes.into_inner())
    }

    /// The picture as a PNG.
    pub fn png(&self) -> Result<Vec<u8>> {
        let mut bytes = Cursor::new(Vec::new());
        let encoded = self.0.write_with_encoder(PngEncoder::new(&mut bytes));
        encoded.map_err(|error| Fault::new("encoding a captcha", error))?;
        Ok(bytes.into_inner())
    }
}

/// Random numbers in the forms that drawing needs.
struct Dice<'a>(&'a dyn Random);

impl Dice<'_> {
    /// A number from `low` to `high`.
    fn between(&self, low: f32, high: f32) -> f32 {
        let [a, b] = random::bytes(self.0);
        low + (high - low) * f32::from(u16::from_be_bytes([a, b])) / f32::from(u16::MAX)
    }

    /// `-1` or `1`.
    fn sign(&self) -> f32 {
        if random::below(self.0, 2) == 0 { -1.0 } else { 1.0 }
    }
}

/// A sine wave.
struct Wave {
    height: f32,
    length: f32,
    phase: f32,
}

impl Wave {
    fn roll(dice: &Dice<'_>, height: Point, length: Point) -> Self {
        Self {
            height: dice.between(height.0, height.1) * dice.sign(),
            length: dice.between(length.0, length.1),
            phase: dice.between(0.0, TAU),
        }
    }

    fn at(&self, along: f32) -> f32 {
        self.height * (TAU * along / self.length + self.phase).sin()
    }
}

/// A straight piece of a stroke.
struct Segment(Point, Point);

impl Segment {
    fn distance(&self, (x, y): Point) -> f32 {
        let Self((ax, ay), (bx, by)) = self;
        let (dx, dy) = (bx - ax, by - ay);
        let length = dx * dx + dy * dy;
        let along = if length > 0.0 { (((x - ax) * dx + (y - ay) * dy) / length).clamp(0.0, 1.0) } else { 0.0 };
        (x - ax - along * dx).hypot(y - ay - along * dy)
    }
}

/// A character at its position.
struct Glyph {
    segments: Vec<Segment>,
    pen: f32,
    /// The smallest and largest coordinates that its ink reaches.
    reach: (Point, Point),
}

impl Glyph {
    fn place(character: char, centre: Point, dice: &Dice<'_>) -> Self {
        let height = dice.between(33.0, 39.0);
        let scale = (height * dice.between(0.92, 1.12) / glyphs::BOX.1, height / glyphs::BOX.1);
        let (sin, cos) = dice.between(-0.3, 0.3).sin_cos();
        let shear = dice.between(-0.2, 0.2);
        let pen = dice.between(1.8, 2.3);
        let mut segments = Vec::new();
        for stroke in glyphs::strokes(character) {
            // Small random shifts, because handwriting never repeats exactly.
            let unsteady = |(x, y): &(u8, u8)| {
                let x = (f32::from(*x) - glyphs::BOX.0 / 2.0 + dice.between(-2.5, 2.5)) * scale.0;
                let y = (f32::from(*y) - glyphs::BOX.1 / 2.0 + dice.between(-2.5, 2.5)) * scale.1;
                let x = x + shear * y;
                (centre.0 + x * cos - y * sin, centre.1 + x * sin + y * cos)
            };
            let points = match stroke {
                Stroke::Lines(points) => points.iter().map(unsteady).collect(),
                Stroke::Bend(points) => bend(&points.iter().map(unsteady).collect::<Vec<_>>()),
            };
            segments.extend(points.windows(2).map(|pair| Segment(pair[0], pair[1])));
        }
        let ends = || segments.iter().flat_map(|Segment(a, b)| [*a, *b]);
        let low = ends().fold((f32::MAX, f32::MAX), |low, (x, y)| (low.0.min(x), low.1.min(y)));
        let high = ends().fold((f32::MIN, f32::MIN), |high, (x, y)| (high.0.max(x), high.1.max(y)));
        let margin = pen + 1.0;
        let reach = ((low.0 - margin, low.1 - margin), (high.0 + margin, high.1 + margin));
        Self { segments, pen, reach }
    }

    /// How much of the pixel at `at` is covered by ink, 0 to 1.
    fn ink(&self, at: Point) -> f32 {
        let (low, high) = self.reach;
        if at.0 < low.0 || at.0 > high.0 || at.1 < low.1 || at.1 > high.1 {
            return 0.0;
        }
        let nearest = self.segments.iter().map(|segment| segment.distance(at)).fold(f32::MAX, f32::min);
        coverage(nearest, self.pen)
    }
}

/// A line across the whole picture.
struct Stray {
    middle: f32,
    slope: f32,
    wave: Wave,
    pen: f32,
}

impl Stray {
    fn roll(dice: &Dice<'_>, pen: Point) -> Self {
        Self {
            middle: dice.between(0.3, 0.7) * f32::from(HEIGHT),
            slope: dice.between(-0.16, 0.16),
            wave: Wave::roll(dice, (4.0, 11.0), (60.0, 150.0)),
            pen: dice.between(pen.0, pen.1),
        }
    }

    fn ink(&self, (x, y): Point) -> f32 {
        let middle = self.middle + self.slope * (x - f32::from(WIDTH) / 2.0) + self.wave.at(x);
        // The vertical distance is longer than the distance perpendicular to a steep line.
        let steep = (self.wave.height * TAU / self.wave.length).abs() + self.slope.abs();
        coverage((y - middle).abs() / (1.0 + steep * steep / 2.0).sqrt(), self.pen)
    }
}

/// A wavy border from top to bottom. On its other side ink and paper swap colours.
struct Turn {
    middle: f32,
    wave: Wave,
    side: f32,
}

impl Turn {
    fn roll(dice: &Dice<'_>) -> Self {
        Self {
            middle: dice.between(0.38, 0.62) * f32::from(WIDTH),
            wave: Wave::roll(dice, (4.0, 9.0), (40.0, 80.0)),
            side: dice.sign(),
        }
    }

    /// How much of the pixel at `at` is beyond the border, 0 to 1.
    fn beyond(&self, (x, y): Point) -> f32 {
        ((x - self.middle - self.wave.at(y)) * self.side + 0.5).clamp(0.0, 1.0)
    }
}

/// All parts of a picture.
struct Scene {
    glyphs: Vec<Glyph>,
    dark: Vec<Stray>,
    pale: Vec<Stray>,
    across: Wave,
    down: Wave,
    ink: [f32; 3],
    paper: [f32; 3],
    turn: Turn,
}

impl Scene {
    fn arrange(text: &str, dice: &Dice<'_>) -> Self {
        let width = f32::from(WIDTH);
        let advances: Vec<f32> = text.chars().map(|_| dice.between(26.0, 31.0)).collect();
        let all: f32 = advances.iter().sum();
        let mut left = dice.between(6.0, (width - all - 6.0).max(6.0));
        let mut glyphs = Vec::new();
        for (character, advance) in text.chars().zip(advances) {
            let centre = (left + advance / 2.0, f32::from(HEIGHT) / 2.0 + dice.between(-4.5, 4.5));
            glyphs.push(Glyph::place(character, centre, dice));
            left += advance;
        }
        let tint = || [dice.between(0.0, 90.0), dice.between(0.0, 80.0), dice.between(10.0, 110.0)];
        let shade = || [dice.between(205.0, 250.0), dice.between(205.0, 250.0), dice.between(205.0, 250.0)];
        Self {
            glyphs,
            dark: (0..2).map(|_| Stray::roll(dice, (0.6, 0.9))).collect(),
            pale: (0..1).map(|_| Stray::roll(dice, (0.4, 0.6))).collect(),
            across: Wave::roll(dice, (1.5, 3.0), (30.0, 60.0)),
            down: Wave::roll(dice, (2.0, 4.5), (50.0, 100.0)),
            ink: tint(),
            paper: shade(),
            turn: Turn::roll(dice),
        }
    }

    fn colour(&self, dice: &Dice<'_>, at: Point) -> [u8; 3] {
        let warped = (at.0 + self.across.at(at.1), at.1 + self.down.at(at.0));
        let glyphs = self.glyphs.iter().map(|glyph| glyph.ink(warped)).fold(0.0, f32::max);
        let pale = self.pale.iter().map(|stray| stray.ink(at)).fold(0.0, f32::max);
        let dark = self.dark.iter().map(|stray| stray.ink(at)).fold(0.0, f32::max);
        let ink = (glyphs * (1.0 - pale)).max(dark);
        // Beyond the border ink and paper swap colours.
        let ink = ink + self.turn.beyond(at) * (1.0 - 2.0 * ink);
        let grain = dice.between(-8.0, 8.0);
        let mix = |channel: usize| {
            let value = self.paper[channel] + (self.ink[channel] - self.paper[channel]) * ink;
            level(value + grain)
        };
        [mix(0), mix(1), mix(2)]
    }
}

/// How much of a pixel is covered by ink if its centre is `distance` away from a line with half the width `pen`: all,
/// nothing, or a part at the edge.
fn coverage(distance: f32, pen: f32) -> f32 {
    (pen + 0.5 - distance).clamp(0.0, 1.0)
}

/// A Catmull–Rom spline through the points, as straight pieces.
fn bend(points: &[Point]) -> Vec<Point> {
    let mut pieces = Vec::new();
    for (index, pair) in points.windows(2).enumerate() {
        let [from, to] = [pair[0], pair[1]];
        let before = if index == 0 { from } else { points[index - 1] };
        let after = points.get(index + 2).copied().unwrap_or(to);
        for piece in 0..PIECES {
            let along = f32::from(piece) / f32::from(PIECES);
            let axis = |a, b, c, d| spline([a, b, c, d], along);
            pieces.push((axis(before.0, from.0, to.0, after.0), axis(before.1, from.1, to.1, after.1)));
        }
    }
    pieces.extend(points.last());
    pieces
}

/// A coordinate of a Catmull–Rom spline between the two middle values.
fn spline([a, b, c, d]: [f32; 4], along: f32) -> f32 {
    let linear = c - a;
    let square = 2.0 * a - 5.0 * b + 4.0 * c - d;
    let cube = 3.0 * b - a - 3.0 * c + d;
    b + along * (linear + along * (square + along * cube)) / 2.0
}

/// A pixel's coordinate.
fn coordinate(pixel: u32) -> f32 {
    u16::try_from(pixel).map_or(f32::MAX, f32::from)
}

/// A colour's level.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to a byte's range first")]
fn level(value: f32) -> u8 {
    value.clamp(0.0, 255.0).round() as u8
}
