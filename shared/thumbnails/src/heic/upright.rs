//! Converts the changes in a container to one crop and one orientation.

use image::metadata::Orientation;

use super::container::Change;

/// The visible part of the picture, in pixels as stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    /// Left edge.
    pub(super) x: u32,
    /// Upper edge.
    pub(super) y: u32,
    /// Width, at least 1.
    pub(super) width: u32,
    /// Height, at least 1.
    pub(super) height: u32,
}

/// The directions of a step to the right and a step down after rotation: the columns of a matrix.
type Turn = [[i8; 2]; 2];

const UNTURNED: Turn = [[1, 0], [0, 1]];

/// The result of `changes` for a picture of this size. `None` if a crop leaves nothing, or follows a rotation, which
/// the standard does not allow (ISO/IEC 23000-22, 7.3.6.7).
pub(super) fn upright((width, height): (u32, u32), changes: &[Change]) -> Option<(Window, Orientation)> {
    let mut window = Window { x: 0, y: 0, width, height };
    let mut turn = UNTURNED;
    for change in changes {
        match change {
            Change::Crop(fractions) => {
                let [across, down, right, lower] = *fractions;
                let (x, width) = crop(window.width, across, right)?;
                let (y, height) = crop(window.height, down, lower)?;
                window = Window { x: window.x + x, y: window.y + y, width, height };
                if turn != UNTURNED {
                    return None;
                }
            }
            Change::Turn(quarters) => {
                for _ in 0..*quarters {
                    turn = turn.map(|[x, y]| [y, -x]);
                }
            }
            Change::FlipVertical => turn = turn.map(|[x, y]| [x, -y]),
            Change::FlipHorizontal => turn = turn.map(|[x, y]| [-x, y]),
        }
    }
    Some((window, orientation(turn)))
}

fn orientation(turn: Turn) -> Orientation {
    match turn {
        [[-1, 0], [0, 1]] => Orientation::FlipHorizontal,
        [[1, 0], [0, -1]] => Orientation::FlipVertical,
        [[-1, 0], [0, -1]] => Orientation::Rotate180,
        [[0, 1], [-1, 0]] => Orientation::Rotate90,
        [[0, -1], [1, 0]] => Orientation::Rotate270,
        [[0, -1], [-1, 0]] => Orientation::Rotate270FlipH,
        [[0, 1], [1, 0]] => Orientation::Rotate90FlipH,
        _ => Orientation::NoTransforms,
    }
}

/// Start and length of the part of `full` with this length and with its centre at this offset from the middle, both as
/// fractions.
fn crop(full: u32, length: (u32, u32), offset: (u32, u32)) -> Option<(u32, u32)> {
    let length = length.0.checked_div(length.1).filter(|length| (1..=full).contains(length))?;
    let (over, under) = (i64::from(offset.0.cast_signed()), i64::from(offset.1));
    let doubled = i64::from(full - length) * under + 2 * over;
    let start = u32::try_from(doubled.checked_div(2 * under)?).ok()?;
    (start <= full - length).then_some((start, length))
}

#[cfg(test)]
mod tests {
    use image::{DynamicImage, RgbImage};

    use super::*;

    /// Four pixels with different colours, so that every rotation is visible.
    fn four() -> DynamicImage {
        DynamicImage::ImageRgb8(RgbImage::from_raw(2, 2, (1..=12).collect()).unwrap())
    }

    #[test]
    fn changes_one_after_the_other_are_one_orientation() {
        let flips = [&[][..], &[Change::FlipVertical], &[Change::FlipHorizontal]];
        for turns in 0..4 {
            for before in flips {
                for after in flips {
                    let changes = [before, &[Change::Turn(turns)], after].concat();
                    let mut step_by_step = four();
                    for change in &changes {
                        step_by_step = match change {
                            Change::FlipVertical => step_by_step.flipv(),
                            Change::FlipHorizontal => step_by_step.fliph(),
                            _ => (0..turns).fold(step_by_step, |picture, _| picture.rotate270()),
                        };
                    }
                    let mut at_once = four();
                    at_once.apply_orientation(upright((2, 2), &changes).unwrap().1);
                    assert_eq!(at_once, step_by_step, "{changes:?}");
                }
            }
        }
    }

    #[test]
    fn a_crop_is_around_the_middle_unless_it_is_moved() {
        let minus_one = u32::MAX;
        let middle = Change::Crop([(60, 1), (40, 2), (0, 1), (0, 1)]);
        let (window, _) = upright((100, 50), &[middle, Change::Turn(1)]).unwrap();
        assert_eq!(window, Window { x: 20, y: 15, width: 60, height: 20 });
        let moved = Change::Crop([(60, 1), (20, 1), (minus_one, 1), (30, 2)]);
        let (window, _) = upright((100, 50), &[moved]).unwrap();
        assert_eq!(window, Window { x: 19, y: 30, width: 60, height: 20 });
    }

    #[test]
    fn impossible_crops_are_nothing() {
        let whole = Change::Crop([(9, 1), (9, 1), (0, 1), (0, 1)]);
        assert_eq!(upright((9, 9), &[Change::Turn(1), whole]), None);
        for fractions in [
            [(10, 1), (9, 1), (0, 1), (0, 1)],
            [(0, 1), (9, 1), (0, 1), (0, 1)],
            [(9, 0), (9, 1), (0, 1), (0, 1)],
            [(9, 1), (9, 1), (1, 0), (0, 1)],
            [(9, 1), (9, 1), (1, 1), (0, 1)],
            [(9, 1), (5, 1), (0, 1), (u32::MAX - 9, 1)],
        ] {
            assert_eq!(upright((9, 9), &[Change::Crop(fractions)]), None, "{fractions:?}");
        }
    }
}
