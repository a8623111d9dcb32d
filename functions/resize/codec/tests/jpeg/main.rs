//! The JPEG decoder against files made for it, against another decoder, and against hostile bytes.

mod colours;
mod hostile;
mod made;
mod reference;
mod scripts;
mod variants;
