//! From features to distances: unit normalisation, squared differences, learned weights.

use rayon::prelude::*;

use super::plane::{LANES, Lane, Plane};
use super::span::Span;
use super::trunk::N_TAPS;
use crate::Result;
use crate::weights::Weights;

/// Added to the length of a feature vector.
const EPSILON: f32 = 1e-10;

/// The weights of the channels of each tap.
#[derive(Debug)]
pub(crate) struct Heads {
    channels: [Vec<Lane>; N_TAPS],
}

/// Distances at one tap: 0 outside of the box.
#[derive(Clone, Debug)]
pub(crate) struct TapMap {
    /// Rows and columns of the whole tap.
    pub(crate) size: (usize, usize),
    pub(crate) span: Span,
    /// Of the box, row by row.
    pub(crate) values: Vec<f32>,
}

impl Heads {
    /// Takes the tensors `lin0` to `lin4`.
    ///
    /// # Errors
    /// [`crate::Error::Weights`] where one is missing, has another shape or a negative number: all that were
    /// published are not negative, and a distance could not be otherwise.
    pub(crate) fn new(channels: [usize; N_TAPS], weights: &Weights) -> Result<Self> {
        let mut heads: [Vec<Lane>; N_TAPS] = Default::default();
        for (tap, (head, n_channels)) in heads.iter_mut().zip(channels).enumerate() {
            let name = format!("lin{tap}.model.1.weight");
            let floats = weights.floats(&name, &[1, n_channels, 1, 1])?;
            if let Some(negative) = floats.iter().find(|weight| **weight < 0.0) {
                return Err(weights.numbers(&name, "no negative numbers", negative.to_string()));
            }
            *head = floats.as_chunks::<LANES>().0.to_vec();
        }
        Ok(Self { channels: heads })
    }

    /// The distance at each pixel of a box of a tap.
    ///
    /// # Source
    /// `LPIPS.forward` and `normalize_tensor` of the reference: `x / (|x| + 1e-10)`, difference squared, weighted
    /// sum over channels.
    pub(crate) fn compare(&self, tap: usize, first: &Plane, other: &Plane, span: &Span) -> TapMap {
        let width = span.columns.len();
        let mut values = vec![0.0; span.rows.len() * width];
        if !values.is_empty() {
            let rows = values.par_chunks_mut(width).zip(span.rows.clone());
            rows.for_each(|(out, row)| {
                for (out, column) in out.iter_mut().zip(span.columns.clone()) {
                    *out = distance(&self.channels[tap], first, other, (row, column));
                }
            });
        }
        TapMap {
            size: first.size,
            span: span.clone(),
            values,
        }
    }
}

/// The distance of two feature vectors.
fn distance(weights: &[Lane], first: &Plane, other: &Plane, (row, column): (usize, usize)) -> f32 {
    let lengths = [first, other].map(|plane| {
        let mut squares = [0.0; LANES];
        for block in 0..plane.n_blocks {
            for (sum, value) in squares.iter_mut().zip(plane.lane(block, row, column)) {
                *sum += value * value;
            }
        }
        total(squares).sqrt() + EPSILON
    });
    let mut sums = [0.0; LANES];
    for (block, weights) in weights.iter().enumerate() {
        let (a, b) = (first.lane(block, row, column), other.lane(block, row, column));
        for lane in 0..LANES {
            let difference = a[lane] / lengths[0] - b[lane] / lengths[1];
            sums[lane] += weights[lane] * (difference * difference);
        }
    }
    total(sums)
}

/// The sum, by halves.
fn total(mut lanes: Lane) -> f32 {
    let mut half = LANES / 2;
    while half > 0 {
        for lane in 0..half {
            lanes[lane] += lanes[lane + half];
        }
        half /= 2;
    }
    lanes[0]
}

impl TapMap {
    /// The mean over the whole tap.
    pub(crate) fn mean(&self) -> f64 {
        let sum: f64 = self.values.iter().map(|&value| f64::from(value)).sum();
        sum / (self.size.0 * self.size.1) as f64
    }

    /// Adds this map, enlarged to rows of `width` values, to `map`.
    ///
    /// # Source
    /// `torch.nn.Upsample(mode="bilinear", align_corners=False)`: the middle of output pixel `i` of `n` lies at
    /// `(i + 0.5) * size / n - 0.5` of the input, not before its first pixel.
    pub(crate) fn add_enlarged(&self, map: &mut [f32], (height, width): (usize, usize)) {
        if self.values.is_empty() {
            return;
        }
        let columns: Vec<Blend> = (0..width).map(|x| Blend::at(x, width, self.size.1)).collect();
        map.par_chunks_mut(width).enumerate().for_each(|(y, row)| {
            let rows = Blend::at(y, height, self.size.0);
            for (out, columns) in row.iter_mut().zip(&columns) {
                let line = |row| {
                    columns.share_of_first * self.at(row, columns.first)
                        + columns.share_of_second * self.at(row, columns.second)
                };
                *out += rows.share_of_first * line(rows.first) + rows.share_of_second * line(rows.second);
            }
        });
    }

    fn at(&self, row: usize, column: usize) -> f32 {
        if !self.span.rows.contains(&row) || !self.span.columns.contains(&column) {
            return 0.0;
        }
        let row = row - self.span.rows.start;
        self.values[row * self.span.columns.len() + column - self.span.columns.start]
    }
}

/// The two inputs between which an output of an enlargement lies.
struct Blend {
    first: usize,
    second: usize,
    share_of_first: f32,
    share_of_second: f32,
}

impl Blend {
    fn at(output: usize, n_outputs: usize, n_inputs: usize) -> Self {
        let place = ((output as f32 + 0.5) * (n_inputs as f32 / n_outputs as f32) - 0.5).max(0.0);
        let first = (place as usize).min(n_inputs - 1);
        let share = place - first as f32;
        Self {
            first,
            second: (first + 1).min(n_inputs - 1),
            share_of_first: 1.0 - share,
            share_of_second: share,
        }
    }
}
