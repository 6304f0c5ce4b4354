//! The FLUX.1 transformer: a velocity from noisy latents, their noise level and a text.
//!
//! # Source
//! Black Forest Labs, `src/flux/model.py`; names and numbers as in diffusers' `FluxTransformer2DModel`.

use std::cell::RefCell;
use std::sync::Arc;

use tch::{Kind, Tensor};

use crate::flux::FluxConfig;
use crate::flux::double::{DoubleBlock, Streams};
use crate::flux::embed::TimeTextEmbed;
use crate::flux::layers::{Modulation, modulated};
use crate::flux::pack::{grid, pack, unpack};
use crate::flux::rope::{Layout, Rope};
use crate::flux::single::SingleBlock;
use crate::nn::{Linear, checkpoint};
use crate::run::{Adapter, Checkpointing, Run};
use crate::weights::Path;

/// A text as its encoders give it.
pub(crate) struct FluxText {
    /// `[B, T, joint_attention_dim]`.
    pub(crate) t5: Tensor,
    /// `[B, pooled_projection_dim]`.
    pub(crate) pooled: Tensor,
}

/// What the transformer takes.
pub(crate) struct FluxInput<'a> {
    /// Packed latents, `[B, rows * cols, in_channels]`.
    pub(crate) tokens: &'a Tensor,
    /// Rows of the image's tokens.
    pub(crate) rows: i64,
    /// Columns of the image's tokens.
    pub(crate) cols: i64,
    /// The text.
    pub(crate) text: &'a FluxText,
    /// Noise levels in 0..1, `[B]`.
    pub(crate) sigma: &'a Tensor,
    /// Guidances, `[B]`, where the network embeds one.
    pub(crate) guidance: Option<&'a Tensor>,
}

/// The whole network.
pub(crate) struct FluxTransformer {
    config: FluxConfig,
    pub(super) x_embedder: Linear,
    pub(super) time_text_embed: TimeTextEmbed,
    pub(super) context_embedder: Linear,
    pub(super) double_blocks: Vec<Arc<DoubleBlock>>,
    pub(super) single_blocks: Vec<Arc<SingleBlock>>,
    norm_out: Modulation,
    pub(super) proj_out: Linear,
    /// The tables of the last layout: a run has few layouts and many steps.
    rope: RefCell<Option<(Layout, Rope)>>,
}

impl FluxTransformer {
    #[expect(
        clippy::arc_with_non_send_sync,
        reason = "the backward pass drops blocks on libtorch's threads, one at a time, while ours waits"
    )]
    pub(crate) fn load(path: &Path<'_>, config: &FluxConfig) -> Self {
        let dim = config.inner_dim();
        let double = |n: usize| {
            Arc::new(DoubleBlock::load(
                &path.nth("transformer_blocks", n).as_block(),
                config,
            ))
        };
        let single = |n: usize| {
            Arc::new(SingleBlock::load(
                &path.nth("single_transformer_blocks", n).as_block(),
                config,
            ))
        };
        Self {
            x_embedder: Linear::load(&path.at("x_embedder"), config.in_channels, dim),
            time_text_embed: TimeTextEmbed::load(&path.at("time_text_embed"), config),
            context_embedder: Linear::load(&path.at("context_embedder"), config.joint_attention_dim, dim),
            double_blocks: (0..config.num_layers).map(double).collect(),
            single_blocks: (0..config.num_single_layers).map(single).collect(),
            norm_out: Modulation::load(&path.at("norm_out"), dim, 2),
            proj_out: Linear::load(&path.at("proj_out"), dim, config.in_channels),
            rope: RefCell::new(None),
            config: config.clone(),
        }
    }

    /// The sizes of the network.
    pub(crate) fn config(&self) -> &FluxConfig {
        &self.config
    }

    /// The velocity at unpacked latents: packs, embeds, runs and unpacks. `guidance` is used where the network
    /// embeds one.
    ///
    /// # Shapes
    /// `latents` `[B, C, h, w]` with even `h` and `w`, `sigma` `[B]`; the result is like `latents`, in the
    /// network's numbers.
    /// # Source
    /// The velocity is `noise - image`, the derivative of `(1 - sigma) image + sigma noise`. In the
    /// ASAP paper time runs from noise to image, so its velocity has the other sign; squared errors are equal.
    pub(crate) fn velocity(
        &self,
        latents: &Tensor,
        sigma: &Tensor,
        text: &FluxText,
        guidance: f64,
        run: Run,
    ) -> Tensor {
        let (rows, cols) = grid(latents);
        let guidance = self.guidance(guidance, sigma);
        let input = FluxInput {
            tokens: &pack(latents),
            rows,
            cols,
            text,
            sigma,
            guidance: guidance.as_ref(),
        };
        unpack(&self.forward(&input, run), rows, cols)
    }

    /// One guidance for each of the batch, where the network embeds one.
    pub(crate) fn guidance(&self, guidance: f64, sigma: &Tensor) -> Option<Tensor> {
        self.config
            .guidance_embeds
            .then(|| Tensor::full(sigma.size(), guidance, (Kind::Float, sigma.device())))
    }

    /// The velocity at packed latents, `[B, rows * cols, in_channels]`, in the network's numbers.
    ///
    /// Blocks are numbered for [`Checkpointing`] from the first double block to the last single block.
    pub(crate) fn forward(&self, input: &FluxInput<'_>, run: Run) -> Tensor {
        let (n_text, n_image) = (input.text.t5.size()[1], input.rows * input.cols);
        let (kind, adapter) = (self.x_embedder.kind(), run.adapter);
        let rope = self.rope(
            Layout {
                n_text,
                rows: input.rows,
                cols: input.cols,
            },
            input.tokens,
        );
        let pooled = input.text.pooled.to_kind(kind);
        let embedding = self
            .time_text_embed
            .forward(input.sigma, input.guidance, &pooled, adapter);
        let sum = run.residual.kind(kind);
        let streams = Streams {
            image: self
                .x_embedder
                .forward(&input.tokens.to_kind(kind), adapter)
                .to_kind(sum),
            text: self
                .context_embedder
                .forward(&input.text.t5.to_kind(kind), adapter)
                .to_kind(sum),
        };
        let x = self.through_blocks(streams, &embedding, &rope, run);
        self.finish(&x.narrow(1, n_text, n_image), &embedding, adapter)
    }

    fn through_blocks(&self, mut x: Streams, embedding: &Tensor, rope: &Rope, run: Run) -> Tensor {
        let adapter = run.adapter;
        if run.checkpointing != Checkpointing::Off {
            // A block that is computed again hands gradients to its inputs, or none reach its adapters.
            x = Streams {
                image: x.image.set_requires_grad(true),
                text: x.text.set_requires_grad(true),
            };
        }
        for (n, block) in self.double_blocks.iter().enumerate() {
            let (block, rope) = (Arc::clone(block), rope.share());
            let body = move |inputs: &[Tensor]| {
                let x = Streams {
                    image: inputs[0].shallow_clone(),
                    text: inputs[1].shallow_clone(),
                };
                let y = block.forward(&x, &inputs[2], &rope, adapter);
                vec![y.image, y.text]
            };
            let inputs = [x.image, x.text, embedding.shallow_clone()];
            let mut outputs = maybe_checkpointed(body, &inputs, 2, run.checkpointing.takes(n));
            x = Streams {
                text: outputs.remove(1),
                image: outputs.remove(0),
            };
        }
        let mut x = Tensor::cat(&[x.text, x.image], 1);
        for (n, block) in self.single_blocks.iter().enumerate() {
            let (block, rope) = (Arc::clone(block), rope.share());
            let body = move |inputs: &[Tensor]| vec![block.forward(&inputs[0], &inputs[1], &rope, adapter)];
            let inputs = [x, embedding.shallow_clone()];
            let takes = run.checkpointing.takes(self.double_blocks.len() + n);
            x = maybe_checkpointed(body, &inputs, 1, takes).remove(0);
        }
        x
    }

    fn finish(&self, x: &Tensor, embedding: &Tensor, adapter: Adapter) -> Tensor {
        self.proj_out
            .forward(&self.normalised(x, embedding, adapter), adapter)
    }

    /// The last norm: its scale stands before its shift, unlike in the blocks.
    pub(super) fn normalised(&self, x: &Tensor, embedding: &Tensor, adapter: Adapter) -> Tensor {
        let parts = self.norm_out.forward(embedding, adapter);
        modulated(x, &parts[1], &parts[0])
    }

    pub(super) fn rope(&self, layout: Layout, like: &Tensor) -> Rope {
        let mut last = self.rope.borrow_mut();
        if let Some((_, rope)) = last.as_ref().filter(|(of, _)| *of == layout) {
            return rope.share();
        }
        let rope = Rope::new(layout, self.config.axes_dims_rope, like.device());
        let shared = rope.share();
        *last = Some((layout, rope));
        shared
    }
}

/// The graph owns the body until its backward pass, which runs on libtorch's threads while ours waits.
fn maybe_checkpointed(
    body: impl Fn(&[Tensor]) -> Vec<Tensor> + 'static,
    inputs: &[Tensor],
    n_out: usize,
    takes: bool,
) -> Vec<Tensor> {
    if takes {
        checkpoint(Arc::new(body), inputs, n_out)
    } else {
        body(inputs)
    }
}
