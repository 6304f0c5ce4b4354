//! Tests of the public interface.

mod golden;
mod images;
mod lpips;
mod made;
mod properties;
mod regions;
mod torch_files;
mod preparation;
mod scorer_files;
mod scorers;
mod weights;
