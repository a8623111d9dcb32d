//! Tests of the whole codec, from the bytes of an original to those of its thumbnails, for each format.

mod clock;
mod colour;
mod gif;
mod heic;
mod hostile;
mod make;
mod orientation;
mod png;
mod webp;
