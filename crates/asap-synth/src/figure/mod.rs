//! People drawn from a skeleton graph.

mod anatomy;
mod background;
mod body;
mod build;
mod build_body;
mod build_hand;
mod build_head;
mod build_things;
mod caption;
mod draw;
mod face;
pub mod gesture;
mod hand;
mod head;
mod job;
mod lanes;
mod look;
mod noise;
mod paint;
mod paint_skin;
pub mod pose;
mod reject;
mod scene;
mod solid;
mod space;
mod stances;
mod trace;

pub use gesture::Gesture;
pub use job::{FigureJob, Options, build, plan};
pub use pose::{Category, Framing, Posed, Thing, sample_graph};
