//! What turns images and prompts into the inputs of a network.

use asap_diffusion::Array;
use asap_diffusion::device::{Place, Precision};
use asap_diffusion::text::{FluxTextEncoders, SdxlTextEncoders};
use asap_diffusion::tiny::{codec, words};
use asap_diffusion::training::Conditioning;
use asap_diffusion::vae::Vae;
use image::RgbImage;

use super::{Latent, Prompted};
use crate::config::{Backbone, Settings};

/// Width of the tiny network's prompt vectors.
pub const TINY_TEXT_DIM: usize = 64;

/// Encoders of one backbone.
pub enum Encoder {
    /// Fixed arithmetic, without weights.
    Tiny {
        /// Tokens of a prompt.
        n_tokens: usize,
    },
    /// The autoencoder and the text encoders of FLUX.
    Flux {
        /// The autoencoder.
        vae: Vae,
        /// CLIP and T5.
        text: FluxTextEncoders,
        /// Tokens of T5.
        n_tokens: usize,
        /// Embedded guidance, where the network has one.
        guidance: Option<f64>,
    },
    /// The autoencoder and the text encoders of SDXL.
    Sdxl {
        /// The autoencoder.
        vae: Vae,
        /// Both CLIPs.
        text: SdxlTextEncoders,
    },
}

impl Encoder {
    /// The encoders that the settings name.
    ///
    /// # Errors
    /// Those of opening their files.
    ///
    /// `guidance` is that which the network embeds, where it embeds one.
    pub fn open(
        settings: &Settings,
        guidance: Option<f64>,
        (place, precision): (Place, Precision),
    ) -> anyhow::Result<Self> {
        let model = &settings.model;
        let n_tokens = model.text_tokens as usize;
        let base = || {
            model
                .base
                .as_deref()
                .ok_or_else(|| anyhow::anyhow!("`model.base` names no folder"))
        };
        Ok(match model.backbone {
            Backbone::Tiny => Self::Tiny { n_tokens },
            Backbone::Flux => Self::Flux {
                vae: Vae::open(base()?, place, Precision::F32)?,
                text: FluxTextEncoders::open(base()?, place, precision)?,
                n_tokens,
                guidance,
            },
            Backbone::Sdxl => Self::Sdxl {
                vae: Vae::open(base()?, place, Precision::F32)?,
                text: SdxlTextEncoders::open(base()?, place, precision)?,
            },
        })
    }

    /// The latent of an image.
    ///
    /// # Errors
    /// Those of the autoencoder.
    pub fn image(&self, image: &RgbImage) -> anyhow::Result<Latent> {
        let (width, height) = (image.width() as usize, image.height() as usize);
        match self {
            Self::Tiny { .. } => Ok(Latent {
                mean: codec::encode(image.as_raw(), width, height)?,
                std: None,
            }),
            Self::Flux { vae, .. } | Self::Sdxl { vae, .. } => {
                let latents = vae.encode(image.as_raw(), width, height)?;
                Ok(Latent {
                    mean: latents.mean,
                    std: Some(latents.std),
                })
            }
        }
    }

    /// The image of a latent: bytes, width, height.
    ///
    /// # Errors
    /// Those of the autoencoder.
    pub fn picture(&self, latent: &Array) -> anyhow::Result<(Vec<u8>, usize, usize)> {
        match self {
            Self::Tiny { .. } => Ok(codec::decode(latent)?),
            Self::Flux { vae, .. } | Self::Sdxl { vae, .. } => Ok(vae.decode(latent)?),
        }
    }

    /// The prompt that says nothing, for guidance away from it; zeros, as SDXL's pipeline has it.
    ///
    /// # Errors
    /// Those of [`Array::new`].
    pub fn nothing(like: &Conditioning) -> anyhow::Result<Option<Conditioning>> {
        let zeros = |array: &Array| Array::new(array.shape(), vec![0.0; array.values().len()]);
        match like {
            Conditioning::Flux { .. } => Ok(None),
            Conditioning::Sdxl {
                tokens,
                pooled,
                time_ids,
            } => Ok(Some(Conditioning::Sdxl {
                tokens: zeros(tokens)?,
                pooled: zeros(pooled)?,
                time_ids: *time_ids,
            })),
        }
    }

    /// An embedded prompt for an image whose size was `original` and is `size` now; width and height in pixels.
    ///
    /// # Errors
    /// Those of the text encoders.
    pub fn prompt(&self, prompt: &str, original: (u32, u32), size: (u32, u32)) -> anyhow::Result<Prompted> {
        let one = |n: usize| anyhow::anyhow!("expected the embedding of one prompt, got {n}");
        match self {
            Self::Tiny { n_tokens } => {
                let (t5, pooled) = words::embed(prompt, *n_tokens, TINY_TEXT_DIM, TINY_TEXT_DIM)?;
                Ok(Prompted::whole(Conditioning::Flux {
                    t5,
                    pooled,
                    guidance: None,
                }))
            }
            Self::Flux {
                text,
                n_tokens,
                guidance,
                ..
            } => {
                let mut found = text.encode(&[prompt], *n_tokens)?;
                let embedding = found.pop().ok_or_else(|| one(0))?;
                Ok(Prompted {
                    // CLIP's part says what the picture is about in 77 tokens, and is cut for every long prompt.
                    n_cut: embedding.n_truncated[1],
                    conditioning: Conditioning::Flux {
                        t5: embedding.t5,
                        pooled: embedding.pooled,
                        guidance: *guidance,
                    },
                })
            }
            Self::Sdxl { text, .. } => {
                let mut found = text.encode(&[prompt])?;
                let embedding = found.pop().ok_or_else(|| one(0))?;
                let side = |pixels: u32| pixels as f32;
                Ok(Prompted {
                    n_cut: embedding.n_truncated[0].max(embedding.n_truncated[1]),
                    conditioning: Conditioning::Sdxl {
                        tokens: embedding.tokens,
                        pooled: embedding.pooled,
                        time_ids: [
                            side(original.1),
                            side(original.0),
                            0.0,
                            0.0,
                            side(size.1),
                            side(size.0),
                        ],
                    },
                })
            }
        }
    }
}
