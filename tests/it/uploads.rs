//! Pictures through every upload route: each route's response to hostile files, and HEIC from end to end.

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{DynamicImage, ExtendedColorType, ImageEncoder, ImageFormat};
use reqwest::header::CONTENT_TYPE;
use reqwest::multipart::{Form, Part};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::support::accounts::{Cookie, PASSWORD, rooms_by_code, web_register};
use crate::support::backend::answer;
use crate::support::heic::{COLOURS, QUARTERS, code, heic_of_a_place};
use crate::support::pictures::{
    Noise, SECRET, broken_webps, chunk, corners, decoded, extension, gif, holds, jpeg, name, png, size, webp,
};
use crate::support::{Backend, Person, fresh_phone, run, shared};

/// Every way to send a picture in one request, and its sender.
struct Ways {
    backend: Backend,
    person: Person,
    web: Cookie,
    rooms: (String, String),
}

impl Ways {
    async fn open() -> Self {
        let backend = Backend::start(&[]).await;
        let person = backend.person().await;
        let (_, web) = web_register(&backend, &fresh_phone(), PASSWORD).await;
        let rooms = rooms_by_code(&backend, &fresh_phone()).await;
        Self { backend, person, web, rooms }
    }

    /// The requests that send `bytes`, and the expected response of each that rejects them with `words`.
    fn requests(&self, bytes: &[u8], words: &str) -> [(&'static str, RequestBuilder, (u16, Value)); 5] {
        let Self { backend, person, web, rooms: (pk, token) } = self;
        let messenger = (400, json!({ "error": words }));
        // The name and type of the file belong to another format; they are ignored.
        let part = || Part::bytes(bytes.to_vec()).file_name("holiday.jpg").mime_str("image/jpeg").expect("a type");
        let of_web = backend.post("/api/v1.0/user/avatar").header("cookie", &web.0);
        let of_rooms = backend.put(&format!("/users/icon/{pk}/")).query(&[("token", token)]);
        [
            ("POST /images", backend.upload(person, Method::POST, "/images", bytes.to_vec()), messenger.clone()),
            (
                "POST /images, a form",
                backend.post("/images").bearer_auth(&person.access_token).multipart(Form::new().part("file", part())),
                messenger.clone(),
            ),
            (
                "PUT /users/me/avatar",
                backend.upload(person, Method::PUT, "/users/me/avatar", bytes.to_vec()),
                messenger,
            ),
            (
                "the web's avatar",
                of_web.multipart(Form::new().part("avatar", part())),
                (200, json!({ "errno": "4103", "errmsg": "参数错误" })),
            ),
            (
                "the icon of rooms",
                of_rooms.header(CONTENT_TYPE, "application/octet-stream").body(bytes.to_vec()),
                (400, json!({ "status": "FAIL", "code": "400", "msg": words })),
            ),
        ]
    }

    async fn holdings(&self) -> (i32, Vec<String>) {
        self.backend.settled().await;
        (self.backend.count_items().await, self.backend.objects().await)
    }
}

const NO_PICTURE: &str = "not a JPEG, PNG, WebP, GIF or HEIC picture";
const CUT: &str = "the picture is cut short";
const DAMAGED: &str = "the picture is damaged";
const TOO_MANY: &str = "the picture has too many pixels";

/// A JPEG whose frame header is modified by `change`.
fn jpeg_with(change: impl FnOnce(&mut [u8])) -> Vec<u8> {
    let mut bytes = jpeg(8, 8);
    let frame = bytes.windows(2).position(|pair| pair == [0xff, 0xc0]).expect("a frame");
    change(&mut bytes[frame..]);
    bytes
}

/// A JPEG whose scan is of a component that it does not have.
fn jpeg_scan_of(component: u8) -> Vec<u8> {
    let mut bytes = jpeg(8, 8);
    let scan = bytes.windows(2).position(|pair| pair == [0xff, 0xda]).expect("a scan");
    bytes[scan + 5] = component;
    bytes
}

fn png_claiming(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = png(8, 8);
    let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &bytes[24..29]].concat();
    bytes.splice(8..33, chunk(*b"IHDR", &header));
    bytes
}

fn hostile() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let svg = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>";
    let cut = |bytes: Vec<u8>, by: usize| bytes[..bytes.len() - by].to_vec();
    let brand = |brands: &[u8]| [&[0, 0, 0, 24][..], b"ftyp", brands, &QUARTERS[28..]].concat();
    vec![
        ("a page", b"<!DOCTYPE html><script>alert(1)</script>".to_vec(), NO_PICTURE),
        ("a drawing", svg.to_vec(), NO_PICTURE),
        ("a drawing with a picture behind it", [&svg[..], &png(8, 8)].concat(), NO_PICTURE),
        ("a script with a picture behind it", [b"#!/bin/sh\n", &gif(8, 8)[..]].concat(), NO_PICTURE),
        ("an archive with a picture behind it", [b"PK\x03\x04", &jpeg(8, 8)[..]].concat(), NO_PICTURE),
        ("a PDF with a picture behind it", [b"%PDF-1.7\n", &jpeg(8, 8)[..]].concat(), NO_PICTURE),
        ("a picture behind white space", [b"\r\n", &png(8, 8)[..]].concat(), NO_PICTURE),
        ("a BMP", b"BM\x46\0\0\0\0\0\0\0\x36\0\0\0".to_vec(), NO_PICTURE),
        ("a TIFF", b"MM\0\x2a\0\0\0\x08".to_vec(), NO_PICTURE),
        ("an AVIF", brand(b"avif\0\0\0\0mif1avif"), NO_PICTURE),
        ("an AVIF that says HEIF", brand(b"mif1\0\0\0\0miafavif"), NO_PICTURE),
        ("a film of HEIC", brand(b"hevc\0\0\0\0msf1heic"), NO_PICTURE),
        ("a film", b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom".to_vec(), NO_PICTURE),
        ("zeroes", vec![0; 5000], NO_PICTURE),
        ("noise", Noise::new(7).bytes(5000), NO_PICTURE),
        ("a JPEG of 4 gigapixels", jpeg_with(|frame| frame[5..9].copy_from_slice(&[0xff, 0xdc, 0xff, 0xdc])), TOO_MANY),
        ("a PNG of 4 gigapixels", png_claiming(65_500, 65_500), TOO_MANY),
        ("a PNG of 2^62 pixels", png_claiming(0x7fff_ffff, 0x7fff_ffff), TOO_MANY),
        ("a HEIC of 4 gigapixels", heic_of_a_place(0, (65_500, 65_500)), TOO_MANY),
        ("a JPEG of no lines", jpeg_with(|frame| frame[5..7].fill(0)), "the picture has no pixels"),
        ("a HEIC of no pixels", heic_of_a_place(0, (0, 512)), "the picture has no pixels"),
        ("an arithmetic JPEG", jpeg_with(|frame| frame[1] = 0xc9), "a kind of JPEG that browsers do not show"),
        ("a JPEG of 12 bits", jpeg_with(|frame| frame[4] = 12), "a kind of JPEG that browsers do not show"),
        ("a JPEG cut before its scan", jpeg(8, 8)[..300].to_vec(), DAMAGED),
        ("a JPEG whose scan is of another picture", jpeg_scan_of(9), DAMAGED),
        ("a PNG cut before its pixels", png(8, 8)[..40].to_vec(), CUT),
        ("a PNG without pixels", [&png(8, 8)[..33], &chunk(*b"IEND", b"")].concat(), CUT),
        ("a GIF cut before its frame", gif(8, 8)[..20].to_vec(), CUT),
        ("a WebP shorter than it says", cut(webp(8, 8), 2), CUT),
        ("a HEIC cut in its code", cut(QUARTERS.to_vec(), 1), CUT),
        ("a HEIC cut in its container", QUARTERS[..200].to_vec(), CUT),
    ]
}

#[test]
fn every_hostile_file_gets_its_answer_in_the_envelope_of_its_way_in_and_nothing_is_stored() {
    run(async {
        let ways = Ways::open().await;
        let before = ways.holdings().await;
        for (what, bytes, words) in hostile() {
            for (way, request, expected) in ways.requests(&bytes, words) {
                assert_eq!(answer(request).await, expected, "{what} by {way}");
            }
        }
        for (way, request, expected) in ways.requests(b"", "the upload is empty") {
            // Without a body the icon of rooms is a missing URL.
            if way != "the icon of rooms" {
                assert_eq!(answer(request).await, expected, "nothing by {way}");
            }
        }
        assert_eq!(ways.holdings().await, before);
    });
}

#[test]
fn every_way_in_keeps_a_picture_as_what_it_is_whatever_it_is_called() {
    run(async {
        let ways = Ways::open().await;
        let heic = heic_of_a_place(1, (512, 512));
        for (kind, ending, bytes) in
            [("image/gif", "gif", gif(20, 20)), ("image/heic", "heic", heic), ("image/png", "png", png(20, 20))]
        {
            for (way, request, _) in ways.requests(&bytes, "") {
                let (status, body) = answer(request).await;
                let place = [&body["src"], &body["data"]["avatar_url"], &body["img"]];
                let place = place.iter().find_map(|place| place.as_str()).unwrap_or_else(|| panic!("{way}: {body}"));
                assert_eq!((status, extension(place)), (200, ending), "{way}");
                let path = &place[place.find("/images/").expect("a path")..];
                let response = ways.backend.get(path).send().await.expect("an answer");
                assert_eq!(response.headers()[CONTENT_TYPE], kind, "{way}");
                assert_eq!(response.headers()["x-content-type-options"], "nosniff");
                assert!(!holds(&response.bytes().await.expect("bytes"), SECRET), "{way}");
            }
        }
    });
}

#[test]
fn a_heic_loses_its_place_and_nothing_else() {
    run(async {
        let backend = shared().await;
        let person = backend.person().await;
        for quarter_turns in 0..4 {
            let original = heic_of_a_place(quarter_turns, (512, 512));
            assert!(holds(&original, SECRET) && holds(&original, b"Exif") && holds(&original, b"xmpmeta"));
            let src = backend.post_image(&person, original).await;
            let kept = backend.bytes(&src).await;
            for word in [SECRET, b"Exif", b"xmpmeta", b"mime", b"cdsc"] {
                assert!(!holds(&kept, word), "{}", String::from_utf8_lossy(word));
            }
            assert!(code(&kept) == code(QUARTERS) && holds(&kept, &[b'i', b'r', b'o', b't', quarter_turns]));
            // It is complete: the stored file can be uploaded again unchanged.
            let again = backend.post_image(&person, kept.clone()).await;
            assert!(backend.bytes(&again).await == kept);
        }
    });
}

#[test]
fn thumbnails_of_a_heic_are_upright_jpegs() {
    run(async {
        let backend = shared().await;
        let person = backend.person().await;
        for quarter_turns in 0..4 {
            // The Exif block has an orientation too, which must be ignored.
            let src = backend.post_image(&person, heic_of_a_place(quarter_turns, (512, 512))).await;
            let square =
                image::RgbImage::from_fn(2, 2, |x, y| image::Rgb(COLOURS[usize::from(x > 0) + 2 * usize::from(y > 0)]));
            let mut expected = DynamicImage::from(square);
            for _ in 0..quarter_turns {
                expected = expected.rotate270();
            }
            let expected: Vec<[u8; 3]> = expected.to_rgb8().pixels().map(|pixel| pixel.0).collect();
            for suffix in ["@128w_128h_1c", "@256w_256h_0c", "@128w_128h_1c.heic", "@128w_128h_1c.jpg"] {
                let response = backend.get(&format!("{src}{suffix}")).send().await.expect("an answer");
                assert_eq!(
                    (response.status().as_u16(), &response.headers()[CONTENT_TYPE]),
                    (200, &"image/jpeg".parse().expect("a type"))
                );
                let (format, picture, turn) = decoded(&response.bytes().await.expect("bytes"));
                assert_eq!((format, turn.to_exif()), (ImageFormat::Jpeg, 1));
                for (found, expected) in corners(&picture).as_flattened().iter().zip(expected.as_flattened()) {
                    assert!(found.abs_diff(*expected) < 24, "{quarter_turns}: {:?}", corners(&picture));
                }
            }
        }
    });
}

/// Small files with a valid container that have very many pixels, or another number than their header states.
#[test]
fn a_bomb_is_a_picture_and_a_broken_picture_has_a_clear_answer_instead_of_thumbnails() {
    run(async {
        let backend = Backend::start(&[]).await;
        let person = backend.person().await;
        // 49 megapixels of one colour in a few kilobytes: within the limit.
        let mut bomb = Vec::new();
        let encoder = PngEncoder::new_with_quality(&mut bomb, CompressionType::Best, FilterType::NoFilter);
        encoder.write_image(&vec![0; 7000 * 7000], 7000, 7000, ExtendedColorType::L8).expect("a PNG");
        assert!(bomb.len() < 100_000, "{}", bomb.len());
        let src = backend.post_image(&person, bomb).await;
        assert_eq!(size(&backend.bytes(&format!("{src}@256w_256h_0c")).await), (256, 256));

        for (what, bytes) in broken_webps() {
            let src = backend.post_image(&person, bytes).await;
            backend.settled().await;
            for suffix in ["@128w_128h_1c", "@128w_128h_1c", "@256w_256h_0c"] {
                let answered = answer(backend.get(&format!("{src}{suffix}"))).await;
                assert_eq!(answered, (400, json!({ "error": DAMAGED })), "{what}");
            }
            let prefix = format!("thumbnails/{}", name(&src));
            let objects = backend.objects().await;
            assert!(objects.iter().all(|key| !key.starts_with(&prefix)), "{what}");
            assert!(objects.contains(&format!("refusals/{}", name(&src))), "{what}: {objects:?}");
        }
    });
}
