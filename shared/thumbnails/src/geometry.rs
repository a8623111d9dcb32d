//! The part of a picture that a thumbnail shows, and the thumbnail's size.

use crate::{Fit, Spec};

/// A rectangle of the original and the size to which it is scaled, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Plan {
    /// Left edge of the rectangle.
    pub(crate) x: u32,
    /// Top edge of the rectangle.
    pub(crate) y: u32,
    /// Width and height of the rectangle, at least 1 each.
    pub(crate) window: (u32, u32),
    /// Width and height of the thumbnail, at least 1 each and never more than the rectangle's.
    pub(crate) target: (u32, u32),
}

/// Plans the thumbnail `spec` of a picture of `source` pixels, with at least one pixel in each direction.
pub(crate) fn plan(source: (u32, u32), spec: &Spec) -> Plan {
    match spec.fit {
        Fit::Contain => Plan { x: 0, y: 0, window: source, target: contained(source, (spec.width, spec.height)) },
        Fit::Cover if source.0 >= spec.width && source.1 >= spec.height => {
            centred(source, widest(source, (spec.width, spec.height)), (spec.width, spec.height))
        }
        Fit::Cover => {
            let window = (source.0.min(spec.width), source.1.min(spec.height));
            centred(source, window, window)
        }
    }
}

fn centred(source: (u32, u32), window: (u32, u32), target: (u32, u32)) -> Plan {
    Plan { x: (source.0 - window.0) / 2, y: (source.1 - window.1) / 2, window, target }
}

/// The largest size with the box's ratio inside a picture that is at least as large as the box.
fn widest(source: (u32, u32), target: (u32, u32)) -> (u32, u32) {
    if wider(source, target) {
        (scaled(source.1, target.0, target.1).min(source.0), source.1)
    } else {
        (source.0, scaled(source.0, target.1, target.0).min(source.1))
    }
}

/// The largest size with the picture's ratio inside the box, at most the picture's own size.
fn contained(source: (u32, u32), target: (u32, u32)) -> (u32, u32) {
    if source.0 <= target.0 && source.1 <= target.1 {
        source
    } else if wider(source, target) {
        (target.0, scaled(target.0, source.1, source.0).min(target.1))
    } else {
        (scaled(target.1, source.0, source.1).min(target.0), target.1)
    }
}

/// Whether `a` is wider for its height than `b`.
fn wider(a: (u32, u32), b: (u32, u32)) -> bool {
    u64::from(a.0) * u64::from(b.1) > u64::from(b.0) * u64::from(a.1)
}

/// `length` times `times` over `over`, rounded, at least 1.
fn scaled(length: u32, times: u32, over: u32) -> u32 {
    let product = u64::from(length) * u64::from(times) + u64::from(over) / 2;
    u32::try_from(product / u64::from(over)).unwrap_or(u32::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cover(source: (u32, u32), width: u32, height: u32) -> Plan {
        let fit = Fit::Cover;
        plan(source, &Spec { width, height, fit })
    }

    fn contain(source: (u32, u32), width: u32, height: u32) -> Plan {
        let fit = Fit::Contain;
        plan(source, &Spec { width, height, fit })
    }

    #[test]
    fn cover_meets_the_box_exactly_and_shows_the_middle() {
        let wide = cover((4000, 3000), 128, 128);
        assert_eq!((wide.x, wide.y, wide.window), (500, 0, (3000, 3000)));
        assert_eq!(wide.target, (128, 128));
        let tall = cover((3000, 4000), 256, 128);
        assert_eq!((tall.x, tall.y, tall.window), (0, 1250, (3000, 1500)));
        assert_eq!(tall.target, (256, 128));
    }

    #[test]
    fn cover_never_enlarges_and_crops_only_what_sticks_out() {
        assert_eq!(cover((100, 60), 128, 128).target, (100, 60));
        let strip = cover((100, 5000), 128, 128);
        assert_eq!((strip.x, strip.y), (0, 2436));
        assert_eq!((strip.window, strip.target), ((100, 128), (100, 128)));
    }

    #[test]
    fn contain_keeps_the_ratio_and_never_enlarges() {
        assert_eq!(contain((4000, 3000), 128, 128).target, (128, 96));
        assert_eq!(contain((3000, 4000), 128, 128).target, (96, 128));
        assert_eq!(contain((100, 60), 128, 128).target, (100, 60));
        assert_eq!(contain((50_000_000, 1), 128, 128).target, (128, 1));
        assert_eq!(contain((1, 50_000_000), 128, 128).target, (1, 128));
        assert_eq!(contain((129, 129), 128, 128).target, (128, 128));
    }

    #[test]
    fn a_plan_never_leaves_the_picture() {
        for width in (1..400).step_by(7).chain([65_535]) {
            for height in (1..400).step_by(11).chain([65_535]) {
                for (w, h) in [(128, 128), (256, 256), (1, 300), (300, 1)] {
                    for fit in [Fit::Cover, Fit::Contain] {
                        let (width_of_box, height_of_box) = (w, h);
                        let spec = Spec { width: width_of_box, height: height_of_box, fit };
                        let plan = plan((width, height), &spec);
                        assert!(plan.x + plan.window.0 <= width && plan.y + plan.window.1 <= height);
                        assert!(plan.target.0 <= w.min(plan.window.0));
                        assert!(plan.target.1 <= h.min(plan.window.1));
                        assert!(plan.target.0 >= 1 && plan.target.1 >= 1);
                    }
                }
            }
        }
    }
}
