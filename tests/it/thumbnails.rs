//! Thumbnails: created when a picture is stored, and again if they are missing.

use std::time::Duration;

use emulator::Fault;
use futures::future::join_all;
use image::{DynamicImage, ImageFormat};
use reqwest::header::CONTENT_TYPE;
use serde_json::Value;

use crate::support::backend::answer;
use crate::support::pictures::{
    Bucket, alike, corners, decoded, half_transparent_png, jpeg, jpeg_of_a_place, name, noise_png, one_of_each, png,
    quarters, size,
};
use crate::support::users::internal_error;
use crate::support::{Backend, run, shared};

/// Every available thumbnail: its suffix, the side of its box, and whether it fills the box.
const OFFERED: [(&str, u32, bool); 4] = [
    ("@128w_128h_0c", 128, false),
    ("@128w_128h_1c", 128, true),
    ("@256w_256h_0c", 256, false),
    ("@256w_256h_1c", 256, true),
];

/// The documented size of a thumbnail: `1c` fills the box, `0c` fits inside it, and neither enlarges the picture.
fn expected_size((width, height): (u32, u32), side: u32, fills: bool) -> (u32, u32) {
    if fills || (width <= side && height <= side) {
        return (width.min(side), height.min(side));
    }
    let shrunk = |length: u32, longest: u32| ((2 * length * side + longest) / (2 * longest)).max(1);
    if width >= height { (side, shrunk(height, width)) } else { (shrunk(width, height), side) }
}

async fn stored_thumbnails(backend: &Backend, src: &str) -> Vec<Option<(Vec<u8>, String)>> {
    let bucket = Bucket::of(backend);
    let mut found = Vec::new();
    for (suffix, ..) in OFFERED {
        found.push(bucket.get(&format!("thumbnails/{}{suffix}", name(src))).await);
    }
    found
}

/// Deletes the thumbnails of a picture after they were created.
async fn delete_thumbnails(backend: &Backend, src: &str) {
    backend.settled().await;
    let bucket = Bucket::of(backend);
    for (suffix, ..) in OFFERED {
        bucket.delete(&format!("thumbnails/{}{suffix}", name(src))).await;
    }
}

#[test]
fn all_four_are_in_the_bucket_soon_after_the_upload() {
    run(async {
        let backend = Backend::start(&[]).await;
        let person = backend.person().await;
        for (kind, _, bytes) in one_of_each(600, 300) {
            let src = backend.post_image(&person, bytes).await;
            backend.settled().await;
            let made = stored_thumbnails(&backend, &src).await;
            for ((suffix, side, fills), made) in OFFERED.into_iter().zip(made) {
                let (bytes, content_type) = made.unwrap_or_else(|| panic!("no {suffix} of a {kind}"));
                assert_eq!(content_type, "image/jpeg", "{kind}");
                assert_eq!(size(&bytes), expected_size((600, 300), side, fills), "{kind} {suffix}");
                // The served bytes are the stored ones.
                assert!(backend.bytes(&format!("{src}{suffix}")).await == bytes, "{kind} {suffix}");
            }
        }
        let avatar = backend.put_avatar(&person, png(300, 300)).await;
        backend.settled().await;
        assert!(stored_thumbnails(&backend, &avatar).await.iter().all(Option::is_some));
    });
}

#[test]
fn sizes_are_exact_and_nothing_is_enlarged() {
    run(async {
        let backend = shared().await;
        let person = backend.person().await;
        let sizes = [
            (600, 300),
            (300, 600),
            (256, 256),
            (257, 255),
            (128, 400),
            (100, 60),
            (100, 900),
            (900, 100),
            (1, 1),
            (2000, 3),
        ];
        for source in sizes {
            let src = backend.post_image(&person, png(source.0, source.1)).await;
            for (suffix, side, fills) in OFFERED {
                let made = backend.bytes(&format!("{src}{suffix}")).await;
                assert_eq!(size(&made), expected_size(source, side, fills), "{source:?} {suffix}");
            }
        }
    });
}

#[test]
fn filling_crops_the_middle_and_fitting_shows_it_all() {
    run(async {
        let backend = shared().await;
        let person = backend.person().await;
        // Three stripes; the box is as wide as the middle one.
        let stripes = image::RgbImage::from_fn(900, 300, |x, _| {
            image::Rgb([[255, 0, 0], [0, 255, 0], [0, 0, 255]][usize::try_from(x / 300).expect("a stripe")])
        });
        let mut bytes = std::io::Cursor::new(Vec::new());
        stripes.write_to(&mut bytes, ImageFormat::Png).expect("a PNG");
        let src = backend.post_image(&person, bytes.into_inner()).await;
        let (_, filled, _) = decoded(&backend.bytes(&format!("{src}@128w_128h_1c")).await);
        assert!(alike(corners(&filled), [[0, 255, 0]; 4]), "{:?}", corners(&filled));
        let (_, fitted, _) = decoded(&backend.bytes(&format!("{src}@128w_128h_0c")).await);
        let (left, right) = ([255, 0, 0], [0, 0, 255]);
        assert!(alike(corners(&fitted), [left, right, left, right]), "{:?}", corners(&fitted));
    });
}

#[test]
fn a_picture_stands_upright_in_its_thumbnails() {
    run(async {
        let backend = shared().await;
        let person = backend.person().await;
        for orientation in 1..=8 {
            let original = jpeg_of_a_place(640, 320, orientation);
            let mut upright = DynamicImage::from(quarters(640, 320));
            upright.apply_orientation(decoded(&original).2);
            let src = backend.post_image(&person, original).await;
            for (suffix, side, fills) in OFFERED {
                let (_, made, turn) = decoded(&backend.bytes(&format!("{src}{suffix}")).await);
                let expected = expected_size((upright.width(), upright.height()), side, fills);
                assert_eq!((made.width(), made.height()), expected, "orientation {orientation} {suffix}");
                assert!(alike(corners(&made), corners(&upright)), "orientation {orientation} {suffix}");
                assert_eq!(turn.to_exif(), 1, "turned twice");
            }
        }
    });
}

#[test]
fn what_is_transparent_stays_so() {
    run(async {
        let backend = shared().await;
        let person = backend.person().await;
        let src = backend.post_image(&person, half_transparent_png(400, 400)).await;
        for (suffix, ..) in OFFERED {
            let response = backend.get(&format!("{src}{suffix}")).send().await.expect("an answer");
            assert_eq!(response.headers()[CONTENT_TYPE], "image/png");
            let (format, made, _) = decoded(&response.bytes().await.expect("bytes"));
            assert_eq!(format, ImageFormat::Png);
            let made = made.to_rgba8();
            let (width, height) = made.dimensions();
            assert_eq!(made.get_pixel(width - 8, height / 2).0[3], 0);
            assert_eq!(made.get_pixel(8, height / 2).0, [255, 0, 0, 255]);
        }
    });
}

#[test]
fn a_missing_one_is_made_when_it_is_asked_for_and_kept() {
    run(async {
        let backend = Backend::start(&[]).await;
        let person = backend.person().await;
        let src = backend.post_image(&person, jpeg(500, 400)).await;
        backend.settled().await;
        let before = stored_thumbnails(&backend, &src).await;
        delete_thumbnails(&backend, &src).await;
        assert!(stored_thumbnails(&backend, &src).await.iter().all(Option::is_none));
        let bucket = Bucket::of(&backend);
        for ((suffix, ..), before) in OFFERED.into_iter().zip(before) {
            let path = format!("{src}{suffix}");
            let made = backend.bytes(&path).await;
            let stored = bucket.get(&format!("thumbnails/{}{suffix}", name(&src))).await;
            assert!(stored.as_ref().is_some_and(|stored| stored.0 == made), "{suffix}");
            assert!(stored == before, "{suffix} differs from the one that the event made");
            assert!(backend.bytes(&path).await == made, "{suffix}");
        }
    });
}

#[test]
fn a_head_of_a_missing_one_tells_what_get_will_give() {
    run(async {
        let backend = Backend::start(&[]).await;
        let person = backend.person().await;
        let src = backend.post_image(&person, jpeg(500, 400)).await;
        delete_thumbnails(&backend, &src).await;
        let path = format!("{src}@256w_256h_0c");
        let head = backend.request(reqwest::Method::HEAD, &path).send().await.expect("an answer");
        let get = backend.get(&path).send().await.expect("an answer");
        for header in ["content-type", "content-length", "etag", "cache-control"] {
            assert_eq!(head.headers()[header], get.headers()[header], "{header}");
        }
    });
}

#[test]
fn an_extension_may_follow_the_size() {
    run(async {
        let backend = shared().await;
        let person = backend.person().await;
        let src = backend.post_image(&person, png(300, 300)).await;
        let plain = backend.bytes(&format!("{src}@128w_128h_1c")).await;
        for extension in [".jpg", ".jpeg", ".png", ".webp", ".gif", ".heic"] {
            assert!(backend.bytes(&format!("{src}@128w_128h_1c{extension}")).await == plain, "{extension}");
        }
        // As some clients encode it.
        assert!(backend.bytes(&format!("{src}%40128w_128h_1c")).await == plain);
    });
}

#[test]
fn other_sizes_and_modes_are_refused() {
    run(async {
        let backend = shared().await;
        let person = backend.person().await;
        let src = backend.post_image(&person, png(300, 300)).await;
        let suffixes = [
            "@64w_64h_1c",
            "@128w_256h_1c",
            "@256w_128h_0c",
            "@0w_0h_0c",
            "@0128w_128h_1c",
            "@127w_127h_1c",
            "@512w_512h_0c",
            "@100000w_100000h_1c",
            "@64w_64h_1c.jpg",
            "@128w_128h_2c",
            "@128w_128h_9c.png",
        ];
        for suffix in suffixes {
            let (status, body) = answer(backend.get(&format!("{src}{suffix}"))).await;
            assert_eq!(status, 400, "{suffix}: {body}");
            assert!(body["error"].as_str().is_some_and(|words| words.contains("thumbnail")), "{suffix}: {body}");
        }
    });
}

#[test]
fn an_unknown_picture_and_a_broken_suffix_are_not_found() {
    run(async {
        let backend = shared().await;
        let person = backend.person().await;
        let src = backend.post_image(&person, png(300, 300)).await;
        let unknown = "/images/0123456789abcdef0123456789abcdef.jpg";
        let mut paths = vec![unknown.to_owned(), format!("{unknown}@128w_128h_1c")];
        let broken = [
            "@",
            "@128",
            "@128w_128h",
            "@128w_128h_",
            "@128w_128h_c",
            "@w_h_c",
            "@128w_128h_1c.exe",
            "@128w_128h_1c.",
            "@128w_128h_1c@128w_128h_1c",
            "@-128w_128h_1c",
            "@128w128h1c",
            "@128W_128H_1C",
            "@9999999w_1h_1c",
            "x",
            ".png",
        ];
        paths.extend(broken.map(|suffix| format!("{src}{suffix}")));
        for path in paths {
            let found = answer(backend.get(&path)).await;
            assert_eq!(found, (404, serde_json::json!({ "error": "no such image" })), "{path}");
        }
    });
}

#[test]
fn an_event_that_comes_twice_does_no_harm() {
    run(async {
        let backend = Backend::start(&[]).await;
        let person = backend.person().await;
        let bytes = jpeg(400, 300);
        let src = backend.post_image(&person, bytes.clone()).await;
        backend.settled().await;
        let (first, keys) = (stored_thumbnails(&backend, &src).await, backend.objects().await);
        Bucket::of(&backend).put(&format!("originals/images/{}", name(&src)), "image/jpeg", bytes).await;
        backend.settled().await;
        assert!(stored_thumbnails(&backend, &src).await == first);
        assert_eq!(backend.objects().await, keys);
    });
}

#[test]
fn twenty_who_ask_for_a_missing_one_at_once_get_the_same() {
    run(async {
        let backend = Backend::start(&[]).await;
        let person = backend.person().await;
        let src = backend.post_image(&person, noise_png(500)).await;
        delete_thumbnails(&backend, &src).await;
        let path = format!("{src}@256w_256h_1c");
        let all = join_all((0..20).map(|_| backend.bytes(&path))).await;
        assert!(all.iter().all(|bytes| *bytes == all[0]));
        assert_eq!(size(&all[0]), (256, 256));
    });
}

#[test]
fn when_the_bucket_fails_the_event_comes_again() {
    run(async {
        let backend = Backend::start(&[]).await;
        let person = backend.person().await;
        let endpoints = backend.running.endpoints();
        // The SDK handles one failure; three are more than its attempts.
        for times in [1, 3] {
            endpoints.fail_next("s3:GetObject", times, Fault::slow_down());
            let src = backend.post_image(&person, jpeg(400, 300)).await;
            endpoints.settled().await;
            assert_eq!(endpoints.faults_left(), 0);
            assert!(stored_thumbnails(&backend, &src).await.iter().all(Option::is_some), "{times} failures");
        }
    });
}

/// Uploads a picture and waits for its thumbnails, with a fault for the call of a kind after the first `spared`;
/// returns whether there was such a call. The SDK retries it, so the fault has no other effect.
async fn upload_makes_more_than(backend: &Backend, call: &str, spared: usize) -> bool {
    let person = backend.person().await;
    let endpoints = backend.running.endpoints();
    endpoints.fail_after(call, spared, 1, Fault::slow_down());
    let src = backend.post_image(&person, jpeg(400, 300)).await;
    endpoints.settled().await;
    let happened = endpoints.faults_left() == 0;
    assert!(stored_thumbnails_exist(backend, &src).await);
    happened
}

async fn stored_thumbnails_exist(backend: &Backend, src: &str) -> bool {
    let keys = backend.objects().await;
    OFFERED.iter().all(|(suffix, ..)| keys.contains(&format!("thumbnails/{}{suffix}", name(src))))
}

#[test]
fn an_upload_costs_one_read_and_one_write_for_each_thumbnail() {
    run(async {
        // Writes: the original and four thumbnails. Reads: the original. Nothing is checked first.
        for (call, calls) in [("s3:PutObject", 5), ("s3:GetObject", 1), ("s3:HeadObject", 0), ("s3:DeleteObject", 0)] {
            let backend = Backend::start(&[]).await;
            if calls > 0 {
                assert!(upload_makes_more_than(&backend, call, calls - 1).await, "fewer than {calls} {call}");
            }
            assert!(!upload_makes_more_than(&backend, call, calls).await, "more than {calls} {call}");
        }
    });
}

#[test]
fn a_missing_one_costs_two_more_reads_and_makes_the_others_too() {
    run(async {
        // Reads: the thumbnail, a refusal, the original.
        for (call, calls) in [("s3:GetObject", 3), ("s3:PutObject", 4)] {
            for spared in [calls - 1, calls] {
                let backend = Backend::start(&[]).await;
                let person = backend.person().await;
                let src = backend.post_image(&person, jpeg(400, 300)).await;
                delete_thumbnails(&backend, &src).await;
                let endpoints = backend.running.endpoints();
                endpoints.fail_after(call, spared, 1, Fault::slow_down());
                let made = backend.get(&format!("{src}@128w_128h_1c")).send().await.expect("an answer");
                assert_eq!(made.status(), 200);
                assert_eq!(endpoints.faults_left(), usize::from(spared == calls), "{call} after {spared}");
                assert!(stored_thumbnails_exist(&backend, &src).await);
            }
        }
    });
}

#[test]
fn whichever_call_fails_for_good_the_event_that_comes_again_leaves_the_right_thumbnails() {
    run(async {
        let whole = Backend::start(&[]).await;
        let person = whole.person().await;
        let src = whole.post_image(&person, jpeg(400, 300)).await;
        whole.settled().await;
        let right = stored_thumbnails(&whole, &src).await;
        // The first write is the upload's own. A fault is tried three times in each of three deliveries; with parallel
        // writes it affects any of them.
        for (call, spared) in [("s3:GetObject", 0), ("s3:PutObject", 1), ("s3:PutObject", 2), ("s3:PutObject", 4)] {
            let backend = Backend::start(&[]).await;
            let person = backend.person().await;
            let endpoints = backend.running.endpoints();
            endpoints.fail_after(call, spared, 8, Fault::internal_error());
            let src = backend.post_image(&person, jpeg(400, 300)).await;
            endpoints.settled().await;
            let left = stored_thumbnails(&backend, &src).await;
            for (found, right) in left.iter().zip(&right) {
                assert!(found.is_none() || found == right, "half a thumbnail after {call} {spared}");
            }
            while endpoints.faults_left() > 0 {
                let _ = backend.get(&format!("{src}@128w_128h_1c")).send().await.expect("an answer");
            }
            // The same event again, as from a dead-letter queue.
            let key = format!("originals/images/{}", name(&src));
            Bucket::of(&backend).put(&key, "image/jpeg", jpeg(400, 300)).await;
            endpoints.settled().await;
            assert!(stored_thumbnails(&backend, &src).await == right, "{call} {spared}");
        }
    });
}

#[test]
fn when_the_bucket_fails_the_caller_is_told_and_may_ask_again() {
    run(async {
        let backend = Backend::start(&[]).await;
        let person = backend.person().await;
        let src = backend.post_image(&person, jpeg(400, 300)).await;
        delete_thumbnails(&backend, &src).await;
        let path = format!("{src}@128w_128h_1c");
        // As often as the SDK tries: the first read is of the thumbnail, and all four are stored in parallel.
        for (call, times) in [("s3:GetObject", 3), ("s3:PutObject", 4 * 3)] {
            backend.running.endpoints().fail_next(call, times, Fault::slow_down());
            assert_eq!(answer(backend.get(&path)).await, internal_error(), "{call}");
        }
        assert_eq!(size(&backend.bytes(&path).await), (128, 128));
    });
}

#[test]
fn what_was_never_ours_makes_no_thumbnails() {
    run(async {
        let backend = Backend::start(&[]).await;
        let bucket = Bucket::of(&backend);
        // Neither a broken picture nor a name of another form may make the event repeat for ever.
        let broken = "0123456789abcdef0123456789abcdef.jpg";
        for key in [format!("originals/images/{broken}"), "originals/images/holiday.jpg".to_owned()] {
            bucket.put(&key, "image/jpeg", b"\xff\xd8\xff no picture".to_vec()).await;
        }
        let settled = tokio::time::timeout(Duration::from_secs(20), backend.settled()).await;
        assert!(settled.is_ok());
        assert!(backend.objects().await.iter().all(|key| !key.starts_with("thumbnails/")));
        let refused = serde_json::json!({ "error": "the picture is damaged" });
        assert_eq!(answer(backend.get(&format!("/images/{broken}@128w_128h_1c"))).await, (400, refused.clone()));
        // Found out once: the next response needs two reads, of the thumbnail and of the note, and not the picture's.
        backend.running.endpoints().fail_after("s3:GetObject", 2, 1, Fault::slow_down());
        assert_eq!(answer(backend.get(&format!("/images/{broken}@256w_256h_1c"))).await, (400, refused));
        assert_eq!(backend.running.endpoints().faults_left(), 1);
        let missing: Value = serde_json::json!({ "error": "no such image" });
        assert_eq!(answer(backend.get("/images/holiday.jpg")).await, (404, missing));
    });
}
