//! Tests of the public interface.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

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
