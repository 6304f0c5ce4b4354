//! Float images as torch has them: three planes of values, resized without rounding to bytes.

use super::taps::Taps;
use crate::RgbView;

/// Three planes, red first, row by row.
pub(crate) struct Planes {
    width: usize,
    height: usize,
    values: Vec<f32>,
}

/// Whether torch's bicubic resize looks at all pixels when it shrinks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Antialias {
    /// Four neighbours, a = -0.75: what torchvision before 0.17 does with tensors.
    Off,
    /// All of them, a = -0.5: what torchvision since 0.17 does with tensors.
    On,
}

impl Planes {
    /// `ToTensor`: bytes divided by 255.
    pub(crate) fn unit(width: u32, height: u32, rgb: &[u8]) -> Self {
        let channel = |c: usize| rgb.iter().skip(c).step_by(3).map(|byte| f32::from(*byte) / 255.0);
        Self {
            width: width as usize,
            height: height as usize,
            values: (0..3).flat_map(channel).collect(),
        }
    }

    /// [`Self::unit`] of a whole image.
    pub(crate) fn of(image: RgbView<'_>) -> Self {
        Self::unit(image.width(), image.height(), image.data())
    }

    /// Bicubic resize; values may leave 0..1, as they do in torch.
    ///
    /// # Source
    /// `torch.nn.functional.interpolate(mode="bicubic", align_corners=False)`: columns first, then rows.
    pub(crate) fn resized(&self, width: u32, height: u32, antialias: Antialias) -> Self {
        let taps = |n_in: usize, n_out: u32| match antialias {
            Antialias::Off => Taps::four_neighbours(n_in as u32, n_out),
            Antialias::On => Taps::antialiased(n_in as u32, n_out),
        };
        let columns = taps(self.width, width);
        let narrow: Vec<f32> = self
            .values
            .chunks_exact(self.width)
            .flat_map(|row| columns.rows().map(|(first, weights)| dot(&row[first..], weights)))
            .collect();
        let rows = taps(self.height, height);
        let width = width as usize;
        let values = narrow
            .chunks_exact(width * self.height)
            .flat_map(|plane| {
                rows.rows()
                    .flat_map(move |(first, weights)| combine(plane, width, first, weights))
            })
            .collect();
        Self {
            width,
            height: height as usize,
            values,
        }
    }

    /// The image in the middle of a black square; an odd pixel more goes to the right and to the bottom.
    pub(crate) fn padded(&self, side: u32) -> Self {
        let side = side as usize;
        let (left, top) = ((side - self.width) / 2, (side - self.height) / 2);
        let mut values = vec![0.0; 3 * side * side];
        for (plane, out) in self
            .values
            .chunks_exact(self.width * self.height)
            .zip(values.chunks_exact_mut(side * side))
        {
            for (row, out) in plane
                .chunks_exact(self.width)
                .zip(out.chunks_exact_mut(side).skip(top))
            {
                out[left..left + self.width].copy_from_slice(row);
            }
        }
        Self {
            width: side,
            height: side,
            values,
        }
    }

    /// The values less the mean over the deviation, each channel by its own.
    pub(crate) fn normalised(mut self, mean: [f32; 3], deviation: [f32; 3]) -> Vec<f32> {
        let n_pixels = self.width * self.height;
        let channels = self
            .values
            .chunks_exact_mut(n_pixels)
            .zip(mean.iter().zip(deviation));
        for (plane, (mean, deviation)) in channels {
            for value in plane {
                *value = (*value - mean) / deviation;
            }
        }
        self.values
    }
}

fn dot(values: &[f32], weights: &[f64]) -> f32 {
    values
        .iter()
        .zip(weights)
        .map(|(value, weight)| value * *weight as f32)
        .sum()
}

/// A weighted sum of rows.
fn combine(plane: &[f32], width: usize, first: usize, weights: &[f64]) -> Vec<f32> {
    let mut out = vec![0.0; width];
    for (row, weight) in plane[first * width..].chunks_exact(width).zip(weights) {
        for (sum, value) in out.iter_mut().zip(row) {
            *sum += value * *weight as f32;
        }
    }
    out
}
