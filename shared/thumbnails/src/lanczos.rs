//! The kernel for scaling thumbnails.

use std::f64::consts::PI;

use fast_image_resize::{Filter, FilterType};

/// Lanczos over three lobes. The library has it too, but computes two sines for each weight, and for small pictures the
/// weights are a large part of the work.
pub(crate) fn three_lobes() -> FilterType {
    Filter::new("Lanczos3", weight, 3.0).map_or(FilterType::Lanczos3, FilterType::Custom)
}

/// sinc(x) sinc(x/3) for less than three to either side. With s = sin(pi x/3) the other sine is s (3 - 4 s²).
fn weight(x: f64) -> f64 {
    let third = x.abs() / 3.0;
    if third >= 1.0 {
        return 0.0;
    }
    if third < 1e-6 {
        return 1.0;
    }
    let square = sine(third.min(1.0 - third)).powi(2);
    square * (3.0 - 4.0 * square) / (3.0 * (PI * third).powi(2))
}

/// sin(pi x) for x from 0 to a half, by its series, up to the power that contributes less than a billionth.
fn sine(x: f64) -> f64 {
    let angle = PI * x;
    let square = angle * angle;
    let term = |rest: f64, index: f64| 1.0 - square * (1.0 / (index * (index + 1.0))) * rest;
    angle * [12.0, 10.0, 8.0, 6.0, 4.0, 2.0].into_iter().fold(1.0, term)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_product_of_two_sincs() {
        let sinc = |x: f64| if x == 0.0 { 1.0 } else { (PI * x).sin() / (PI * x) };
        for step in -40_000..=40_000 {
            let x = f64::from(step) / 10_000.0;
            let exact = if x.abs() < 3.0 { sinc(x) * sinc(x / 3.0) } else { 0.0 };
            assert!((weight(x) - exact).abs() < 1e-8, "{x}: {} {exact}", weight(x));
        }
        assert!((weight(1e-7) - 1.0).abs() < 1e-8);
        assert!(matches!(three_lobes(), FilterType::Custom(_)));
    }
}
