//! What a run tells about itself: one JSON line per record in `telemetry.jsonl`, and TensorBoard's event files.
//!
//! The lines are the record; event files, the terminal and the report are views of them. [`TelemetryLog`] writes
//! them, [`Telemetry`] reads them, [`EventFile`] shows them to TensorBoard.

mod crc32c;
mod events;
mod interval;
mod log;
mod number;
mod record;

pub use events::EventFile;
pub use interval::{LEVEL, mean_interval, wilson};
pub use log::{Telemetry, TelemetryLog};
pub use record::{Errors, Eval, ImageErrors, Note, PairRecord, PartEval, Record, SampleImage, Sampled, Step};
