//! Time, guidance and pooled text as one vector.

use tch::{Kind, Tensor};

use crate::flux::FluxConfig;
use crate::nn::{TimestepEmbedding, sinusoid};
use crate::run::Adapter;
use crate::weights::Path;

/// Channels of the sinusoids.
const SINUSOID_DIM: i64 = 256;
/// Noise levels in 0..1 and guidances are multiplied by this before their sinusoid.
const TIME_FACTOR: f64 = 1000.0;

/// The layers at `time_text_embed`.
pub(crate) struct TimeTextEmbed {
    pub(super) timestep: TimestepEmbedding,
    /// Only in networks that were distilled from guidance, such as FLUX.1-dev.
    pub(super) guidance: Option<TimestepEmbedding>,
    pub(super) text: TimestepEmbedding,
}

impl TimeTextEmbed {
    pub(crate) fn load(path: &Path<'_>, config: &FluxConfig) -> Self {
        let dim = config.inner_dim();
        let sinusoidal = |name: &str| TimestepEmbedding::load(&path.at(name), SINUSOID_DIM, dim);
        Self {
            timestep: sinusoidal("timestep_embedder"),
            guidance: config.guidance_embeds.then(|| sinusoidal("guidance_embedder")),
            text: TimestepEmbedding::load(&path.at("text_embedder"), config.pooled_projection_dim, dim),
        }
    }

    /// Shapes: `sigma` and `guidance` `[B]`, `pooled` `[B, pooled_projection_dim]` to `[B, dim]`, in the numbers
    /// of `pooled`.
    ///
    /// # Panics
    /// Where a guidance is given to a network without one, or the reverse.
    pub(crate) fn forward(
        &self,
        sigma: &Tensor,
        guidance: Option<&Tensor>,
        pooled: &Tensor,
        adapter: Adapter,
    ) -> Tensor {
        let time = self.timestep.forward(&waves(sigma, pooled.kind()), adapter);
        let time = match (&self.guidance, guidance) {
            (Some(layer), Some(guidance)) => time + layer.forward(&waves(guidance, pooled.kind()), adapter),
            (None, None) => time,
            (Some(_), None) => panic!("the network embeds a guidance and got none"),
            (None, Some(_)) => panic!("the network embeds no guidance and got one"),
        };
        time + self.text.forward(pooled, adapter)
    }
}

/// The sinusoid of `1000 x`. The product is rounded to the network's numbers before it, as diffusers does: in
/// `bf16` a noise level of 0.3 has the embedding of 300 and one of 0.3004 too.
pub(super) fn waves(x: &Tensor, kind: Kind) -> Tensor {
    let scaled = x.to_kind(kind) * TIME_FACTOR;
    sinusoid(&scaled, SINUSOID_DIM).to_kind(kind)
}
