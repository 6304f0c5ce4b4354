//! The autoencoder on pixels.

use std::path::Path;

use tch::{Device, Kind, Tensor};

use crate::device::{Place, Precision};
use crate::guard::guard;
use crate::vae::VaeConfig;
use crate::vae::model::AutoencoderKl;
use crate::vae::tiles::Tiling;
use crate::{Array, Error, Result};

/// The distribution of an image's latents, normalised as the diffusion model sees them: `[C, h, w]` each.
#[derive(Clone, Debug, PartialEq)]
pub struct Latents {
    /// Its means: what an encoder without noise gives.
    pub mean: Array,
    /// Its standard deviations.
    pub std: Array,
}

impl Latents {
    /// A draw: `mean + std * noise`.
    ///
    /// # Shapes
    /// `noise` `[C, h, w]`, standard normal.
    /// # Errors
    /// [`Error::Argument`] where the noise is of another size.
    pub fn sample(&self, noise: &Array) -> Result<Array> {
        if noise.shape() != self.mean.shape() {
            let (expected, got) = (self.mean.shape(), noise.shape());
            return Err(Error::argument(
                "the noise",
                format!("{expected:?}"),
                format!("{got:?}"),
            ));
        }
        let spread = self.std.values().iter().zip(noise.values());
        let values = self
            .mean
            .values()
            .iter()
            .zip(spread)
            .map(|(mean, (std, noise))| mean + std * noise);
        Array::new(self.mean.shape(), values.collect())
    }
}

/// An autoencoder that takes and gives 8-bit pixels.
pub struct Vae {
    network: AutoencoderKl,
    place: Place,
    precision: Precision,
    /// Whether large images are computed in tiles.
    pub tiling: Tiling,
}

impl Vae {
    /// Loads the folder `vae` of a model of diffusers, with tiling off.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::File`] and [`Error::Weights`] for what is not there or does not fit;
    /// [`Error::Argument`] where there is no such device.
    pub fn open(base: &Path, place: Place, precision: Precision) -> Result<Self> {
        let folder = base.join("vae");
        let config = VaeConfig::read(&folder.join("config.json"))?;
        Self::open_weights(&folder, &config, place, precision)
    }

    /// Loads the weights of a folder or of an original single file: FLUX's `ae.safetensors`, or a file that holds
    /// all of SDXL.
    ///
    /// # Errors
    /// Those of [`Self::open`].
    pub fn open_weights(path: &Path, config: &VaeConfig, place: Place, precision: Precision) -> Result<Self> {
        place.checked()?;
        let network = guard("the weights of the autoencoder", || {
            AutoencoderKl::load(path, config, place, precision)
        })??;
        Ok(Self {
            network,
            place,
            precision,
            tiling: Tiling::Off,
        })
    }

    /// Its sizes and constants.
    pub fn config(&self) -> &VaeConfig {
        &self.network.config
    }

    /// The latents of a picture.
    ///
    /// # Shapes
    /// `rgb`: `width * height * 3` bytes, both sides multiples of [`VaeConfig::factor`]; the result is
    /// `[C, height / factor, width / factor]`.
    /// # Units
    /// Normalised: `(z - shift) * scale`, and the deviations times the scale.
    /// # Errors
    /// [`Error::Argument`] for other sizes, [`Error::OutOfMemory`], [`Error::Torch`].
    /// # Source
    /// `AutoencoderKL.encode` of diffusers; the logarithm of the variance is kept in -30..20, as it is there.
    pub fn encode(&self, rgb: &[u8], width: usize, height: usize) -> Result<Latents> {
        let factor = self.config().factor();
        if rgb.len() != width * height * 3 {
            return Err(Error::argument(
                "the bytes of a picture",
                width * height * 3,
                rgb.len(),
            ));
        }
        if width == 0 || height == 0 || !width.is_multiple_of(factor) || !height.is_multiple_of(factor) {
            return Err(Error::argument(
                "the size of a picture",
                format!("multiples of {factor}"),
                format!("{width}x{height}"),
            ));
        }
        let posterior = guard("the latents of a picture", || {
            let image = self.image(rgb, width, height);
            self.network.encode(&image, self.tiling)
        })??;
        guard("the scale of latents", || Latents {
            mean: Array::of(&self.network.normalised(&posterior.mean).squeeze_dim(0)),
            std: Array::of(&(&posterior.std * self.config().scaling_factor).squeeze_dim(0)),
        })
    }

    /// The picture of latents, with its width and height.
    ///
    /// # Shapes
    /// `latents` `[C, h, w]`, normalised; the result has `h * factor * w * factor * 3` bytes.
    /// # Errors
    /// [`Error::Argument`] for other sizes, [`Error::OutOfMemory`], [`Error::Torch`].
    pub fn decode(&self, latents: &Array) -> Result<(Vec<u8>, usize, usize)> {
        let (n_channels, factor) = (self.config().latent_channels, self.config().factor());
        let (rows, columns) = match *latents.shape() {
            [n, rows, columns] if n as i64 == n_channels && rows > 0 && columns > 0 => (rows, columns),
            _ => {
                let got = format!("{:?}", latents.shape());
                return Err(Error::argument("latents", format!("[{n_channels}, h, w]"), got));
            }
        };
        let image = guard("the picture of latents", || {
            let latents = self.network.denormalised(&latents.tensor().unsqueeze(0));
            let latents = latents
                .to_device(self.place.device())
                .to_kind(self.precision.kind());
            self.network.decode(&latents, self.tiling)
        })??;
        let rgb = guard("the pixels of a picture", || pixels(&image))?;
        Ok((rgb, columns * factor, rows * factor))
    }

    /// Bytes as `[1, 3, H, W]` in -1..1.
    fn image(&self, rgb: &[u8], width: usize, height: usize) -> Tensor {
        let bytes = Tensor::from_slice(rgb).reshape([1, height as i64, width as i64, 3]);
        let unit = bytes.to_kind(Kind::Float).permute([0, 3, 1, 2]) / 255.0;
        (unit * 2.0 - 1.0)
            .contiguous()
            .to_device(self.place.device())
            .to_kind(self.precision.kind())
    }
}

/// `[1, 3, H, W]` in -1..1 as bytes, rounded.
fn pixels(image: &Tensor) -> Vec<u8> {
    let unit = (image.to_kind(Kind::Float) / 2.0 + 0.5).clamp(0.0, 1.0);
    let bytes = (unit * 255.0).round().to_kind(Kind::Uint8);
    let bytes = bytes.permute([0, 2, 3, 1]).contiguous().to_device(Device::Cpu);
    let mut rgb = vec![0; bytes.numel()];
    bytes.copy_data(&mut rgb, bytes.numel());
    rgb
}
