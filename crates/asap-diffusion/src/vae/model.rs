//! The autoencoder on tensors.

use std::path::Path;

use tch::Tensor;

use crate::Result;
use crate::device::{Place, Precision};
use crate::nn::{Conv2d, ConvShape};
use crate::vae::VaeConfig;
use crate::vae::decoder::Decoder;
use crate::vae::encoder::Encoder;
use crate::vae::names::as_diffusers;
use crate::vae::tiles::{Tiles, Tiling};
use crate::weights::{Checkpoint, Loader};

/// A normal distribution over latents, `[B, C, h, w]` each, `f32`.
pub(crate) struct Posterior {
    pub(crate) mean: Tensor,
    pub(crate) std: Tensor,
}

/// "Auto-encoding variational Bayes" with the convolutions of latent diffusion.
///
/// Source: "High-resolution image synthesis with latent diffusion models", §3.1 and appendix G.
pub(crate) struct AutoencoderKl {
    pub(super) config: VaeConfig,
    pub(super) encoder: Encoder,
    quant_conv: Option<Conv2d>,
    post_quant_conv: Option<Conv2d>,
    pub(super) decoder: Decoder,
}

impl AutoencoderKl {
    /// Loads the weights at `path`: a folder of diffusers, or an original file.
    pub(crate) fn load(path: &Path, config: &VaeConfig, place: Place, precision: Precision) -> Result<Self> {
        let checkpoint = as_diffusers(Checkpoint::open(path)?, config.block_out_channels.len());
        let loader = Loader::new(&checkpoint, place, precision);
        let root = loader.root();
        let pointwise = |word, n| Conv2d::load(&root.at(word), ConvShape::same(n, n, 1));
        let n = config.latent_channels;
        let network = Self {
            config: config.clone(),
            encoder: Encoder::load(&root.at("encoder"), config),
            quant_conv: config.use_quant_conv.then(|| pointwise("quant_conv", 2 * n)),
            post_quant_conv: config
                .use_post_quant_conv
                .then(|| pointwise("post_quant_conv", n)),
            decoder: Decoder::load(&root.at("decoder"), config),
        };
        Ok(loader.finish(network)?.0)
    }

    /// Shapes: `image` `[B, 3, H, W]` in -1..1, both sides multiples of the factor.
    pub(crate) fn encode(&self, image: &Tensor, tiling: Tiling) -> Result<Posterior> {
        let tiles = tiling.sides(self.config.factor())?.map(|(pixels, cells)| Tiles {
            side_in: pixels,
            side_out: cells,
        });
        let network = |tile: &Tensor| through(self.quant_conv.as_ref(), &self.encoder.forward(tile));
        let moments = match tiles {
            Some(tiles) if tiles.apply_to(image) => tiles.run(image, network),
            _ => network(image),
        };
        let halves = moments.to_kind(tch::Kind::Float).chunk(2, 1);
        let std = (halves[1].clamp(-30.0, 20.0) * 0.5).exp();
        Ok(Posterior {
            mean: halves[0].shallow_clone(),
            std,
        })
    }

    /// Shapes: `latents` `[B, C, h, w]`, not normalised, to `[B, 3, H, W]`, about -1..1.
    pub(crate) fn decode(&self, latents: &Tensor, tiling: Tiling) -> Result<Tensor> {
        let tiles = tiling.sides(self.config.factor())?.map(|(pixels, cells)| Tiles {
            side_in: cells,
            side_out: pixels,
        });
        let network = |tile: &Tensor| {
            self.decoder
                .forward(&through(self.post_quant_conv.as_ref(), tile))
        };
        Ok(match tiles {
            Some(tiles) if tiles.apply_to(latents) => tiles.run(latents, network),
            _ => network(latents),
        })
    }

    /// Latents as the diffusion model sees them.
    pub(crate) fn normalised(&self, latents: &Tensor) -> Tensor {
        (latents - self.config.shift_factor) * self.config.scaling_factor
    }

    /// Latents as the decoder sees them.
    pub(crate) fn denormalised(&self, latents: &Tensor) -> Tensor {
        latents / self.config.scaling_factor + self.config.shift_factor
    }
}

fn through(conv: Option<&Conv2d>, x: &Tensor) -> Tensor {
    conv.map_or_else(|| x.shallow_clone(), |conv| conv.forward(x))
}
