//! Transformer parts that the networks share.

mod activation;
mod attention;
mod block;
mod mask;
mod patches;

pub(crate) use activation::Activation;
pub(crate) use attention::{Attention, AttentionShape, QkvNames};
pub(crate) use block::{BlockNames, BlockShape, Blocks};
pub(crate) use mask::causal_mask;
pub(crate) use patches::patches;
