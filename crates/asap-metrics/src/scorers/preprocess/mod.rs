//! From an image to what a vision tower reads, exactly as each reference does it.
//!
//! The differences look small and are not: a resize on floats instead of bytes moves PickScore by about 0.1,
//! which is more than the models of the paper's Table 1 differ by.

mod pillow;
mod planes;
mod taps;
mod window;

use candle_core::Tensor;
use rayon::prelude::*;

pub(crate) use pillow::resize_bicubic;
pub use planes::Antialias;
pub(crate) use planes::Planes;
pub(crate) use window::{Centering, Window};

use crate::scorers::placement::Placement;
use crate::{Error, Result, RgbView};

/// Mean of the channels that OpenAI's CLIP was trained with.
pub(crate) const CLIP_MEAN: [f32; 3] = [0.481_454_66, 0.457_827_5, 0.408_210_73];
/// Deviation of the channels that OpenAI's CLIP was trained with.
pub(crate) const CLIP_STD: [f32; 3] = [0.268_629_54, 0.261_302_6, 0.275_777_1];

/// How an image becomes a square of normalised floats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preparation {
    /// `CLIPImageProcessor` of `transformers`: Pillow bicubic of the shortest side, centre crop by floor.
    Processor,
    /// `clip.load` of OpenAI, and what ImageReward took over: Pillow bicubic of the shortest side, torchvision's
    /// centre crop.
    Torchvision,
    /// HPSv2's `ResizeMaxSize`: floats first, then bicubic of the longest side, black borders.
    Letterbox(Antialias),
}

impl Preparation {
    /// Prepares one image.
    ///
    /// # Shapes
    /// In any size; out `3 x side x side`, red plane first.
    ///
    /// # Units
    /// CLIP's normalised values: `(v / 255 - mean) / deviation`.
    ///
    /// # Errors
    /// [`Error::EmptyImage`].
    ///
    /// # Source
    /// `transformers` 4.57 `models/clip/image_processing_clip.py`; openai/CLIP `clip/clip.py` `_transform`;
    /// `hpsv2` 1.2.0 `src/open_clip/transform.py`.
    ///
    /// # Deviation
    /// HPSv2 leaves an image whose longest side is `side` already without borders and then fails unless it is
    /// square; here it gets its borders.
    pub fn apply(self, image: RgbView<'_>, side: u32) -> Result<Vec<f32>> {
        let size = (image.width(), image.height());
        if size.0 == 0 || size.1 == 0 {
            return Err(Error::EmptyImage {
                width: size.0,
                height: size.1,
            });
        }
        let planes = match self {
            Self::Processor => center_crop(image, side, Centering::Floor),
            Self::Torchvision => center_crop(image, side, Centering::HalfToEven),
            Self::Letterbox(antialias) => letterbox(image, side, antialias),
        };
        Ok(planes.normalised(CLIP_MEAN, CLIP_STD))
    }

    /// Prepares a batch: `n x 3 x side x side` where the network is.
    pub(crate) fn batch(self, images: &[RgbView<'_>], side: u32, placement: &Placement) -> Result<Tensor> {
        let prepared: Vec<Result<Vec<f32>>> =
            images.par_iter().map(|image| self.apply(*image, side)).collect();
        let values: Vec<f32> = prepared.into_iter().collect::<Result<Vec<_>>>()?.concat();
        let side = side as usize;
        Ok(placement.tensor(values, (images.len(), 3, side, side))?)
    }
}

fn center_crop(image: RgbView<'_>, side: u32, centering: Centering) -> Planes {
    let window = Window::center_crop((image.width(), image.height()), side, centering);
    Planes::unit(side, side, &pillow::resize_bicubic(image, window))
}

fn letterbox(image: RgbView<'_>, side: u32, antialias: Antialias) -> Planes {
    let (width, height) = window::letterboxed_size((image.width(), image.height()), side);
    let planes = Planes::of(image);
    if (width, height) == (image.width(), image.height()) {
        return planes.padded(side);
    }
    planes.resized(width, height, antialias).padded(side)
}
