//! A pair as the network takes it.

use tch::{Device, Kind, Tensor};

use crate::{Array, Error, Result};

/// What a prediction is conditioned on besides the latent and the time.
#[derive(Clone, Debug, PartialEq)]
pub enum Conditioning {
    /// FLUX: the tokens of T5 `[T, 4096]`, the pooled vector of CLIP `[768]`, and the embedded guidance, where the
    /// model has one.
    Flux {
        /// Tokens of T5.
        t5: Array,
        /// Pooled vector of CLIP.
        pooled: Array,
        /// Embedded guidance.
        guidance: Option<f64>,
    },
    /// SDXL: the tokens of both encoders `[77, 2048]`, the pooled vector `[1280]`, and the sizes.
    Sdxl {
        /// Tokens of both encoders, side by side.
        tokens: Array,
        /// Pooled vector of the larger encoder.
        pooled: Array,
        /// Original height and width, crop top and left, target height and width.
        time_ids: [f32; 6],
    },
}

/// A pair with one draw of time and noise, the same for both images.
#[derive(Clone, Copy, Debug)]
pub struct PairInput<'a> {
    /// The latent of the preferred image, `[C, h, w]`, scaled as the network takes it.
    pub preferred: &'a Array,
    /// The latent of the rejected image, of the same sizes.
    pub rejected: &'a Array,
    /// The mask on the latent grid, `[h, w]`, 0 to 1.
    pub mask: &'a Array,
    /// Standard normal, `[C, h, w]`.
    pub noise: &'a Array,
    /// FLUX: sigma, 0 (image) to 1 (noise). SDXL: the timestep, 0 to 999.
    pub time: f64,
    /// What both images show.
    pub conditioning: &'a Conditioning,
}

/// One image with its draw, for training on images alone.
#[derive(Clone, Copy, Debug)]
pub struct ImageInput<'a> {
    /// Its latent, `[C, h, w]`; all of a batch are of one size.
    pub latent: &'a Array,
    /// Standard normal, `[C, h, w]`.
    pub noise: &'a Array,
    /// As [`PairInput::time`].
    pub time: f64,
    /// What it shows.
    pub conditioning: &'a Conditioning,
}

/// Latents and noise of a batch, each `[B, C, h, w]`.
pub(super) fn image_tensors(images: &[ImageInput<'_>], device: Device) -> Result<(Tensor, Tensor)> {
    let latents: Vec<&Array> = images.iter().map(|image| image.latent).collect();
    let noises: Vec<&Array> = images.iter().map(|image| image.noise).collect();
    let shape = latents.first().map_or(&[][..], |latent| latent.shape());
    Ok((
        stacked("a latent of a batch", &latents, shape, device)?,
        stacked("a noise of a batch", &noises, shape, device)?,
    ))
}

/// The pairs of a batch on the device, in `f32`.
pub(super) struct PairTensors {
    /// Preferred and rejected, each `[B, C, h, w]`.
    pub(super) latents: [Tensor; 2],
    /// `[B, 1, h, w]`.
    pub(super) mask: Tensor,
    /// `[B, C, h, w]`.
    pub(super) noise: Tensor,
    /// `[B]`.
    pub(super) times: Tensor,
}

impl PairTensors {
    /// Checks the sizes and copies to the device: all pairs are of the sizes of the first.
    pub(super) fn of(pairs: &[PairInput<'_>], device: Device) -> Result<Self> {
        let Some(first) = pairs.first() else {
            return Err(Error::argument("the pairs of a batch", "at least 1", 0));
        };
        let shape = first.preferred.shape();
        let &[_, rows, columns] = shape else {
            return Err(Error::argument(
                "the preferred latent",
                "[C, h, w]",
                shown(first.preferred),
            ));
        };
        let arrays =
            |of: &dyn for<'b> Fn(&PairInput<'b>) -> &'b Array| pairs.iter().map(of).collect::<Vec<_>>();
        let latent = |what, of: &dyn for<'b> Fn(&PairInput<'b>) -> &'b Array| {
            stacked(what, &arrays(of), shape, device)
        };
        let times: Vec<f64> = pairs.iter().map(|pair| pair.time).collect();
        Ok(Self {
            latents: [
                latent("the preferred latent", &|pair| pair.preferred)?,
                latent("the rejected latent", &|pair| pair.rejected)?,
            ],
            mask: stacked("the mask", &arrays(&|pair| pair.mask), &[rows, columns], device)?.unsqueeze(1),
            noise: latent("the noise", &|pair| pair.noise)?,
            times: Tensor::from_slice(&times).to_kind(Kind::Float).to_device(device),
        })
    }
}

/// Arrays of these sizes as one tensor, on the device.
pub(super) fn stacked(
    what: &'static str,
    arrays: &[&Array],
    shape: &[usize],
    device: Device,
) -> Result<Tensor> {
    if arrays.is_empty() {
        return Err(Error::argument(what, "at least 1", 0));
    }
    if let Some(other) = arrays.iter().find(|array| array.shape() != shape) {
        return Err(Error::argument(what, format!("{shape:?}"), shown(other)));
    }
    let tensors: Vec<Tensor> = arrays.iter().map(|array| array.tensor()).collect();
    Ok(Tensor::stack(&tensors, 0).to_device(device))
}

fn shown(array: &Array) -> String {
    format!("{:?}", array.shape())
}
