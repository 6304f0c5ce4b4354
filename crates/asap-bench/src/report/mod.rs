//! Reports: a folder with a page, tables, plots and the logs that everything in it can be computed from again.
//!
//! ```text
//! report/
//!   index.html            the page; opens from the disk, needs no server and no network
//!   report.json           every figure with name, value, interval, n, method and status
//!   config.json           options, seeds, versions, hashes of what it was made from
//!   judgements.jsonl      verdicts on single images: hashes, no images
//!   comparisons.jsonl     choices between two images
//!   scores.jsonl          values of learned scorers
//!   calls.jsonl           calls of the judge and what they cost
//!   images.json           what is known of the images that are shown
//!   images/*.jpg          their thumbnails
//!   tables/*.csv          every table, numbers with all of their digits
//!   plots/*.svg, *.png    every plot
//!   SHA256SUMS            the hash of each of these files, as `sha256sum -c` reads it
//! ```
//!
//! A report is a pure function of its logs, its options and its pictures: [`render`] makes every text in it, and
//! [`verify`] calls it again. There is no clock in it, so the same inputs give the same bytes.

mod analysis;
mod config;
mod figure;
mod gallery;
mod human;
mod images;
mod inputs;
mod log;
mod page;
mod paper;
pub mod plot;
mod plots;
mod quality;
mod render;
mod status;
mod table;
mod tables;
mod tables_of_record;
mod verify;
mod view;
mod write;

pub use analysis::{Analysis, Paired, Position};
pub use config::{Config, FileHash, Identity, Options, REPORT_SCHEMA, RunRecord, Who};
pub use figure::{Ends, Figure};
pub use gallery::Picture;
pub use human::{Agreement, HumanSide, Question};
pub use images::{PictureFile, Thumbnail};
pub use inputs::{Inputs, RunInputs, Wishes};
pub use log::{CallRow, Log, ModelScore};
pub use paper::{PaperRow, PaperTable, paper_table, paper_table_sha256};
pub use plots::NamedPlot;
pub use quality::{ScorerBoard, ScorerKey};
pub use render::{Rendered, ReportFile, render};
pub use status::{
    MAX_FACTOR_ESTABLISHED, MAX_FACTOR_USABLE, MAX_HALF_WIDTH_ESTABLISHED, MAX_HALF_WIDTH_USABLE,
    MIN_PROMPTS_ESTABLISHED, MIN_PROMPTS_USABLE, Status,
};
pub use table::{Cell, Column, Side, Table};
pub use verify::{Difference, Verified, verify};
pub use write::{Written, write};
