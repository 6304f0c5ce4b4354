//! People drawn from a skeleton graph.
//!
//! [`plan`] lists the jobs of a build and [`build`] draws one: a person in a random plausible pose
//! ([`pose`]), as a soup of blended solids that rays are followed into, and the same person with one error
//! in the skeleton. Light, backdrop, clothes and camera of a pair are the same; rays are followed again
//! only where the change can be seen. Every pixel knows the piece of the body that it shows, so part masks
//! are exact.

mod anatomy;
mod background;
mod body;
mod build;
mod build_body;
mod build_hand;
mod build_head;
mod build_things;
mod camera;
mod caption;
mod draw;
mod face;
pub mod gesture;
mod hand;
mod head;
mod job;
mod lanes;
mod look;
mod march;
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

#[cfg(test)]
mod tests;
