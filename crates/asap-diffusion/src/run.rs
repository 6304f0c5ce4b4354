//! How a forward pass is run: with or without the adapter, with or without its activations in memory, and in which
//! numbers its residual stream is.

use tch::Kind;

/// Whether a pass goes through the adapter. Without it, the very same base operations run: the reference of
/// preference training is the policy with its adapter off.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Adapter {
    /// The base alone.
    Off,
    /// The base with the adapter.
    On,
}

/// Which blocks forget their activations and compute them again for the gradient.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Checkpointing {
    /// None: fastest, most memory.
    Off,
    /// Every n-th block; 1 is every block.
    EveryNth(usize),
}

impl Checkpointing {
    /// Whether the block of this number, from 0, is computed again.
    pub fn takes(self, block: usize) -> bool {
        match self {
            Self::Off => false,
            Self::EveryNth(n) => block.is_multiple_of(n.max(1)),
        }
    }
}

/// In which numbers the sum is kept that runs through the blocks and to which each adds.
///
/// A sum of 57 blocks in `bf16` is rounded to 8 bits after each: that, not the blocks, is most of the noise of delta.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Residual {
    /// Those of the network, as diffusers has it.
    Model,
    /// `f32`; what a block computes is in the network's numbers all the same.
    F32,
}

impl Residual {
    /// The numbers of the sum in a network of these numbers.
    pub(crate) fn kind(self, of_network: Kind) -> Kind {
        match self {
            Self::Model => of_network,
            Self::F32 => Kind::Float,
        }
    }
}

/// How a forward pass is run.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Run {
    /// With or without the adapter.
    pub adapter: Adapter,
    /// Which blocks are computed again for the gradient.
    pub checkpointing: Checkpointing,
    /// The numbers of the sum that runs through the blocks.
    pub residual: Residual,
}

impl Run {
    /// The base model, for inference.
    pub const BASE: Self = Self {
        adapter: Adapter::Off,
        checkpointing: Checkpointing::Off,
        residual: Residual::Model,
    };
    /// The model with its adapter.
    pub const ADAPTED: Self = Self {
        adapter: Adapter::On,
        checkpointing: Checkpointing::Off,
        residual: Residual::Model,
    };
}
