//! Transformer parts that the networks share.

mod activation;
mod attention;
mod block;

pub(crate) use activation::Activation;
pub(crate) use attention::{Attention, AttentionShape, QkvNames};
pub(crate) use block::{BlockNames, BlockShape, Blocks};
