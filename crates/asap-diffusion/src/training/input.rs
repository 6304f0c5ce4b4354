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
    let Some(first) = images.first() else {
        return Err(Error::argument("the images of a batch", "at least 1", 0));
    };
    let others = images.iter().flat_map(|image| [image.latent, image.noise]);
    if let Some(other) = others
        .into_iter()
        .find(|array| array.shape() != first.latent.shape())
    {
        let expected = format!("{} as the first latent", shown(first.latent));
        return Err(Error::argument(
            "a latent or noise of a batch",
            expected,
            shown(other),
        ));
    }
    let stacked = |of: &dyn Fn(&ImageInput<'_>) -> Tensor| {
        Tensor::stack(&images.iter().map(of).collect::<Vec<_>>(), 0).to_device(device)
    };
    Ok((
        stacked(&|image| image.latent.tensor()),
        stacked(&|image| image.noise.tensor()),
    ))
}

/// The same on the device, in `f32`.
pub(super) struct PairTensors {
    /// Preferred and rejected, each `[1, C, h, w]`.
    pub(super) latents: [Tensor; 2],
    /// `[1, 1, h, w]`.
    pub(super) mask: Tensor,
    /// `[1, C, h, w]`.
    pub(super) noise: Tensor,
    pub(super) time: f64,
}

impl PairInput<'_> {
    /// Checks the sizes and copies to the device.
    pub(super) fn tensors(&self, device: Device) -> Result<PairTensors> {
        let &[_, rows, columns] = self.preferred.shape() else {
            return Err(Error::argument(
                "the preferred latent",
                "[C, h, w]",
                shown(self.preferred),
            ));
        };
        for (what, array) in [("the rejected latent", self.rejected), ("the noise", self.noise)] {
            if array.shape() != self.preferred.shape() {
                let expected = format!("{} as the preferred latent", shown(self.preferred));
                return Err(Error::argument(what, expected, shown(array)));
            }
        }
        if self.mask.shape() != [rows, columns] {
            return Err(Error::argument(
                "the mask",
                format!("[{rows}, {columns}]"),
                shown(self.mask),
            ));
        }
        let on_device = |array: &Array| array.tensor().to_device(device).to_kind(Kind::Float).unsqueeze(0);
        Ok(PairTensors {
            latents: [on_device(self.preferred), on_device(self.rejected)],
            mask: on_device(self.mask).unsqueeze(0),
            noise: on_device(self.noise),
            time: self.time,
        })
    }
}

fn shown(array: &Array) -> String {
    format!("{:?}", array.shape())
}
