//! A block with separate weights for image and text that attends among both.

use tch::Tensor;

use crate::flux::FluxConfig;
use crate::flux::layers::{FeedForward, HeadNames, Heads, Modulation, attend, modulated};
use crate::flux::rope::Rope;
use crate::nn::Linear;
use crate::run::Adapter;
use crate::weights::Path;

/// How the layers of one side are called.
struct SideNames {
    modulation: &'static str,
    heads: HeadNames,
    out: &'static str,
    feed_forward: &'static str,
}

const IMAGE: SideNames = SideNames {
    modulation: "norm1",
    heads: HeadNames {
        projections: ["attn.to_q", "attn.to_k", "attn.to_v"],
        norms: ["attn.norm_q", "attn.norm_k"],
    },
    out: "attn.to_out.0",
    feed_forward: "ff",
};

const TEXT: SideNames = SideNames {
    modulation: "norm1_context",
    heads: HeadNames {
        projections: ["attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj"],
        norms: ["attn.norm_added_q", "attn.norm_added_k"],
    },
    out: "attn.to_add_out",
    feed_forward: "ff_context",
};

/// The weights of one side.
struct Side {
    modulation: Modulation,
    heads: Heads,
    out: Linear,
    feed_forward: FeedForward,
}

impl Side {
    fn load(path: &Path<'_>, names: &SideNames, config: &FluxConfig) -> Self {
        let dim = config.inner_dim();
        Self {
            modulation: Modulation::load(&path.at(names.modulation), dim, 6),
            heads: Heads::load(path, &names.heads, config),
            out: Linear::load(&path.at(names.out), dim, dim),
            feed_forward: FeedForward::load(&path.at(names.feed_forward), dim),
        }
    }

    /// `parts` are shift, scale and gate of the attention, then of the feed-forward.
    fn heads(&self, x: &Tensor, parts: &[Tensor], adapter: Adapter) -> [Tensor; 3] {
        self.heads.forward(&modulated(x, &parts[0], &parts[1]), adapter)
    }

    /// What is added to `x` after the attention.
    fn finish(&self, x: &Tensor, attended: &Tensor, parts: &[Tensor], adapter: Adapter) -> Tensor {
        let x = x + &parts[2] * self.out.forward(attended, adapter);
        let hidden = modulated(&x, &parts[3], &parts[4]);
        &x + &parts[5] * self.feed_forward.forward(&hidden, adapter)
    }
}

/// The two sequences of a double block.
pub(crate) struct Streams {
    pub(crate) image: Tensor,
    pub(crate) text: Tensor,
}

/// A double block: `transformer_blocks.N`.
///
/// # Source
/// "Scaling Rectified Flow Transformers for High-Resolution Image Synthesis", arXiv:2403.03206, §4 (MM-DiT).
pub(crate) struct DoubleBlock {
    image: Side,
    text: Side,
}

impl DoubleBlock {
    pub(crate) fn load(path: &Path<'_>, config: &FluxConfig) -> Self {
        Self {
            image: Side::load(path, &IMAGE, config),
            text: Side::load(path, &TEXT, config),
        }
    }

    /// Shapes: image `[B, L, dim]`, text `[B, T, dim]`, `embedding` `[B, dim]`; the result is like the streams.
    pub(crate) fn forward(&self, x: &Streams, embedding: &Tensor, rope: &Rope, adapter: Adapter) -> Streams {
        let (n_image, n_text) = (x.image.size()[1], x.text.size()[1]);
        let image_parts = self.image.modulation.forward(embedding, adapter);
        let text_parts = self.text.modulation.forward(embedding, adapter);
        let image = self.image.heads(&x.image, &image_parts, adapter);
        let text = self.text.heads(&x.text, &text_parts, adapter);
        let joint = [0, 1, 2].map(|role| Tensor::cat(&[&text[role], &image[role]], 2));
        let attended = attend(&joint, rope);
        // A layer adds its bias within the product only where its input is contiguous: in `bf16` that is one
        // rounding instead of two.
        let part = |start, n| attended.narrow(1, start, n).contiguous();
        let (of_text, of_image) = (part(0, n_text), part(n_text, n_image));
        Streams {
            image: self.image.finish(&x.image, &of_image, &image_parts, adapter),
            text: self.text.finish(&x.text, &of_text, &text_parts, adapter),
        }
    }
}
