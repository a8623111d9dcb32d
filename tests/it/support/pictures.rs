//! Pictures and voice notes generated in code, and their upload.

use std::io::Cursor;

use aws_sdk_s3::operation::get_object::GetObjectError;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::codecs::webp::WebPEncoder;
use image::metadata::Orientation;
use image::{
    DynamicImage, ExtendedColorType, ImageDecoder, ImageEncoder, ImageFormat, ImageReader, RgbImage, RgbaImage,
};
use reqwest::{Method, RequestBuilder};
use serde_json::Value;

use super::backend::answer;
use super::{Backend, Person};

/// The location in an upload, which must not be published.
pub const SECRET: &[u8] = b"31.2304N 121.4737E";

/// The colours of the four corners: top left, top right, bottom left, bottom right.
pub const CORNERS: [[u8; 3]; 4] = [[220, 30, 30], [30, 200, 30], [30, 30, 220], [230, 230, 40]];

/// A picture whose quarters have the colours of [`CORNERS`], so that its orientation is visible.
pub fn quarters(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let (right, below) = (2 * x >= width, 2 * y >= height);
        image::Rgb(CORNERS[usize::from(right) + 2 * usize::from(below)])
    })
}

/// A JPEG of [`quarters`].
pub fn jpeg(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, 90).encode_image(&quarters(width, height)).expect("a JPEG");
    bytes
}

/// A PNG of [`quarters`].
pub fn png(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let pixels = quarters(width, height);
    PngEncoder::new(&mut bytes).write_image(&pixels, width, height, ExtendedColorType::Rgb8).expect("a PNG");
    bytes
}

/// A lossless WebP of [`quarters`].
pub fn webp(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let pixels = quarters(width, height);
    WebPEncoder::new_lossless(&mut bytes).write_image(&pixels, width, height, ExtendedColorType::Rgb8).expect("a WebP");
    bytes
}

/// A GIF of [`quarters`].
pub fn gif(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::from(quarters(width, height)).write_to(&mut bytes, ImageFormat::Gif).expect("a GIF");
    bytes.into_inner()
}

/// A PNG that is opaque red on the left and fully transparent on the right.
pub fn half_transparent_png(width: u32, height: u32) -> Vec<u8> {
    let pixels =
        RgbaImage::from_fn(width, height, |x, _| image::Rgba([255, 0, 0, if 2 * x < width { 255 } else { 0 }]));
    let mut bytes = Vec::new();
    PngEncoder::new(&mut bytes).write_image(&pixels, width, height, ExtendedColorType::Rgba8).expect("a PNG");
    bytes
}

/// A PNG of about `3 * side * side` bytes, because it has no repetition.
pub fn noise_png(side: u32) -> Vec<u8> {
    let mut noise = Noise::new(u64::from(side));
    let pixels = RgbImage::from_fn(side, side, |_, _| image::Rgb([noise.byte(), noise.byte(), noise.byte()]));
    let mut bytes = Vec::new();
    PngEncoder::new(&mut bytes).write_image(&pixels, side, side, ExtendedColorType::Rgb8).expect("a PNG");
    bytes
}

/// A file of each format, with its content type and the extension of its name.
pub fn one_of_each(width: u32, height: u32) -> [(&'static str, &'static str, Vec<u8>); 4] {
    [
        ("image/jpeg", "jpg", jpeg(width, height)),
        ("image/png", "png", png(width, height)),
        ("image/webp", "webp", webp(width, height)),
        ("image/gif", "gif", gif(width, height)),
    ]
}

/// A JPEG as a phone writes it: with an orientation, and with its location in a GPS directory, in a comment, in XMP and
/// after the end.
pub fn jpeg_of_a_place(width: u32, height: u32, orientation: u8) -> Vec<u8> {
    let mut bytes = jpeg(width, height);
    let xmp = [b"http://ns.adobe.com/xap/1.0/\0", SECRET].concat();
    let exif = [b"Exif\0\0", &gps(orientation)[..]].concat();
    let segments = [segment(0xe1, &exif), segment(0xe1, &xmp), segment(0xfe, SECRET)].concat();
    // Before the tables.
    let tables = bytes.windows(2).position(|pair| pair == [0xff, 0xdb]).expect("tables");
    bytes.splice(tables..tables, segments);
    bytes.extend(SECRET);
    bytes
}

/// A segment of a JPEG.
pub fn segment(marker: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len() + 2).expect("a segment").to_be_bytes();
    [&[0xff, marker], &length[..], payload].concat()
}

/// A chunk of a PNG.
pub fn chunk(kind: [u8; 4], data: &[u8]) -> Vec<u8> {
    let summed = [&kind[..], data].concat();
    let length = u32::try_from(data.len()).expect("a chunk").to_be_bytes();
    [&length[..], &summed, &crc32fast::hash(&summed).to_be_bytes()].concat()
}

/// A TIFF structure with an orientation, the maker's name, and a GPS directory whose date stamp is [`SECRET`].
fn gps(orientation: u8) -> Vec<u8> {
    let entry = |tag: u16, kind: u16, count: usize, value: [u8; 4]| {
        let count = u32::try_from(count).expect("a count").to_be_bytes();
        [&tag.to_be_bytes()[..], &kind.to_be_bytes(), &count, &value].concat()
    };
    // The header has 8 bytes, a directory of two entries 30 and a directory of one entry 18; the text follows both.
    let text = 8 + 30 + 18_u32;
    let mut tiff = b"MM\0\x2a\0\0\0\x08".to_vec();
    tiff.extend([0, 2]);
    tiff.extend(entry(0x0112, 3, 1, [0, orientation, 0, 0]));
    tiff.extend(entry(0x8825, 4, 1, 38_u32.to_be_bytes()));
    tiff.extend([0; 4]);
    tiff.extend([0, 1]);
    tiff.extend(entry(0x001d, 2, SECRET.len(), text.to_be_bytes()));
    tiff.extend([0; 4]);
    assert_eq!(tiff.len(), text as usize);
    tiff.extend(SECRET);
    tiff
}

/// Whether `bytes` contains `what`.
pub fn holds(bytes: &[u8], what: &[u8]) -> bool {
    bytes.windows(what.len()).any(|window| window == what)
}

/// A decoded file: its format, its pixels as stored, and the orientation to apply.
pub fn decoded(bytes: &[u8]) -> (ImageFormat, DynamicImage, Orientation) {
    let reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().expect("a format");
    let format = reader.format().expect("a known format");
    let mut decoder = reader.into_decoder().expect("a decoder");
    let orientation = decoder.orientation().expect("an orientation");
    (format, DynamicImage::from_decoder(decoder).expect("pixels"), orientation)
}

/// Width and height of a file in pixels.
pub fn size(bytes: &[u8]) -> (u32, u32) {
    let (_, pixels, _) = decoded(bytes);
    (pixels.width(), pixels.height())
}

/// The colours in the middles of the quarters, in the order of [`CORNERS`].
pub fn corners(picture: &DynamicImage) -> [[u8; 3]; 4] {
    let pixels = picture.to_rgb8();
    let (width, height) = pixels.dimensions();
    let at = |x: u32, y: u32| pixels.get_pixel(width * x / 4, height * y / 4).0;
    [at(1, 1), at(3, 1), at(1, 3), at(3, 3)]
}

/// Whether colours are the same except for JPEG's losses.
pub fn alike(some: [[u8; 3]; 4], others: [[u8; 3]; 4]) -> bool {
    some.as_flattened().iter().zip(others.as_flattened()).all(|(one, other)| one.abs_diff(*other) < 24)
}

/// Voice notes of each kind, with only their headers, their content type and their extension.
pub fn voice_notes() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let tail = [0x11_u8, 0x22, 0x33, 0x44].repeat(64);
    let with = |head: &[u8]| [head, &tail].concat();
    // 128 kbit/s at 44.1 kHz: a frame of 417 bytes, and the next one.
    let mut frames = vec![0; 2 * 417];
    for frame in frames.chunks_mut(417) {
        frame[..4].copy_from_slice(b"\xff\xfb\x90\x00");
    }
    vec![
        ("audio/amr", "amr", with(b"#!AMR\n\x3c")),
        ("audio/amr-wb", "awb", with(b"#!AMR-WB\n\x04")),
        ("audio/mp4", "m4a", with(b"\0\0\0\x20ftypM4A \0\0\0\0")),
        ("audio/mp4", "m4a", with(b"\0\0\0\x14ftypqt  \0\0\0\0")),
        ("audio/mp4", "m4a", with(b"\0\0\0\x18ftypisml\0\0\0\0")),
        ("audio/mp4", "m4a", with(b"\0\0\0\x18ftypavc1\0\0\0\0")),
        ("audio/mp4", "m4a", with(b"\0\0\0\x18ftypMSNV\0\0\0\0")),
        ("audio/3gpp", "3gp", with(b"\0\0\0\x18ftyp3gp4\0\0\0\0")),
        ("audio/mpeg", "mp3", with(b"ID3\x04\0\0\0\0\x02\x01")),
        ("audio/mpeg", "mp3", frames),
        ("audio/ogg", "ogg", with(b"OggS\0\x02\0\0\0\0\0\0\0\0OpusHead")),
        ("audio/wav", "wav", with(b"RIFF\x24\x01\0\0WAVEfmt ")),
        ("audio/x-caf", "caf", with(b"caff\0\x01\0\0desc")),
        ("audio/flac", "flac", with(b"fLaC\0\0\0\x22")),
        ("audio/webm", "webm", with(b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x84webm")),
        ("application/octet-stream", "bin", with(b"\x02#!SILK_V3")),
        ("application/octet-stream", "bin", with(b"\xf0\x9f\x92\xa9 unknown \x00")),
    ]
}

/// Bytes without a pattern, the same for the same seed.
pub struct Noise(u64);

impl Noise {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn byte(&mut self) -> u8 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.to_be_bytes()[0]
    }

    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.byte()).collect()
    }
}

impl Backend {
    /// An upload as existing clients send it.
    pub fn upload(&self, person: &Person, method: Method, path: &str, bytes: Vec<u8>) -> RequestBuilder {
        let request = self.request(method, path).bearer_auth(&person.access_token);
        request.header("content-type", "application/plain").body(bytes)
    }

    /// Uploads a picture and returns its path.
    pub async fn post_image(&self, person: &Person, bytes: Vec<u8>) -> String {
        stored(answer(self.upload(person, Method::POST, "/images", bytes)).await)
    }

    /// Uploads a voice note and returns its path.
    pub async fn post_audio(&self, person: &Person, bytes: Vec<u8>) -> String {
        stored(answer(self.upload(person, Method::POST, "/audios", bytes)).await)
    }

    /// Uploads an avatar and returns its path.
    pub async fn put_avatar(&self, person: &Person, bytes: Vec<u8>) -> String {
        stored(answer(self.upload(person, Method::PUT, "/users/me/avatar", bytes)).await)
    }

    /// The bytes served at a path.
    pub async fn bytes(&self, path: &str) -> Vec<u8> {
        let response = self.get(path).send().await.expect("an answer");
        assert_eq!(response.status(), 200, "{path}");
        response.bytes().await.expect("bytes").to_vec()
    }
}

/// An administrator's access to the bucket.
pub struct Bucket {
    client: aws_sdk_s3::Client,
    name: String,
}

impl Bucket {
    /// The bucket of a backend.
    pub fn of(backend: &Backend) -> Self {
        let name = backend.bucket_name().to_owned();
        Self { client: aws_sdk_s3::Client::new(backend.administrator()), name }
    }

    /// The bytes and the content type of an object, if there is one.
    pub async fn get(&self, key: &str) -> Option<(Vec<u8>, String)> {
        match self.client.get_object().bucket(&self.name).key(key).send().await {
            Ok(object) => {
                let bytes = object.body.collect().await.expect("bytes").to_vec();
                Some((bytes, object.content_type.unwrap_or_default()))
            }
            Err(error) if error.as_service_error().is_some_and(GetObjectError::is_no_such_key) => None,
            Err(error) => panic!("{key}: {error:?}"),
        }
    }

    /// Stores an object.
    pub async fn put(&self, key: &str, kind: &str, bytes: Vec<u8>) {
        let put = self.client.put_object().bucket(&self.name).key(key).content_type(kind).body(bytes.into());
        put.send().await.expect("stored");
    }

    /// Deletes an object.
    pub async fn delete(&self, key: &str) {
        self.client.delete_object().bucket(&self.name).key(key).send().await.expect("deleted");
    }
}

/// Pictures in `WebP` whose damage only decoding finds: this format needs every bit.
pub fn broken_webps() -> [(&'static str, Vec<u8>); 2] {
    let riff = |kind: [u8; 4], data: &[u8]| {
        let length = |more: usize| u32::try_from(data.len() + more).expect("a length").to_le_bytes();
        [b"RIFF", &length(12)[..], b"WEBP", &kind, &length(0), data].concat()
    };
    let lossless = webp(64, 64);
    let cut_short = riff(*b"VP8L", &lossless[20..lossless.len() / 2 * 2 - 20]);
    let no_code = riff(*b"VP8 ", &[&[0x10, 0x02, 0, 0x9d, 1, 0x2a, 64, 0, 64, 0][..], &[0xff; 26]].concat());
    [("a code cut and closed", cut_short), ("no code at all", no_code)]
}

/// The path in the response to an upload.
fn stored((status, body): (u16, Value)) -> String {
    assert_eq!(status, 200, "{body}");
    body["src"].as_str().unwrap_or_else(|| panic!("src in {body}")).to_owned()
}

/// The name in a path such as `/images/<name>`.
pub fn name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

/// The extension of a name or path, without the dot.
pub fn extension(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or_default()
}
