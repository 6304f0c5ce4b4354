//! Tests of the public interface.

mod golden;
mod hpsv3;
mod image_reward;
mod images;
mod lpips;
mod made;
mod preparation;
mod properties;
mod regions;
mod scorer_files;
mod scorers;
mod torch_files;
mod weights;
