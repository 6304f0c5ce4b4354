//! People drawn from a skeleton graph.

mod anatomy;
mod body;
pub mod gesture;
mod hand;
mod head;
pub mod pose;
mod space;
mod stances;

pub use gesture::Gesture;
pub use pose::{Category, Framing, Posed, Thing, sample_graph};
