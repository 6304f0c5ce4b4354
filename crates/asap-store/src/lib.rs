//! HAP tables on disk.
//!
//! A [`Dataset`] is a folder `NAME.lance` with three Lance tables (preferred images, pairs, assessments)
//! and a version log that makes a write to all three visible at once.

mod append;
mod columns;
mod dataset;
mod encode;
mod error;
mod hash;
mod index;
mod lock;
mod log;
pub mod mask_png;
mod pixels;
mod read;
mod rows;
mod schema;
mod summary;
mod tables;

pub use append::{Appended, Group};
pub use dataset::{Dataset, VersionInfo};
pub use error::{Error, Result};
pub use hash::sha256;
pub use log::RowCounts;
pub use mask_png::{decode_mask, encode_mask};
pub use pixels::{decode_rgb, reconstruct, rejected_png};
pub use read::{MaskPngs, PairHashes, Record};
pub use schema::SchemaVersion;
