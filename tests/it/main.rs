//! The black-box tests.

mod codes;
mod contract;
mod downloads;
mod faults;
mod guesses;
mod hostile;
mod limits;
mod logs;
mod lookup;
mod media;
mod permissions;
mod profiles;
mod races;
mod restart;
mod sessions;
mod support;
mod thumbnails;
mod tidy;
mod tokens;
mod trips;
mod unknown;
