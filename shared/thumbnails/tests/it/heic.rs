//! HEIC: single pictures, grids of tiles, and what their containers ask for.

use thumbnails::{Error, Fit, Limits, Spec, thumbnails};

use crate::make::heic::Grid;
use crate::make::{CONTAIN, COVER, UPRIGHT, exif, letters, one, pixels};

const SINGLE: &[u8] = include_bytes!("../../../media/fixtures/quarters.heic");
const DEEP: &[u8] = include_bytes!("../../../media/fixtures/quarters-10-bit.heic");

fn refusal(bytes: &[u8]) -> Option<Error> {
    thumbnails(bytes, &[COVER], Limits::default()).err()
}

#[test]
fn single_pictures_of_eight_and_ten_bits_are_read() {
    for bytes in [SINGLE, DEEP] {
        for spec in [COVER, CONTAIN, Spec { width: 1000, height: 1000, fit: Fit::Contain }] {
            let made = one(bytes, spec);
            assert_eq!((made.content_type, letters(&made)), ("image/jpeg", "rgbw".to_owned()));
        }
        let red = pixels(&one(bytes, COVER)).get_pixel(20, 20).0;
        assert!(red[0] > 248 && red[1] < 8 && red[2] < 8, "{red:?}");
    }
}

#[test]
fn a_grid_is_put_together_and_what_sticks_out_is_cut() {
    let (mut grid, tiles) = Grid::quarters();
    assert_eq!(letters(&one(&grid.file(&tiles), COVER)), "rgbw");
    grid.size = (80, 128);
    let made = one(&grid.file(&tiles), COVER);
    assert_eq!((made.width, made.height, letters(&made)), (80, 128, "rrbb".to_owned()));
    let right = pixels(&made).get_pixel(75, 30).0;
    assert!(right[0] < 30 && right[1] > 225, "{right:?}");
}

#[test]
fn turns_and_flips_of_the_container_are_applied_and_exif_is_not() {
    let turn = |quarters: u8| (*b"irot", vec![quarters]);
    let flip = |axis: u8| (*b"imir", vec![axis]);
    for (properties, expected) in [
        (vec![], UPRIGHT[0]),
        (vec![flip(1)], UPRIGHT[1]),
        (vec![turn(2)], UPRIGHT[2]),
        (vec![flip(0)], UPRIGHT[3]),
        (vec![turn(1), flip(0)], UPRIGHT[4]),
        (vec![turn(3)], UPRIGHT[5]),
        (vec![turn(1), flip(1)], UPRIGHT[6]),
        (vec![turn(1)], UPRIGHT[7]),
    ] {
        let (mut grid, tiles) = Grid::quarters();
        grid.properties = properties;
        for orientation in [1, 6] {
            grid.exif = exif(orientation);
            let made = one(&grid.file(&tiles), CONTAIN);
            assert_eq!(letters(&made), expected, "{:?}", grid.properties);
            assert!(!made.bytes.windows(6).any(|word| word == b"SECRET"));
        }
    }
}

#[test]
fn a_clean_aperture_is_cut_before_the_turn() {
    let (mut grid, tiles) = Grid::quarters();
    let fractions: [[u32; 2]; 4] = [[64, 1], [128, 1], [32, 1], [0, 1]];
    let content = fractions.as_flattened().iter().flat_map(|number| number.to_be_bytes()).collect();
    grid.properties = vec![(*b"clap", content), (*b"irot", vec![1])];
    let made = one(&grid.file(&tiles), CONTAIN);
    // The right half, which is green above white, turned to the left.
    assert_eq!((made.width, made.height, letters(&made)), (128, 64, "gwgw".to_owned()));
}

#[test]
fn grids_that_do_not_add_up_are_refused() {
    let (grid, tiles) = Grid::quarters();
    let refused = |change: &dyn Fn(&mut Grid)| {
        let mut grid = Grid { properties: Vec::new(), exif: Vec::new(), ..grid };
        change(&mut grid);
        refusal(&grid.file(&tiles))
    };
    assert!(refused(&|_| {}).is_none());
    for (name, change) in [
        ("too many tiles for its size", &(|grid: &mut Grid| grid.size = (64, 128)) as &dyn Fn(&mut Grid)),
        ("too few tiles for its size", &|grid: &mut Grid| grid.size = (129, 128)),
        ("not so many tiles", &|grid: &mut Grid| grid.rows = 3),
        ("no size", &|grid: &mut Grid| grid.size = (0, 128)),
    ] {
        assert!(refused(change).is_some(), "{name}");
    }
    let huge = refused(&|grid| grid.size = (65_500, 65_500));
    assert!(matches!(huge, Some(Error::TooManyPixels { .. })), "{huge:?}");
}

#[test]
fn limits_are_judged_before_tiles_are_decoded() {
    let few = Limits { max_pixels: 512 * 512 - 1, ..Limits::default() };
    assert!(matches!(thumbnails(SINGLE, &[COVER], few), Err(Error::TooManyPixels { width: 512, height: 512 })));
    let little = Limits { max_bytes: 1_000_000, ..Limits::default() };
    assert!(matches!(thumbnails(SINGLE, &[COVER], little), Err(Error::TooMuchMemory)));
}
