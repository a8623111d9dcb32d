//! Computes quantised coefficients from samples (T.81, A.3.3 and A.3.4).

use media_formats::jpeg::ZIGZAG;

/// cos(k pi/16)/2 for odd k.
const ODD: [f32; 4] = [0.490_392_64, 0.415_734_8, 0.277_785_12, 0.097_545_16];
/// cos(pi/8)/2, cos(3pi/8)/2 and 1/sqrt(8).
const NEAR: f32 = 0.461_939_77;
const FAR: f32 = 0.191_341_72;
const FLAT: f32 = 0.353_553_39;

/// Transforms a block of samples, less 128 each, and divides each coefficient by its step. The result is in zigzag
/// order.
pub(super) fn coefficients(block: &[[f32; 8]; 8], inverse_steps: &[f32; 64]) -> [i16; 64] {
    let columns = eight_points(block);
    let lines: [[f32; 8]; 8] = std::array::from_fn(|x| std::array::from_fn(|y| columns[y][x]));
    let both = eight_points(&lines);
    // Coefficient (u, v), u across, is now at both[u][v].
    let mut quantised = [0_i16; 64];
    for (u, column) in both.iter().enumerate() {
        for (v, value) in column.iter().enumerate() {
            quantised[u * 8 + v] = rounded(value * inverse_steps[u * 8 + v]);
        }
    }
    ZIGZAG.map(|at| quantised[usize::from(at % 8 * 8 + at / 8)])
}

/// The nearest whole number. Floats of the size of this sum are whole numbers, and their low bits are the added number.
/// A cast would also have to check for numbers that are too large, and no coefficient is.
fn rounded(value: f32) -> i16 {
    const WHOLE: f32 = 12_582_912.0;
    (value + WHOLE).to_bits() as i16
}

/// One direction of the transform of 8 points, for eight vectors side by side.
fn eight_points(lines: &[[f32; 8]; 8]) -> [[f32; 8]; 8] {
    let mut out = [[0.0; 8]; 8];
    for index in 0..8 {
        let sum = |line: usize| lines[line][index] + lines[7 - line][index];
        let difference = |line: usize| lines[line][index] - lines[7 - line][index];
        let (outer, inner) = (sum(0) + sum(3), sum(1) + sum(2));
        let (outside, inside) = (sum(0) - sum(3), sum(1) - sum(2));
        out[0][index] = (outer + inner) * FLAT;
        out[4][index] = (outer - inner) * FLAT;
        out[2][index] = outside * NEAR + inside * FAR;
        out[6][index] = outside * FAR - inside * NEAR;
        let [a, b, c, d] = [difference(0), difference(1), difference(2), difference(3)];
        out[1][index] = a * ODD[0] + b * ODD[1] + c * ODD[2] + d * ODD[3];
        out[3][index] = a * ODD[1] - b * ODD[3] - c * ODD[0] - d * ODD[2];
        out[5][index] = a * ODD[2] - b * ODD[0] + c * ODD[3] + d * ODD[1];
        out[7][index] = a * ODD[3] - b * ODD[2] + c * ODD[1] - d * ODD[0];
    }
    out
}
