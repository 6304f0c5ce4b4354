//! Judges: what is asked, what was answered, and what follows from it.
//!
//! Every answer is kept as it came in an append-only log ([`AnswerRecord`]); a verdict is a pure function of the
//! stored text ([`said`]), so a better reader costs no call. The log is also the cache: an answered question is never
//! paid for twice ([`question_key`]).

mod batch;
mod export;
mod imported;
mod key;
mod ladder;
mod log;
mod plan;
mod question;
mod read;
mod record;
mod refresh;
mod rehearsal;
mod runner;
mod spending;
mod step;
mod summary;
mod verdicts;

pub use batch::{
    BatchCall, BatchLog, PendingBatch, UnknownBatch, batch_calls, batch_request, keep_batch_answer,
    most_batch_usd,
};
pub use export::{VerdictRow, export, read_rows, row_line};
pub use imported::{ImportedJudge, import};
pub use key::question_key;
pub use log::AnswerLog;
pub use plan::plan;
pub use question::{Question, image_questions, limited, pair_questions, request};
pub use read::{Defect, Evidence, Said, evidence, said};
pub use record::{AnswerRecord, Asked, Event, Subject, judge_slug};
pub use rehearsal::{Rehearsal, is_simulated, rehearse};
pub use runner::{Backend, JudgeOptions, Mode, Runs, run_judge};
pub use spending::spent_usd;
pub use summary::{ModelChange, Stop, Summary, summary};
pub use verdicts::{CallTotals, Judged, Verdicts, verdicts};
