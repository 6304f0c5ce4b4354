//! How two latents differ inside and outside of a mask on their grid.

use asap_diffusion::Array;
use serde::Serialize;

use super::pixels::ratio;
use crate::latent_mask::LatentMask;

/// A mask on the latent grid.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct GridFacts {
    /// Columns of the grid.
    pub columns: usize,
    /// Rows of the grid.
    pub rows: usize,
    /// Sum of the mask, in cells.
    pub cells: f64,
    /// Share of cells that the mask touches, 0 to 1.
    pub share: f64,
}

impl GridFacts {
    /// Counts the cells of a mask.
    pub fn of(mask: &LatentMask) -> Self {
        let values = mask.values();
        Self {
            columns: mask.width(),
            rows: mask.height(),
            cells: values.iter().copied().map(f64::from).sum(),
            share: values.iter().filter(|&&m| m > 0.0).count() as f64 / values.len().max(1) as f64,
        }
    }
}

/// Two latents against the mask of their pair.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct LatentFacts {
    /// Mean absolute difference over cells that the mask touches; `None` where it touches none.
    pub inside: Option<f64>,
    /// Over the other cells; `None` where it touches all.
    pub outside: Option<f64>,
}

impl LatentFacts {
    /// Compares two latents `[C, h, w]` inside and outside of a mask of `h * w` values.
    ///
    /// A cell that the mask touches at all counts as inside: there the images may differ.
    pub fn of(preferred: &Array, rejected: &Array, mask: &[f32]) -> Self {
        let mut sums = [(0usize, 0f64); 2];
        let n_cells = mask.len().max(1);
        let channels = preferred
            .values()
            .chunks_exact(n_cells)
            .zip(rejected.values().chunks_exact(n_cells));
        for (a, b) in channels {
            for ((a, b), &m) in a.iter().zip(b).zip(mask) {
                let (n, total) = &mut sums[usize::from(m > 0.0)];
                *n += 1;
                *total += f64::from((a - b).abs());
            }
        }
        let [outside, inside] = sums.map(|(n, total)| (n > 0).then(|| total / n as f64));
        Self { inside, outside }
    }

    /// How many times what a cell inside differs one outside does, on average.
    pub fn outside_over_inside(&self) -> Option<f64> {
        ratio(self.outside?, self.inside?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_touched_cell_is_inside() {
        let preferred = Array::new(&[2, 1, 3], vec![0.0; 6]).unwrap();
        let rejected = Array::new(&[2, 1, 3], vec![1.0, -3.0, 0.5, 3.0, 1.0, 0.0]).unwrap();
        let facts = LatentFacts::of(&preferred, &rejected, &[1.0, 0.25, 0.0]);
        assert_eq!(facts.inside, Some(2.0));
        assert_eq!(facts.outside, Some(0.25));
        assert_eq!(facts.outside_over_inside(), Some(0.125));
        assert_eq!(LatentFacts::of(&preferred, &rejected, &[1.0; 3]).outside, None);
    }
}
