//! The cases: small pictures, and typical damage to them.

use std::collections::BTreeMap;

/// A file with a name that describes its damage.
pub struct Case {
    pub name: String,
    pub bytes: Vec<u8>,
}

/// The original pictures of the cases; `reference.py` made them.
const SEEDS: [(&str, &[u8]); 19] = [
    ("baseline.jpg", include_bytes!("seeds/baseline.jpg")),
    ("whole.jpg", include_bytes!("seeds/whole.jpg")),
    ("grey.jpg", include_bytes!("seeds/grey.jpg")),
    ("restarts.jpg", include_bytes!("seeds/restarts.jpg")),
    ("progressive.jpg", include_bytes!("seeds/progressive.jpg")),
    ("restarting.jpg", include_bytes!("seeds/restarting.jpg")),
    ("scans.jpg", include_bytes!("seeds/scans.jpg")),
    ("cmyk.jpg", include_bytes!("seeds/cmyk.jpg")),
    ("ycck.jpg", include_bytes!("seeds/ycck.jpg")),
    ("rgb.png", include_bytes!("seeds/rgb.png")),
    ("palette.png", include_bytes!("seeds/palette.png")),
    ("alpha.png", include_bytes!("seeds/alpha.png")),
    ("interlaced.png", include_bytes!("seeds/interlaced.png")),
    ("plain.gif", include_bytes!("seeds/plain.gif")),
    ("interlaced.gif", include_bytes!("seeds/interlaced.gif")),
    ("animation.gif", include_bytes!("seeds/animation.gif")),
    ("lossy.webp", include_bytes!("seeds/lossy.webp")),
    ("lossless.webp", include_bytes!("seeds/lossless.webp")),
    ("alpha.webp", include_bytes!("seeds/alpha.webp")),
];

/// All of them.
pub fn all() -> Vec<Case> {
    let mut cases = BTreeMap::new();
    for (seed, bytes) in SEEDS {
        // The same damage may occur twice by chance.
        let mut add = |what: String, bytes: Vec<u8>| drop(cases.insert(format!("{seed}-{what}"), bytes));
        add("whole".into(), bytes.to_vec());
        by_chance(bytes, &mut add);
        match seed.rsplit('.').next() {
            Some("jpg") => jpeg(bytes, &mut add),
            Some("png") => png(bytes, &mut add),
            Some("gif") => gif(bytes, &mut add),
            _ => {}
        }
    }
    cases.into_iter().map(|(name, bytes)| Case { name, bytes }).collect()
}

/// Numbers that look random (xorshift).
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).expect("31 bits") % limit
    }
}

/// Bytes to insert.
const MORE: [&[u8]; 8] =
    [b"\0", b"\xff", b"\xff\xd1", b"\xff\x01", b"\0\xe1\x01\x02\x03", b"\xff\xe1", b"\xff\xd9", b"\xff\xd8\xff\xe0"];

/// Random cuts, flipped bits, inserted bytes and removed bytes.
fn by_chance(bytes: &[u8], add: &mut impl FnMut(String, Vec<u8>)) {
    let mut chance = Chance(u64::from(crc32fast::hash(bytes)) | 1 << 40);
    for cut in (0..40).map(|step| bytes.len() * step / 40).chain(bytes.len() - 16..bytes.len()) {
        add(format!("cut-{cut}"), bytes[..cut].to_vec());
    }
    for _ in 0..40 {
        let (at, bit) = (chance.below(bytes.len()), chance.below(8));
        let mut flipped = bytes.to_vec();
        flipped[at] ^= 1 << bit;
        add(format!("flip-{at}-{bit}"), flipped);
    }
    for (number, more) in MORE.into_iter().cycle().take(24).enumerate() {
        let at = 4 + chance.below(bytes.len() - 4);
        add(format!("more-{at}-{number}"), [&bytes[..at], more, &bytes[at..]].concat());
    }
    for _ in 0..16 {
        let (at, less) = (chance.below(bytes.len() - 40), 1 + chance.below(40));
        add(format!("less-{at}-{less}"), [&bytes[..at], &bytes[at + less..]].concat());
    }
}

/// The start and the end of each segment of a JPEG with this marker.
fn segments(bytes: &[u8], marker: u8) -> Vec<(usize, usize)> {
    let (mut at, mut found) = (2, Vec::new());
    while bytes[at + 1] != 0xd9 {
        let end = at + 2 + usize::from(u16::from_be_bytes([bytes[at + 2], bytes[at + 3]]));
        if bytes[at + 1] == marker {
            found.push((at, end));
        }
        at = end;
        // The data of a scan follow its header.
        while bytes[at] != 0xff || matches!(bytes[at + 1], 0 | 0xd0..=0xd7) {
            at += 1;
        }
    }
    found
}

/// Changes that phones and programs make to JPEGs.
fn jpeg(bytes: &[u8], add: &mut impl FnMut(String, Vec<u8>)) {
    let open = &bytes[..bytes.len() - 2];
    let picture = b"\xff\xd8\xff\xe1\0\x08Exif\0\0 and another picture\xff\xd9";
    let archive = b"PK\x03\x04 no marker, but an archive";
    for (what, behind) in [
        ("no-end", &b""[..]),
        ("no-end-but-an-archive", archive),
        ("no-end-but-a-picture", picture),
        ("an-archive-before-the-end", b"PK\x03\x04 no marker, but an archive\xff\xd9"),
        ("a-picture-before-the-end", b"\xff\xd8\xff\xe1\0\x08Exif\0\0\xff\xd9\xff\xd9"),
        ("zeros-before-the-end", b"\0\0\0\0\0\0\0\0\xff\xd9"),
        ("fill-bytes-before-the-end", b"\xff\xff\xff\xff\xff\xd9"),
        ("a-picture-behind-the-end", b"\xff\xd9\xff\xd8\xff\xe0 and another"),
        ("another-frame-behind", b"\xff\xc0\0\x0b\x08\0\x48\0\x60\x01\x01\x11\0\xff\xd9"),
        ("a-reserved-marker-behind", b"\xff\x02\xff\xd9"),
    ] {
        add(what.into(), [open, behind].concat());
    }
    let tables = segments(bytes, 0xdb)[0].0;
    let frame = segments(bytes, 0xda)[0];
    for (what, stray) in [
        ("00e1", &b"\0\xe1\x01\x92\0\x01\x02\x03"[..]),
        ("zeros", &[0; 64]),
        ("ff", b"\xff\xff\xff"),
        ("ff00", b"\xff\0\xff\0"),
        ("text", b"stray bytes"),
        ("a-restart-marker", b"\xff\xd3"),
        ("a-length-of-one", b"\xff\xe1\0\x01"),
        ("no-length", b"\xff\xe7\0\0"),
        ("lines-told-later", b"\xff\xdc\0\x04\0\x48"),
    ] {
        for (place, at) in [("tables", tables), ("scan", frame.0)] {
            add(format!("{what}-before-the-{place}"), [&bytes[..at], stray, &bytes[at..]].concat());
        }
    }
    let without = |cut: &[(usize, usize)]| {
        let (mut kept, mut at) = (Vec::new(), 0);
        for (start, end) in cut {
            kept.extend(&bytes[at..*start]);
            at = *end;
        }
        [kept, bytes[at..].to_vec()].concat()
    };
    for marker in [0xc4, 0xdb, 0xdd, 0xee, 0xe0] {
        let found = segments(bytes, marker);
        add(format!("without-{marker:x}"), without(&found));
        for one in &found {
            add(format!("without-{marker:x}-at-{}", one.0), without(&[*one]));
        }
    }
    scan(bytes, frame.1, add);
}

/// Changes inside the first scan, whose data begin at `start`.
fn scan(bytes: &[u8], start: usize, add: &mut impl FnMut(String, Vec<u8>)) {
    let follows = |at: &usize| bytes[*at] == 0xff && !matches!(bytes[at + 1], 0 | 0xd0..=0xd7);
    let end = (start..bytes.len() - 1).find(follows).expect("an end");
    for short in [1, 2, 3, 8, (end - start) * 2 / 5, end - start] {
        add(format!("scan-short-by-{short}"), [&bytes[..end - short], &bytes[end..]].concat());
    }
    for at in (start..end).step_by((end - start) / 8) {
        let mut zeros = bytes.to_vec();
        zeros[at..(at + 5).min(end)].fill(0);
        add(format!("zeros-at-{at}"), zeros);
    }
    let restarts: Vec<usize> = (start..end).filter(|at| bytes[*at] == 0xff && bytes[at + 1] >= 0xd0).collect();
    for at in restarts.iter().step_by(2) {
        let marker = bytes[at + 1];
        let other = |by: u8| 0xd0 + (marker - 0xd0 + by) % 8;
        for (what, new) in [
            ("lost", vec![]),
            ("twice", vec![0xff, marker, 0xff, marker]),
            ("filled", vec![0xff, 0xff, 0xff, marker]),
            ("late", vec![1, 2, 3, 0xff, marker]),
            ("stuffed", vec![0xff, 0]),
            ("an-end", vec![0xff, 0xd9]),
            ("a-comment", vec![0xff, 0xfe]),
            ("reserved", vec![0xff, 0x05]),
        ] {
            add(format!("restart-{at}-{what}"), [&bytes[..*at], &new, &bytes[at + 2..]].concat());
        }
        for by in 1..8 {
            let mut wrong = bytes.to_vec();
            wrong[at + 1] = other(by);
            add(format!("restart-{at}-by-{by}"), wrong);
        }
    }
    if let [first, second, third, ..] = *restarts {
        add("restarts-lost".into(), [&bytes[..first], &bytes[third..]].concat());
        let swapped = [&bytes[..first], &bytes[second..third], &bytes[first..second], &bytes[third..]].concat();
        add("restarts-swapped".into(), swapped);
    }
}

/// The start, the kind and the end of each chunk of a PNG.
fn chunks(bytes: &[u8]) -> Vec<(usize, [u8; 4], usize)> {
    let (mut at, mut found) = (8, Vec::new());
    while at < bytes.len() {
        let length = u32::from_be_bytes(*bytes[at..].first_chunk().expect("a length"));
        let end = at + 12 + usize::try_from(length).expect("a length");
        found.push((at, *bytes[at + 4..].first_chunk().expect("a kind"), end));
        at = end;
    }
    found
}

fn chunk(kind: [u8; 4], data: &[u8]) -> Vec<u8> {
    let summed = [&kind[..], data].concat();
    let length = u32::try_from(data.len()).expect("a length").to_be_bytes();
    [&length[..], &summed, &crc32fast::hash(&summed).to_be_bytes()].concat()
}

/// Wrong checksums, missing chunks, chunks in wrong places, and damage that checksums do not show.
fn png(bytes: &[u8], add: &mut impl FnMut(String, Vec<u8>)) {
    for (start, kind, end) in chunks(bytes) {
        let kind_name = String::from_utf8_lossy(&kind).into_owned();
        let mut wrong = bytes.to_vec();
        wrong[end - 1] ^= 0x55;
        add(format!("sum-of-{kind_name}-at-{start}"), wrong);
        add(format!("without-{kind_name}-at-{start}"), [&bytes[..start], &bytes[end..]].concat());
        for (what, more) in [
            ("text", chunk(*b"tEXt", b"Comment\0hello")),
            ("unknown", chunk(*b"teSt", b"")),
            ("needed", chunk(*b"TEST", b"")),
            ("damaged", chunk(*b"te\0t", b"")),
            ("zeros", vec![0; 4]),
            ("palette", chunk(*b"PLTE", &[1, 2, 3])),
            ("short-gamma", chunk(*b"gAMA", &[1])),
            ("short-transparency", chunk(*b"tRNS", &[1])),
            ("no-animation", chunk(*b"acTL", &[0])),
        ] {
            add(format!("{what}-before-{kind_name}-at-{start}"), [&bytes[..start], &more, &bytes[start..]].concat());
        }
        if &kind == b"IDAT" {
            let data = &bytes[start + 8..end - 4];
            let with = |data: &[u8]| [&bytes[..start], &chunk(kind, data), &bytes[end..]].concat();
            for part in 0..8 {
                add(format!("closed-at-{part}-of-8-of-{start}"), with(&data[..data.len() * part / 8]));
            }
            add(format!("no-deflate-at-{start}"), with(b"\x78\x9c no deflate at all"));
            add(format!("more-data-at-{start}"), with(&[data, b"and more"].concat()));
            for at in (0..data.len()).step_by(data.len() / 12 + 1) {
                let mut flipped = data.to_vec();
                flipped[at] ^= 0x10;
                add(format!("flip-within-{start}-{at}"), with(&flipped));
            }
        }
    }
    let mut taller = bytes.to_vec();
    taller[23] *= 2;
    let header = chunk(*b"IHDR", &taller[16..29]);
    add("taller".into(), [&bytes[..8], &header, &bytes[33..]].concat());
    add("data-behind".into(), [bytes, b"and more"].concat());
}

/// Zeros and other bytes between blocks, and a missing trailer.
fn gif(bytes: &[u8], add: &mut impl FnMut(String, Vec<u8>)) {
    add("no-trailer".into(), bytes[..bytes.len() - 1].to_vec());
    let table = if bytes[10] & 0x80 == 0 { 0 } else { 3 << ((bytes[10] & 7) + 1) };
    let (mut at, mut blocks) = (13 + table, Vec::new());
    while bytes[at] != 0x3b {
        blocks.push(at);
        at += if bytes[at] == 0x21 {
            2
        } else {
            11 + if bytes[at + 9] & 0x80 == 0 { 0 } else { 3 << ((bytes[at + 9] & 7) + 1) }
        };
        while bytes[at] != 0 {
            at += 1 + usize::from(bytes[at]);
        }
        at += 1;
    }
    blocks.push(at);
    for at in blocks {
        for (what, stray) in [("zeros", &b"\0\0\0"[..]), ("text", b"text"), ("unknown", b"\x21\x42\x01x\0")] {
            add(format!("{what}-at-{at}"), [&bytes[..at], stray, &bytes[at..]].concat());
        }
        add(format!("trailer-at-{at}"), [&bytes[..at], b"\x3b", &bytes[at..]].concat());
        add(format!("control-of-3-at-{at}"), [&bytes[..at], b"\x21\xf9\x03\0\0\0\0", &bytes[at..]].concat());
    }
    add("data-behind".into(), [bytes, b"and more"].concat());
    if table > 0 {
        let screen = [&bytes[..10], &[bytes[10] & 0x7f], &bytes[11..13]].concat();
        add("without-colours".into(), [&screen, &bytes[13 + table..]].concat());
    }
}
