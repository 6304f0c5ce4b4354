//! Sets of prompts: reading them, checking them, counting what they hold.
//!
//! A set is a folder in the layout of `prompts/haf-bench` or one `.jsonl` file of [`Prompt`](asap_core::Prompt) rows.
//! [`PromptSet::load`] refuses a set with any fault and names all of them; [`read`] gives what could be read
//! beside the faults, for a validator that goes on.

mod error;
mod load;
mod row;
mod set;
mod split;
mod taxonomy;

pub use error::{Error, Fault, Result};
pub use load::{Reading, read};
pub use set::PromptSet;
pub use taxonomy::Taxonomy;
