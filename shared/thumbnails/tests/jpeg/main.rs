//! The JPEG decoder against files made for it, against another decoder, and against hostile bytes.

#[path = "../it/clock.rs"]
mod clock;
mod colours;
mod damaged;
mod hostile;
mod made;
mod reference;
mod scripts;
mod variants;
