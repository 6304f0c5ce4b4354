//! From an image to the patches that Qwen2-VL's image tower reads.

use candle_core::{Result as CandleResult, Tensor};

use crate::scorers::placement::Placement;
use crate::scorers::preprocess::{CLIP_MEAN, CLIP_STD, Planes, Window, resize_bicubic};
use crate::{Error, Result, RgbView};

/// How many pixels an image is brought to, as near as whole patches allow: 256 squares of 28 x 28.
const N_PIXELS: f64 = 256.0 * 28.0 * 28.0;
/// Longer images are refused, by the reference too.
const MOST_LONG: f64 = 200.0;

/// How the tower cuts images.
#[derive(Clone, Copy, Debug)]
pub(super) struct PatchShape {
    /// The side of a patch, in pixels.
    pub(super) patch_px: usize,
    /// So many patches along each axis become one vector.
    pub(super) n_merged: usize,
}

/// A resized and normalised image.
pub(super) struct Picture {
    values: Vec<f32>,
    /// Patches from top to bottom.
    pub(super) n_rows: usize,
    /// Patches from left to right.
    pub(super) n_columns: usize,
    shape: PatchShape,
}

impl Picture {
    /// Resizes an image as Pillow does and normalises it with CLIP's mean and deviation.
    ///
    /// # Errors
    /// [`Error::EmptyImage`]; [`Error::TooLong`] for an image more than 200 times as long as wide.
    ///
    /// # Source
    /// `hpsv3` 1.0.0 `dataset/utils.py` `fetch_image`; `transformers` 4.45.2 `Qwen2VLImageProcessor`, whose own
    /// resizing finds nothing left to do.
    pub(super) fn new(image: RgbView<'_>, shape: PatchShape) -> Result<Self> {
        let factor = (shape.patch_px * shape.n_merged) as u32;
        let (width, height) = resized_size(image.width(), image.height(), factor)?;
        let window = Window {
            resized_width: width,
            resized_height: height,
            x: 0,
            y: 0,
            width,
            height,
        };
        let planes = Planes::unit(width, height, &resize_bicubic(image, window));
        Ok(Self {
            values: planes.normalised(CLIP_MEAN, CLIP_STD),
            n_rows: height as usize / shape.patch_px,
            n_columns: width as usize / shape.patch_px,
            shape,
        })
    }

    /// The patches, those that are merged one after the other.
    ///
    /// # Shapes
    /// `(rows * columns) x (3 * patch^2)`.
    pub(super) fn patches(&self, placement: &Placement) -> CandleResult<Tensor> {
        let PatchShape { patch_px, n_merged } = self.shape;
        let (rows, columns) = (self.n_rows / n_merged, self.n_columns / n_merged);
        let size = (3, self.n_rows * patch_px, self.n_columns * patch_px);
        placement
            .tensor(self.values.clone(), size)?
            .reshape(&[3, rows, n_merged, patch_px, columns, n_merged, patch_px][..])?
            .permute([1, 4, 2, 5, 0, 3, 6])?
            .reshape((self.n_rows * self.n_columns, 3 * patch_px * patch_px))
    }

    /// Row and column of each patch, in the order of [`Self::patches`].
    pub(super) fn places(&self) -> Vec<(usize, usize)> {
        let n = self.shape.n_merged;
        let squares = (0..self.n_rows / n).flat_map(|y| (0..self.n_columns / n).map(move |x| (y, x)));
        squares
            .flat_map(|(y, x)| (0..n * n).map(move |idx| (y * n + idx / n, x * n + idx % n)))
            .collect()
    }
}

/// Width and height in multiples of `factor` whose product is about [`N_PIXELS`].
///
/// # Source
/// `hpsv3` 1.0.0 `dataset/utils.py` `smart_resize` with equal lower and upper bounds. Halves go to even.
fn resized_size(width: u32, height: u32, factor: u32) -> Result<(u32, u32)> {
    if width == 0 || height == 0 {
        return Err(Error::EmptyImage { width, height });
    }
    let sides = [f64::from(width), f64::from(height)];
    let [long, short] = [sides[0].max(sides[1]), sides[0].min(sides[1])];
    if long / short > MOST_LONG {
        return Err(Error::TooLong {
            width,
            height,
            most: MOST_LONG as u32,
        });
    }
    let factor = f64::from(factor);
    let whole = sides.map(|side| ((side / factor).round_ties_even() * factor).max(factor));
    let n_whole = whole[0] * whole[1];
    let n_pixels = sides[0] * sides[1];
    let [width, height] = if n_whole > N_PIXELS {
        let shrink = (n_pixels / N_PIXELS).sqrt();
        sides.map(|side| (side / shrink / factor).floor() * factor)
    } else if n_whole < N_PIXELS {
        let grow = (N_PIXELS / n_pixels).sqrt();
        sides.map(|side| (side * grow / factor).ceil() * factor)
    } else {
        whole
    };
    Ok((width as u32, height as u32))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Golden {
        sizes: Vec<(u32, u32, u32, u32)>,
    }

    #[test]
    fn sizes_equal_those_of_the_reference() {
        let text = include_str!("../../../tests/golden/scorers_blip/hpsv3_reward.json");
        let golden: Golden = serde_json::from_str(text).unwrap();
        assert!(golden.sizes.len() >= 10);
        for (width, height, expected_width, expected_height) in golden.sizes {
            let got = resized_size(width, height, 28).unwrap();
            assert_eq!(got, (expected_width, expected_height), "{width}x{height}");
        }
    }

    #[test]
    fn a_square_has_sixteen_by_sixteen_merged_patches() {
        assert_eq!(resized_size(1024, 1024, 28).unwrap(), (448, 448));
    }

    #[test]
    fn strips_and_nothing_are_refused() {
        assert_eq!(
            resized_size(2010, 10, 28).unwrap_err().to_string(),
            "image to score: expected at most 200 times as long as wide, got 2010x10"
        );
        assert!(matches!(resized_size(0, 10, 28), Err(Error::EmptyImage { .. })));
    }

    #[test]
    fn patches_that_are_merged_come_one_after_the_other() {
        let picture = Picture {
            values: Vec::new(),
            n_rows: 4,
            n_columns: 4,
            shape: PatchShape {
                patch_px: 14,
                n_merged: 2,
            },
        };
        let places = picture.places();
        assert_eq!(places[..5], [(0, 0), (0, 1), (1, 0), (1, 1), (0, 2)]);
        assert_eq!((places.len(), places[15]), (16, (3, 3)));
    }
}
