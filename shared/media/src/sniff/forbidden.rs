//! Files that must not be stored under a name that we give out: pages, scripts, programs, and archives that can contain
//! them.
//!
//! This list is a second line of defence, not the only one. Unknown files are served as downloads anyway: as
//! `application/octet-stream` with `nosniff` and as an attachment.

/// In how many bytes of text a tag is searched for. The MIME Sniffing standard reads 1445 bytes of a file.
const HEAD: usize = 1445;

/// Whether bytes are a page, a script, a program or an archive.
pub(super) fn forbidden(bytes: &[u8]) -> bool {
    if program(bytes) {
        return true;
    }
    let head = text(bytes);
    markup(&head) || shebang(&head) || (readable(&head) && (script(&head) || holds_tag(&head)))
}

fn program(bytes: &[u8]) -> bool {
    const SIGNATURES: [&[u8]; 20] = [
        b"\x7fELF",
        b"MZ",
        b"\xfe\xed\xfa\xce",
        b"\xfe\xed\xfa\xcf",
        b"\xce\xfa\xed\xfe",
        b"\xcf\xfa\xed\xfe",
        // Java classes, and Mach-O files for several processors.
        b"\xca\xfe\xba\xbe",
        b"\xca\xfe\xba\xbf",
        b"\xbe\xba\xfe\xca",
        b"dex\n",
        b"\0asm",
        b"PK\x03\x04",
        b"PK\x05\x06",
        b"PK\x07\x08",
        b"%PDF-",
        b"%!PS",
        b"Cr24",
        b"!<arch>\n",
        // Compound files: installers, and old office documents with macros.
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        // Windows shortcuts.
        b"\x4c\0\0\0\x01\x14\x02\0",
    ];
    SIGNATURES.iter().any(|signature| bytes.starts_with(signature))
}

/// The beginning of the bytes as a browser would read them as text, in lower case: without a byte-order mark and white
/// space before the text, and without the zero bytes of UTF-16.
fn text(bytes: &[u8]) -> Vec<u8> {
    let head = &bytes[..bytes.len().min(2 * HEAD)];
    let (head, wide) = match head {
        [0xef, 0xbb, 0xbf, rest @ ..] => (rest, false),
        [0xff, 0xfe, rest @ ..] | [0xfe, 0xff, rest @ ..] => (rest, true),
        // UTF-16 without a byte-order mark: in ASCII text every other byte is zero.
        [0, first, 0, _, ..] | [first, 0, _, 0, ..] if first.is_ascii_graphic() || first.is_ascii_whitespace() => {
            (head, true)
        }
        _ => (head, false),
    };
    let characters = head.iter().filter(|byte| !wide || **byte != 0).map(u8::to_ascii_lowercase);
    characters.skip_while(|byte| byte.is_ascii_whitespace() || *byte == 0x0b).take(HEAD).collect()
}

/// A tag, a comment, a declaration or a processing instruction: HTML, SVG and any other XML, PHP, ASP.
fn markup(head: &[u8]) -> bool {
    matches!(head, [b'<', b'a'..=b'z' | b'!' | b'?' | b'/' | b'%', ..])
}

/// `#!` and the path of an interpreter. AMR and SILK begin with `#!` too, but no path follows.
fn shebang(head: &[u8]) -> bool {
    head.strip_prefix(b"#!").is_some_and(|rest| rest.trim_ascii_start().starts_with(b"/"))
}

/// Whether there is no byte that the MIME Sniffing standard (§3) calls binary.
fn readable(head: &[u8]) -> bool {
    !head.iter().any(|byte| matches!(byte, 0..=0x08 | 0x0b | 0x0e..=0x1a | 0x1c..=0x1f))
}

/// Text that begins like JavaScript, a batch file or an encoded PHP file.
fn script(head: &[u8]) -> bool {
    const BEGINNINGS: [&[u8]; 24] = [
        b"//",
        b"/*",
        b"\"use strict\"",
        b"'use strict'",
        b"function",
        b"(function",
        b"!function",
        b"async ",
        b"(()",
        b"(async",
        b"var ",
        b"let ",
        b"const ",
        b"import ",
        b"import{",
        b"export ",
        b"class ",
        b"window.",
        b"document.",
        b"eval(",
        b"alert(",
        b"@echo",
        b"javascript:",
        b"require(",
    ];
    BEGINNINGS.iter().any(|beginning| head.starts_with(beginning))
}

fn holds_tag(head: &[u8]) -> bool {
    const TAGS: [&[u8]; 10] =
        [b"<script", b"<html", b"<svg", b"<?php", b"<?xml", b"<iframe", b"<body", b"<object", b"<embed", b"<!doctype"];
    TAGS.iter().any(|tag| head.windows(tag.len()).any(|window| window == *tag))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(text: &str, bytes: fn(u16) -> [u8; 2], mark: &[u8]) -> Vec<u8> {
        mark.iter().copied().chain(text.encode_utf16().flat_map(bytes)).collect()
    }

    #[test]
    fn pages_are_refused_whatever_stands_before_them() {
        let page = "<!DOCTYPE html><script>alert(1)</script>";
        let files: [Vec<u8>; 12] = [
            page.into(),
            format!(" \t\r\n\x0c{page}").into(),
            format!("\u{feff}{page}").into(),
            format!("\u{feff}\n\n  {page}").into(),
            format!("hello {page}").into(),
            b"<svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"alert(1)\"/>".into(),
            b"<?xml version=\"1.0\"?><svg/>".into(),
            b"<ScRiPt>".into(),
            b"<!-- x --><html>".into(),
            utf16(page, u16::to_le_bytes, b"\xff\xfe"),
            utf16(page, u16::to_be_bytes, b"\xfe\xff"),
            utf16(page, u16::to_le_bytes, b""),
        ];
        for file in files {
            assert!(forbidden(&file), "{}", String::from_utf8_lossy(&file));
        }
    }

    #[test]
    fn programs_and_scripts_are_refused() {
        let files: [&[u8]; 17] = [
            b"\x7fELF\x02\x01\x01\0",
            b"MZ\x90\0\x03",
            b"\xcf\xfa\xed\xfe\x07\0\0\x01",
            b"\xca\xfe\xba\xbe\0\0\0\x37",
            b"dex\n035\0",
            b"PK\x03\x04\x14\0",
            b"%PDF-1.7\n",
            b"\0asm\x01\0\0\0",
            b"#!/bin/sh\nrm -rf /",
            b"#! /usr/bin/env python3\n",
            b"<?php system($_GET['c']);",
            b"<% eval request(\"c\") %>",
            b"function x(){}",
            b"// x\nalert(1)",
            b"  (function(){})()",
            b"@echo off\r\n",
            b"\xef\xbb\xbfvar x = 1;",
        ];
        for file in files {
            assert!(forbidden(file), "{}", String::from_utf8_lossy(file));
        }
    }

    #[test]
    fn unknown_audio_is_not() {
        let files: [&[u8]; 8] = [
            b"",
            b"some unknown recording",
            b"#!SILK_V3\x17\0",
            b"\x02#!SILK_V3",
            b"\x00\x01\x02\x03\x04<svg",
            b"<3 music",
            b"\xff\xfe\x80\x90\xa0",
            b"\0\0\0\0\0\0\0\0",
        ];
        for file in files {
            assert!(!forbidden(file), "{}", String::from_utf8_lossy(file));
        }
    }
}
