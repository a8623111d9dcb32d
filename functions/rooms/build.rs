//! Takes the two files of Swagger UI that `/docs` needs out of the archive in the crate `utoipa-swagger-ui-vendored`.
//!
//! A file in a ZIP archive is compressed as in gzip, so only the frame around it changes (RFC 1952). Nothing is
//! downloaded or compressed here.

use std::path::PathBuf;
use std::{env, fs};

use utoipa_swagger_ui_vendored::SWAGGER_UI_VENDORED as ARCHIVE;

#[path = "../../infra/link.rs"]
mod link;

/// An entry of the archive's directory (APPNOTE.TXT 6.3.10, section 4.3.12).
struct Entry {
    name: &'static [u8],
    method: u16,
    checksum: &'static [u8],
    length: &'static [u8],
    compressed: &'static [u8],
}

fn number(at: usize, bytes: usize) -> usize {
    ARCHIVE[at..at + bytes].iter().rev().fold(0, |number, byte| number << 8 | usize::from(*byte))
}

/// All entries of the archive.
fn entries() -> Vec<Entry> {
    const END: [u8; 4] = *b"PK\x05\x06";
    let end = ARCHIVE.windows(END.len()).rposition(|window| window == END).expect("the end of a directory");
    let (mut entries, mut at) = (Vec::new(), number(end + 16, 4));
    for _ in 0..number(end + 10, 2) {
        let (name, extra, comment) = (number(at + 28, 2), number(at + 30, 2), number(at + 32, 2));
        let header = number(at + 42, 4);
        let start = header + 30 + number(header + 26, 2) + number(header + 28, 2);
        entries.push(Entry {
            name: &ARCHIVE[at + 46..at + 46 + name],
            method: u16::try_from(number(at + 10, 2)).expect("two bytes"),
            checksum: &ARCHIVE[at + 16..at + 20],
            length: &ARCHIVE[at + 24..at + 28],
            compressed: &ARCHIVE[start..start + number(at + 20, 4)],
        });
        at += 46 + name + extra + comment;
    }
    entries
}

#[expect(clippy::disallowed_methods, reason = "this is how cargo talks to a build script")]
fn main() {
    const DEFLATED: u16 = 8;
    const GZIP: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    link::main();
    println!("cargo::rerun-if-changed=build.rs");
    let folder = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    for file in ["swagger-ui-bundle.js", "swagger-ui.css"] {
        let path = format!("/dist/{file}");
        let found = entries().into_iter().find(|entry| entry.name.ends_with(path.as_bytes()));
        let entry = found.unwrap_or_else(|| panic!("{file} in the archive"));
        assert_eq!(entry.method, DEFLATED, "{file} is compressed");
        let gzip = [&GZIP[..], entry.compressed, entry.checksum, entry.length].concat();
        fs::write(folder.join(format!("{file}.gz")), gzip).expect("written");
    }
}
