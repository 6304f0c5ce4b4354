//! The blocks of the way down and of the way up, one per resolution.

use std::sync::Arc;

use tch::Tensor;

use crate::sdxl::resnet::{Downsampler, Upsampler};
use crate::sdxl::segment::{Level, Segment, Walk};
use crate::sdxl::{BlockKind, UnetConfig};
use crate::weights::Path;

/// Segments at one resolution, then half of it, except at the coarsest.
pub(super) struct DownBlock {
    segments: Vec<Arc<Segment>>,
    downsampler: Option<Downsampler>,
}

impl DownBlock {
    /// The block of index `n`, from 0, the finest.
    pub(super) fn load(path: &Path<'_>, n: usize, config: &UnetConfig) -> Self {
        let channels = &config.block_channels;
        let level = Level {
            index: n,
            attends: config.down_blocks[n] == BlockKind::Attending,
            config,
        };
        let first_in = channels[n.saturating_sub(1)];
        let segments = (0..config.layers_per_block)
            .map(|at| Segment::load(path, at, if at == 0 { first_in } else { channels[n] }, level))
            .collect();
        let is_last = n + 1 == channels.len();
        Self {
            segments,
            downsampler: (!is_last).then(|| Downsampler::load(&path.nth("downsamplers", 0), channels[n])),
        }
    }

    /// Every result on the way is pushed to `skips`.
    pub(super) fn forward(&self, mut x: Tensor, skips: &mut Vec<Tensor>, walk: &mut Walk) -> Tensor {
        for segment in &self.segments {
            x = walk.through(segment, &x, None);
            skips.push(x.shallow_clone());
        }
        if let Some(downsampler) = &self.downsampler {
            x = downsampler.forward(&x);
            skips.push(x.shallow_clone());
        }
        x
    }
}

/// Segments that each take a skip in, then twice the resolution, except at the finest.
pub(super) struct UpBlock {
    segments: Vec<Arc<Segment>>,
    upsampler: Option<Upsampler>,
}

impl UpBlock {
    /// The block of index `n`, from 0, the coarsest.
    pub(super) fn load(path: &Path<'_>, n: usize, config: &UnetConfig) -> Self {
        let channels = &config.block_channels;
        let index = channels.len() - 1 - n;
        let level = Level {
            index,
            attends: config.up_blocks[n] == BlockKind::Attending,
            config,
        };
        let n_segments = config.layers_per_block + 1;
        let below = channels[(index + 1).min(channels.len() - 1)];
        let n_in = |at: usize| {
            let stream = if at == 0 { below } else { channels[index] };
            // The last skip of a block comes from before the finer block's change of resolution.
            let is_last = at + 1 == n_segments;
            stream + channels[if is_last { index.saturating_sub(1) } else { index }]
        };
        Self {
            segments: (0..n_segments)
                .map(|at| Segment::load(path, at, n_in(at), level))
                .collect(),
            upsampler: (index > 0).then(|| Upsampler::load(&path.nth("upsamplers", 0), channels[index])),
        }
    }

    /// Takes its skips from the end of `skips`.
    pub(super) fn forward(&self, mut x: Tensor, skips: &mut Vec<Tensor>, walk: &mut Walk) -> Tensor {
        for segment in &self.segments {
            x = walk.through(segment, &x, skips.pop());
        }
        match (&self.upsampler, skips.last()) {
            (Some(upsampler), Some(next)) => upsampler.forward(&x, next),
            _ => x,
        }
    }
}
