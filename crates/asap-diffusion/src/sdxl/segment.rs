//! The parts of a UNet whose activations are kept or computed again as a whole.

use std::sync::Arc;

use tch::Tensor;

use crate::nn::checkpoint;
use crate::run::{Adapter, Run};
use crate::sdxl::UnetConfig;
use crate::sdxl::resnet::Resnet;
use crate::sdxl::transformer::Transformer;
use crate::weights::Path;

/// A resnet and, where the block attends, the transformer after it; in the middle one more resnet.
pub(super) struct Segment {
    resnet: Resnet,
    transformer: Option<Transformer>,
    second: Option<Resnet>,
}

impl Segment {
    /// The n-th segment of the block at `path`, at the resolution of index `level`.
    pub(super) fn load(path: &Path<'_>, n: usize, n_in: i64, level: Level<'_>) -> Arc<Self> {
        Self::shared(path, n, n_in, level, None)
    }

    /// The middle of the network: resnet, transformer, resnet.
    pub(super) fn load_middle(path: &Path<'_>, config: &UnetConfig) -> Arc<Self> {
        let index = config.block_channels.len() - 1;
        let channels = config.block_channels[index];
        let level = Level {
            index,
            attends: true,
            config,
        };
        let second = Resnet::load(&path.nth("resnets", 1), channels, channels, config);
        Self::shared(path, 0, channels, level, Some(second))
    }

    #[expect(
        clippy::arc_with_non_send_sync,
        reason = "a backward pass on a GPU runs segments in a thread of libtorch, one at a time"
    )]
    fn shared(path: &Path<'_>, n: usize, n_in: i64, level: Level<'_>, second: Option<Resnet>) -> Arc<Self> {
        let Level {
            index,
            attends,
            config,
        } = level;
        let n_out = config.block_channels[index];
        let path = &path.as_block();
        Arc::new(Self {
            resnet: Resnet::load(&path.nth("resnets", n), n_in, n_out, config),
            transformer: attends.then(|| Transformer::load(&path.nth("attentions", n), index, config)),
            second,
        })
    }

    /// `inputs` are the embedding, the tokens, the stream and, on the way up, what is concatenated to it.
    fn forward(&self, inputs: &[Tensor], adapter: Adapter) -> Tensor {
        let (embedding, tokens, stream) = (&inputs[0], &inputs[1], &inputs[2..]);
        let mut x = match stream {
            [x] => self.resnet.forward(x, embedding, adapter),
            several => self.resnet.forward(&Tensor::cat(several, 1), embedding, adapter),
        };
        if let Some(transformer) = &self.transformer {
            x = transformer.forward(&x, tokens, adapter);
        }
        match &self.second {
            Some(second) => second.forward(&x, embedding, adapter),
            None => x,
        }
    }
}

/// A resolution of the network.
#[derive(Clone, Copy)]
pub(super) struct Level<'a> {
    /// From 0, the finest.
    pub(super) index: usize,
    /// Whether its segments have a transformer.
    pub(super) attends: bool,
    pub(super) config: &'a UnetConfig,
}

/// A pass through the segments, in the order of the network: those of the way down, the middle, those of the way
/// up. Their numbers, from 0, are those of [`Checkpointing`](crate::Checkpointing); SDXL has 16.
pub(super) struct Walk {
    embedding: Tensor,
    tokens: Tensor,
    run: Run,
    n_passed: usize,
}

impl Walk {
    /// Shapes: `embedding` `[B, dim]` after its SiLU, `tokens` `[B, T, token_dim]`.
    pub(super) fn new(embedding: Tensor, tokens: Tensor, run: Run) -> Self {
        Self {
            embedding,
            tokens,
            run,
            n_passed: 0,
        }
    }

    /// Through the next segment; `skip`, where given, is concatenated to `x`.
    pub(super) fn through(&mut self, segment: &Arc<Segment>, x: &Tensor, skip: Option<Tensor>) -> Tensor {
        let number = self.n_passed;
        self.n_passed += 1;
        let shared = [&self.embedding, &self.tokens, x];
        let inputs: Vec<Tensor> = shared
            .into_iter()
            .map(Tensor::shallow_clone)
            .chain(skip)
            .collect();
        let adapter = self.run.adapter;
        if !self.run.checkpointing.takes(number) {
            return segment.forward(&inputs, adapter);
        }
        let segment = Arc::clone(segment);
        #[expect(
            clippy::arc_with_non_send_sync,
            reason = "a backward pass on a GPU runs segments in a thread of libtorch, one at a time"
        )]
        let body = Arc::new(move |inputs: &[Tensor]| vec![segment.forward(inputs, adapter)]);
        checkpoint(body, &inputs, 1).remove(0)
    }
}
