//! Tests of the public interface.

mod golden;
mod images;
mod preparation;
mod properties;
mod regions;
mod scorer_files;
mod scorers;
mod lpips;
mod made;
mod properties;
mod regions;
mod torch_files;
mod weights;
