//! Sets of prompts: reading them, checking them, counting what they hold.
//!
//! A set is a folder in the layout of `prompts/haf-bench` or one `.jsonl` file of [`Prompt`](asap_core::Prompt) rows.
//! [`PromptSet::load`] refuses a set with any fault and names all of them; [`read`] gives what could be read
//! beside the faults, for a validator that goes on.

mod axis;
mod checks;
mod error;
mod finding;
mod load;
mod row;
mod rules;
mod set;
mod split;
mod stats;
mod taxonomy;
mod tokens;
mod validate;
mod words;

pub use axis::{Axis, AxisSource, AxisValue};
pub use error::{Error, Fault, Result};
pub use finding::{Finding, Severity};
pub use load::{Reading, read};
pub use rules::{EMBEDDED_RULES, Rules};
pub use set::PromptSet;
pub use stats::{AxisCount, Histogram, Stats, SubcategoryCount, ValueCount, stats};
pub use taxonomy::{CategoryEntry, Factor, Subcategory, Taxonomy};
pub use tokens::{Counting, TokenCounter, Tokenizers, bert_tokens_estimate, clip_tokens_estimate};
pub use validate::{CheckCount, Options, Report, validate};
