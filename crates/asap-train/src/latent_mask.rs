//! The mask of a pair on the latent grid.
//!
//! The grid is that of the latent, a cell for 8 x 8 pixels. FLUX packs 2 x 2 cells into a token, but its error is
//! taken per cell, so the mask stays on this grid for both networks.

use asap_core::Mask;

use crate::config::{MaskGrid, Objective};
use crate::objective::MaskMeans;

/// A mask on the latent grid, 0 to 1, row by row.
#[derive(Clone, Debug, PartialEq)]
pub struct LatentMask {
    width: usize,
    height: usize,
    values: Vec<f32>,
}

/// A grid that a mask cannot be brought to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a mask of {mask_width} x {mask_height} px has no {width} x {height} grid: expected 1 to as many cells as pixels"
)]
pub struct GridError {
    /// Columns of the mask.
    pub mask_width: u32,
    /// Rows of the mask.
    pub mask_height: u32,
    /// Columns of the grid.
    pub width: usize,
    /// Rows of the grid.
    pub height: usize,
}

impl LatentMask {
    /// Brings a mask to a grid of `width` x `height` cells, as the settings say.
    ///
    /// # Shapes
    /// The result has `height * width` values, row by row: `[H, W]` of the latent.
    /// # Errors
    /// [`GridError`] for a grid without cells or with more cells than pixels.
    /// # Source
    /// `torch.nn.functional.interpolate` with `mode="area"` and `mode="nearest"`, `adaptive_max_pool2d`; the paper
    /// does not say how its mask comes to the grid.
    pub fn of(mask: &Mask, width: usize, height: usize, objective: &Objective) -> Result<Self, GridError> {
        let (mask_width, mask_height) = (mask.width(), mask.height());
        if width == 0 || height == 0 || width > mask_width as usize || height > mask_height as usize {
            return Err(GridError {
                mask_width,
                mask_height,
                width,
                height,
            });
        }
        let mut values = Vec::with_capacity(width * height);
        for row in 0..height {
            let rows = Span::of(row, height, mask_height as usize);
            for column in 0..width {
                let columns = Span::of(column, width, mask_width as usize);
                values.push(cell(mask, rows, columns, objective.mask_grid));
            }
        }
        let plain = Self {
            width,
            height,
            values,
        };
        Ok(plain.dilated(objective.mask_dilate_cells as usize))
    }

    /// Columns.
    pub const fn width(&self) -> usize {
        self.width
    }

    /// Rows.
    pub const fn height(&self) -> usize {
        self.height
    }

    /// Values, row by row.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// The means of M and of M^2.
    pub fn means(&self) -> MaskMeans {
        let n = self.values.len() as f64;
        let mean = |power: i32| self.values.iter().map(|&m| f64::from(m).powi(power)).sum::<f64>() / n;
        MaskMeans {
            m1: mean(1),
            m2: mean(2),
        }
    }

    /// Each cell gets the largest value of the square of 2 `cells` + 1 cells around it.
    fn dilated(self, cells: usize) -> Self {
        if cells == 0 {
            return self;
        }
        let along_rows = largest(&self.values, self.width, cells);
        let turned = transposed(&along_rows, self.width);
        let along_columns = largest(&turned, self.height, cells);
        Self {
            values: transposed(&along_columns, self.height),
            ..self
        }
    }
}

/// Pixels of a cell along one side.
#[derive(Clone, Copy)]
struct Span {
    start: usize,
    end: usize,
}

impl Span {
    /// The pixels that the cell touches: where the sides do not divide, cells share pixels, as torch's do.
    fn of(cell: usize, n_cells: usize, n_px: usize) -> Self {
        Self {
            start: cell * n_px / n_cells,
            end: ((cell + 1) * n_px).div_ceil(n_cells),
        }
    }
}

fn cell(mask: &Mask, rows: Span, columns: Span, grid: MaskGrid) -> f32 {
    if grid == MaskGrid::Nearest {
        return f32::from(u8::from(mask.get(columns.start as u32, rows.start as u32)));
    }
    let width = mask.width() as usize;
    let n_marked: usize = (rows.start..rows.end)
        .map(|y| &mask.bits()[y * width + columns.start..y * width + columns.end])
        .map(|row| row.iter().filter(|&&bit| bit).count())
        .sum();
    let n = (rows.end - rows.start) * (columns.end - columns.start);
    match grid {
        MaskGrid::Max => f32::from(u8::from(n_marked > 0)),
        MaskGrid::Area | MaskGrid::Nearest => n_marked as f32 / n as f32,
    }
}

/// The largest of the values within `reach` in the same line.
fn largest(values: &[f32], width: usize, reach: usize) -> Vec<f32> {
    let line = |line: &[f32]| -> Vec<f32> {
        let around = |at: usize| &line[at.saturating_sub(reach)..(at + reach + 1).min(line.len())];
        (0..line.len())
            .map(|at| around(at).iter().copied().fold(0.0, f32::max))
            .collect()
    };
    values.chunks_exact(width).flat_map(line).collect()
}

fn transposed(values: &[f32], width: usize) -> Vec<f32> {
    let height = values.len() / width;
    (0..width)
        .flat_map(|x| (0..height).map(move |y| values[y * width + x]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Layer, Settings};

    fn on_grid(mask: &Mask, cells: (usize, usize), flags: &[(&str, &str)]) -> LatentMask {
        let mut layers = vec![Layer::preset("flux-asap").unwrap()];
        layers.extend(flags.iter().map(|(key, value)| Layer::flag(key, value).unwrap()));
        let settings = Settings::resolve(&layers).unwrap();
        LatentMask::of(mask, cells.0, cells.1, &settings.objective).unwrap()
    }

    fn pattern(width: u32, height: u32) -> Mask {
        Mask::from_fn(width, height, |x, y| {
            (x * 7 + y * 11) % 13 < 5 && x + 2 * y < width
        })
    }

    #[test]
    fn grids_equal_those_of_torch() {
        // torch 2.11 on the same pattern: interpolate(size=(2, 3), mode="area" and "nearest"), and
        // adaptive_max_pool2d. The sides of the second mask do not divide.
        let cases = [
            (
                (24, 16),
                [0.390625, 0.296875, 0.125, 0.125, 0.0, 0.0],
                [1.0, 1.0, 0.0, 0.0, 0.0, 0.0],
                [1.0, 1.0, 1.0, 1.0, 0.0, 0.0],
            ),
            (
                (22, 18),
                [0.361_111_1, 0.25, 0.125, 0.041_666_668, 0.0, 0.0],
                [1.0, 0.0, 0.0, 0.0, 0.0, 0.0],
                [1.0, 1.0, 1.0, 1.0, 0.0, 0.0],
            ),
        ];
        for ((width, height), area, nearest, max) in cases {
            let mask = pattern(width, height);
            for (word, expected) in [("area", area), ("nearest", nearest), ("max", max)] {
                let got = on_grid(&mask, (3, 2), &[("objective.mask_grid", word)]);
                assert_eq!(got.values(), expected, "{word}");
                assert_eq!((got.width(), got.height()), (3, 2));
            }
        }
    }

    #[test]
    fn a_dot_grows_to_a_square() {
        let mut mask = Mask::new(56, 40);
        for (x, y) in [(24, 16), (31, 23)] {
            mask.set(x, y, true);
        }
        let grown = on_grid(&mask, (7, 5), &[("objective.mask_dilate_cells", "1")]);
        let share = 2.0 / 64.0;
        let expected: Vec<f32> = (0..5)
            .flat_map(|y: i32| (0..7).map(move |x: i32| (x, y)))
            .map(|(x, y)| {
                if (x - 3).abs() <= 1 && (y - 2).abs() <= 1 {
                    share
                } else {
                    0.0
                }
            })
            .collect();
        assert_eq!(grown.values(), expected);
        let means = grown.means();
        assert!((means.m1 - 9.0 / 35.0 / 32.0).abs() < 1e-12);
        assert!((means.m2 - 9.0 / 35.0 / 1024.0).abs() < 1e-12);
    }

    #[test]
    fn a_grid_finer_than_the_mask_is_refused() {
        let settings = Settings::resolve(&[Layer::preset("flux-asap").unwrap()]).unwrap();
        let error = LatentMask::of(&Mask::new(8, 8), 9, 1, &settings.objective).unwrap_err();
        assert_eq!(
            error.to_string(),
            "a mask of 8 x 8 px has no 9 x 1 grid: expected 1 to as many cells as pixels"
        );
        assert!(LatentMask::of(&Mask::new(8, 8), 0, 1, &settings.objective).is_err());
    }
}
