//! Vocabulary and reference formulas of the ASAP toolkit.
//!
//! Everything that two crates say to each other is a type of this crate: a [`Pair`] of a preferred and a
//! rejected image with its [`Mask`]s, the [`Skeleton`] under it, the [`Degradation`] that made it, the
//! [`RegionStats`] measured on it and the [`Curation`] decision. Beside them stand the paper's constants
//! ([`paper`]) and its formulas as plain `f64` functions ([`score`], [`objective`]), which every faster
//! implementation is tested against.
//!
//! The crate does no I/O, starts no thread and compiles to wasm, so the browser, the server and the
//! trainer share one set of words.
//!
//! ```
//! use asap_core::{score::RsiCounts, Mask};
//!
//! let mut mask = Mask::new(8, 4);
//! mask.set(3, 2, true);
//! assert_eq!(mask.area_px(), 1);
//!
//! let counts = RsiCounts { wins: 30, ties: 50, losses: 20 };
//! assert_eq!(counts.rsi(), Some(80.0 / 70.0));
//! ```

pub mod chat;
pub mod curation;
pub mod degradation;
pub mod geometry;
pub mod graph;
pub mod id;
pub mod judgement;
pub mod manifest;
pub mod mask;
pub mod objective;
pub mod pair;
pub mod paper;
pub mod prompt;
pub mod random;
pub mod region;
pub mod reporter;
pub mod score;
pub mod skeleton;
pub mod stats;
pub mod summary;
pub mod time;

pub use curation::{Criterion, Curation, Decision, Rejection};
pub use degradation::{Degradation, Kind, Mechanism, Part, Scope, Severity};
pub use geometry::{BoxPx, Point};
pub use graph::{Bone, Finger, Node, Segment, SkeletonGraph};
pub use id::{PairId, PositiveId, Sha256};
pub use judgement::{Comparison, Judge, Judgement, Order, Outcome, Sample, Topic};
pub use mask::Mask;
pub use pair::{Pair, Positive, Provenance, Rejected, Source, SourceKind, Split};
pub use prompt::{Category, Prompt, PromptId};
pub use random::Stream;
pub use region::{Region, Side};
pub use reporter::Reporter;
pub use score::{AerCounts, Choice, RsiCounts, UnscoredReason, Verdict};
pub use skeleton::{Keypoint, Skeleton};
pub use stats::{Assessment, Evidence, RegionStats, StatRegion};
pub use summary::PairSummary;
