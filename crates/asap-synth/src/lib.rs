//! Builds HAP pairs (§4.1 of the paper): a good image and the same image with one local anatomical error.
//!
//! Two ways lead to a pair. [`photo`] corrupts a photograph in its pixels: a part is cut into layers, the
//! layers are moved, and everything outside a small box is put back byte for byte. [`figure`] draws a
//! person from a [`SkeletonGraph`](asap_core::SkeletonGraph), corrupts the graph ([`corrupt`]) and draws
//! it again with the same light, background and camera. Both give a [`Draft`], which is encoded and
//! measured; [`curate`] then decides which pairs are kept.
//!
//! Everything is a function of its arguments and a seed: the same call gives the same bytes on any machine
//! and with any number of threads.

pub mod assess;
pub mod corrupt;
pub mod curate;
pub mod draft;
mod error;
pub mod figure;
pub mod finish;
pub mod hash;
pub mod photo;
pub mod pose_map;
pub mod raster;
mod region_masks;

pub use assess::{Subject, assess};
pub use draft::{Built, Draft, DraftPair, Dropped};
pub use error::{Error, Result};
pub use finish::{finish, positive_id};
