//! People drawn from a skeleton graph.

mod anatomy;
mod background;
mod body;
mod build;
mod build_body;
mod build_hand;
mod build_head;
mod build_things;
mod draw;
mod face;
pub mod gesture;
mod hand;
mod head;
mod lanes;
mod look;
mod noise;
mod paint;
mod paint_skin;
pub mod pose;
mod scene;
mod solid;
mod space;
mod stances;
mod trace;

pub use gesture::Gesture;
pub use pose::{Category, Framing, Posed, Thing, sample_graph};

/// TEMP
pub fn preview(seed: u64, idx: u64, size: u32) -> image::RgbImage {
    let category = Category::ALL[(idx % 5) as usize];
    let posed = pose::sample(category, size, &mut asap_core::Stream::new(seed, &format!("figure/{idx}/pose")));
    let look = look::Look::sample(&mut asap_core::Stream::new(seed, &format!("figure/{idx}/look")));
    let props = build::Props { thing: posed.thing, is_seated: posed.is_seated, allows_skirt: false, unit: posed.scale };
    draw::Stage::new(look, props, posed.framing, size).draw(&posed.graph).image
}
