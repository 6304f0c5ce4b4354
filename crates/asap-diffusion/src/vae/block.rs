//! The layers of which encoder and decoder are made.

use tch::Tensor;

use crate::nn::{Conv2d, ConvShape, GroupNorm, Linear, attention, merge_heads, split_heads};
use crate::weights::Path;

pub(super) const EPS: f64 = 1e-6;

/// Two convolutions with a way around them.
pub(super) struct Resnet {
    norm1: GroupNorm,
    conv1: Conv2d,
    norm2: GroupNorm,
    conv2: Conv2d,
    /// Only where the channels change.
    conv_shortcut: Option<Conv2d>,
}

impl Resnet {
    pub(super) fn load(path: &Path<'_>, n_groups: i64, n_in: i64, n_out: i64) -> Self {
        let shortcut = || Conv2d::load(&path.at("conv_shortcut"), ConvShape::same(n_in, n_out, 1));
        Self {
            norm1: GroupNorm::load(&path.at("norm1"), n_groups, n_in, EPS),
            conv1: Conv2d::load(&path.at("conv1"), ConvShape::same(n_in, n_out, 3)),
            norm2: GroupNorm::load(&path.at("norm2"), n_groups, n_out, EPS),
            conv2: Conv2d::load(&path.at("conv2"), ConvShape::same(n_out, n_out, 3)),
            conv_shortcut: (n_in != n_out).then(shortcut),
        }
    }

    /// Shapes: `[B, n_in, H, W]` to `[B, n_out, H, W]`.
    pub(super) fn forward(&self, x: &Tensor) -> Tensor {
        let hidden = self.conv1.forward(&self.norm1.forward(x).silu());
        let hidden = self.conv2.forward(&self.norm2.forward(&hidden).silu());
        match &self.conv_shortcut {
            Some(shortcut) => shortcut.forward(x) + hidden,
            None => x + hidden,
        }
    }
}

/// Attention of every cell to every cell, with one head.
pub(super) struct SpatialAttention {
    group_norm: GroupNorm,
    to_q: Linear,
    to_k: Linear,
    to_v: Linear,
    to_out: Linear,
}

impl SpatialAttention {
    fn load(path: &Path<'_>, n_groups: i64, dim: i64) -> Self {
        let linear = |word| Linear::load(&path.at(word), dim, dim);
        Self {
            group_norm: GroupNorm::load(&path.at("group_norm"), n_groups, dim, EPS),
            to_q: linear("to_q"),
            to_k: linear("to_k"),
            to_v: linear("to_v"),
            to_out: linear("to_out.0"),
        }
    }

    /// Shapes: `[B, C, H, W]`, as it comes.
    pub(super) fn forward(&self, x: &Tensor) -> Tensor {
        let size = x.size();
        let tokens = self.group_norm.forward(x).flatten(2, 3).transpose(1, 2);
        let heads = |layer: &Linear| split_heads(&layer.base(&tokens), 1);
        let mixed = attention(&heads(&self.to_q), &heads(&self.to_k), &heads(&self.to_v), None);
        let mixed = self.to_out.base(&merge_heads(&mixed));
        x + mixed.transpose(1, 2).reshape(size)
    }
}

/// The innermost level.
pub(super) struct MidBlock {
    pub(super) resnets: [Resnet; 2],
    pub(super) attention: Option<SpatialAttention>,
}

impl MidBlock {
    pub(super) fn load(path: &Path<'_>, n_groups: i64, dim: i64, has_attention: bool) -> Self {
        let attention = || SpatialAttention::load(&path.at("attentions.0"), n_groups, dim);
        Self {
            resnets: [0, 1].map(|at| Resnet::load(&path.nth("resnets", at), n_groups, dim, dim)),
            attention: has_attention.then(attention),
        }
    }

    /// Shapes: `[B, C, H, W]`, as it comes.
    pub(super) fn forward(&self, x: &Tensor) -> Tensor {
        let mut x = self.resnets[0].forward(x);
        if let Some(attention) = &self.attention {
            x = attention.forward(&x);
        }
        self.resnets[1].forward(&x)
    }
}
