//! How a forward pass is run: with or without the adapter, with or without its activations in memory.

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

/// How a forward pass is run.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Run {
    /// With or without the adapter.
    pub adapter: Adapter,
    /// Which blocks are computed again for the gradient.
    pub checkpointing: Checkpointing,
}

impl Run {
    /// The base model, for inference.
    pub const BASE: Self = Self {
        adapter: Adapter::Off,
        checkpointing: Checkpointing::Off,
    };
    /// The model with its adapter.
    pub const ADAPTED: Self = Self {
        adapter: Adapter::On,
        checkpointing: Checkpointing::Off,
    };
}
