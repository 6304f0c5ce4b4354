//! Layers that all networks share.

mod attention;
mod checkpoint;
mod conv;
mod embedding;
mod linear;
mod norm;
mod swap;
mod timestep;

pub(crate) use attention::{attention, merge_heads, split_heads};
pub(crate) use checkpoint::checkpoint;
pub(crate) use conv::{Conv2d, ConvShape};
pub(crate) use embedding::Embedding;
pub(crate) use linear::Linear;
pub(crate) use norm::{GroupNorm, LayerNorm, RmsNorm, layer_norm_plain};
pub(crate) use swap::swapped_linear;
pub(crate) use timestep::{TimestepEmbedding, sinusoid};
