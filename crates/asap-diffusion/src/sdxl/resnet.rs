//! Convolutions: a residual block that takes the time in, and the changes of resolution.

use tch::Tensor;

use crate::nn::{Conv2d, ConvShape, GroupNorm, Linear};
use crate::run::Adapter;
use crate::sdxl::UnetConfig;
use crate::weights::Path;

/// Norm, SiLU, convolution, the time added, and the same once more; around it a shortcut.
pub(super) struct Resnet {
    norm1: GroupNorm,
    conv1: Conv2d,
    time_emb_proj: Linear,
    norm2: GroupNorm,
    conv2: Conv2d,
    conv_shortcut: Option<Conv2d>,
}

impl Resnet {
    pub(super) fn load(path: &Path<'_>, n_in: i64, n_out: i64, config: &UnetConfig) -> Self {
        let norm =
            |word, channels| GroupNorm::load(&path.at(word), config.norm_groups, channels, config.norm_eps);
        let conv = |word, n_in, side| Conv2d::load(&path.at(word), ConvShape::same(n_in, n_out, side));
        Self {
            norm1: norm("norm1", n_in),
            conv1: conv("conv1", n_in, 3),
            time_emb_proj: Linear::load(&path.at("time_emb_proj"), config.embedding_dim(), n_out),
            norm2: norm("norm2", n_out),
            conv2: conv("conv2", n_out, 3),
            conv_shortcut: (n_in != n_out).then(|| conv("conv_shortcut", n_in, 1)),
        }
    }

    /// Shapes: `x` `[B, n_in, h, w]`, `embedding` `[B, dim]` after its SiLU; the result `[B, n_out, h, w]`.
    pub(super) fn forward(&self, x: &Tensor, embedding: &Tensor, adapter: Adapter) -> Tensor {
        let time = self.time_emb_proj.forward(embedding, adapter);
        let hidden = self.conv1.forward(&self.norm1.forward(x).silu()) + time.unsqueeze(-1).unsqueeze(-1);
        let hidden = self.conv2.forward(&self.norm2.forward(&hidden).silu());
        match &self.conv_shortcut {
            Some(conv) => conv.forward(x).to_kind(x.kind()) + hidden,
            None => x + hidden,
        }
    }
}

/// Half the height and width, rounded up.
pub(super) struct Downsampler {
    conv: Conv2d,
}

impl Downsampler {
    pub(super) fn load(path: &Path<'_>, channels: i64) -> Self {
        let shape = ConvShape {
            stride: 2,
            ..ConvShape::same(channels, channels, 3)
        };
        Self {
            conv: Conv2d::load(&path.at("conv"), shape),
        }
    }

    pub(super) fn forward(&self, x: &Tensor) -> Tensor {
        self.conv.forward(x).to_kind(x.kind())
    }
}

/// Each cell repeated, then a convolution.
pub(super) struct Upsampler {
    conv: Conv2d,
}

impl Upsampler {
    pub(super) fn load(path: &Path<'_>, channels: i64) -> Self {
        Self {
            conv: Conv2d::load(&path.at("conv"), ConvShape::same(channels, channels, 3)),
        }
    }

    /// To the height and width of `like`, what the next block concatenates with: an odd size was rounded up on
    /// the way down.
    pub(super) fn forward(&self, x: &Tensor, like: &Tensor) -> Tensor {
        let size = like.size();
        self.conv
            .forward(&x.upsample_nearest2d([size[2], size[3]], None, None))
            .to_kind(x.kind())
    }
}
