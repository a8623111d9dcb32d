//! Draws bars as SVG.

use std::fmt::Write as _;

/// Bars of one unit.
pub(crate) struct Group {
    /// What they show, with its unit.
    pub(crate) title: &'static str,
    /// Names and values.
    pub(crate) bars: Vec<(&'static str, f64)>,
}

/// The width of the longest bar, and where bars begin.
const LONGEST: f64 = 360.0;
const LEFT: u32 = 240;

/// The chart. The bars of a group share a scale.
pub(crate) fn draw(groups: &[Group]) -> String {
    let (mut body, mut y) = (String::new(), 10);
    for group in groups {
        y += 20;
        let _ = writeln!(body, r#"<text x="10" y="{y}" font-weight="bold">{}</text>"#, group.title);
        let most = group.bars.iter().map(|(_, value)| *value).fold(f64::MIN_POSITIVE, f64::max);
        for (name, value) in &group.bars {
            y += 24;
            let width = value / most * LONGEST;
            let end = f64::from(LEFT) + width + 6.0;
            let _ = writeln!(
                body,
                r##"<text x="10" y="{y}">{name}</text>
<rect x="{LEFT}" y="{}" width="{width:.1}" height="16" fill="#4c78a8"/>
<text x="{end:.1}" y="{y}">{value:.2}</text>"##,
                y - 13
            );
        }
        y += 14;
    }
    format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="680" height="{0}" viewBox="0 0 680 {0}" font-family="sans-serif" font-size="13">
<rect width="100%" height="100%" fill="#fff"/>
{body}</svg>
"##,
        y + 10
    )
}
