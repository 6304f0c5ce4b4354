//! The log read back: votes as they stand, for statistics, for other people, and to prove the tables right.

mod check;
mod replay;
mod statistics;

pub use check::{LinesError, Whole, differences, verify, verify_lines, write_lines};
pub use replay::{Counted, Replay};
pub use statistics::Voters;
