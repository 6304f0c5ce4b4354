//! HAP tables on disk: images, masks, labels and decisions of preference pairs.
//!
//! A [`Dataset`] is a folder, conventionally `NAME.lance`, of three Lance tables and a version log:
//!
//! | path | holds |
//! | --- | --- |
//! | `positives.lance` | one row a preferred image: its PNG bytes (a blob), prompt, keypoints, source |
//! | `pairs.lance` | one row a pair: the patch or whole rejected image (a blob), both masks, labels, provenance |
//! | `assessments.lance` | one narrow row a pair: statistics, evidence, decision; rewritten by curation |
//! | `versions/N.json` | which version of each table makes version N of the dataset |
//!
//! A preferred image is stored once, however many pairs share it, and a rejected one as the box that
//! differs. Blobs are read by name only, so lists and filters never touch an image. A write commits the
//! three tables and then one log entry; a process that is killed in between leaves nothing visible behind,
//! and repeating its work adds no duplicates. The types at the border are those of `asap-core`.
//!
//! ```no_run
//! # async fn example() -> asap_store::Result<()> {
//! use asap_store::{Dataset, Filter, reconstruct};
//!
//! let dataset = Dataset::open("hap.lance").await?;
//! let mut records = dataset.stream(&Filter::kept(), 32).await?;
//! while let Some(batch) = records.next_batch().await? {
//!     for record in batch {
//!         let rejected = reconstruct(&record.positive, &record.pair)?;
//!         println!("{} is {} px wide", record.pair.id.short(), rejected.width());
//!     }
//! }
//! # Ok(())
//! # }
//! ```

mod append;
pub mod cache;
mod columns;
mod counts;
mod dataset;
mod encode;
mod error;
mod export;
mod filter;
mod hash;
mod import;
mod index;
mod lock;
mod log;
pub mod mask_png;
mod pixels;
mod read;
mod rows;
mod schema;
mod stream;
mod summary;
mod tables;
mod verify;

pub use append::{Appended, Group};
pub use counts::{DatasetStats, Mean};
pub use dataset::{Dataset, VersionInfo};
pub use error::{Cause, Error, Result};
pub use export::{ExportFile, ExportOptions, ExportPairs, ExportReport, export};
pub use filter::Filter;
pub use hash::sha256;
pub use import::{ImportReport, import};
pub use log::RowCounts;
pub use mask_png::{decode_mask, encode_mask};
pub use pixels::{decode_rgb, reconstruct, rejected_png};
pub use read::{MaskPngs, PairHashes, Record};
pub use schema::SchemaVersion;
pub use stream::Records;
pub use verify::{Fault, Recompute, VerifyReport};
