//! Large images in overlapping tiles, so that memory grows with a tile and not with the image.

use tch::{Kind, Tensor};

use crate::{Error, Result};

/// Whether large images are computed in tiles.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Tiling {
    /// All at once.
    Off,
    /// In tiles of this side, in pixels, where an image is larger; a quarter of a tile overlaps its neighbour.
    /// diffusers takes [`VaeConfig::sample_size`](crate::vae::VaeConfig::sample_size).
    Side(usize),
}

/// Sides of a tile before and after a network.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tiles {
    pub(super) side_in: i64,
    pub(super) side_out: i64,
}

impl Tiling {
    /// The side of a tile in pixels and in cells of the latent; none where all is computed at once.
    ///
    /// # Errors
    /// [`Error::Argument`] where a quarter of a tile is not a whole number of cells.
    pub(super) fn sides(self, factor: usize) -> Result<Option<(i64, i64)>> {
        let Self::Side(side) = self else {
            return Ok(None);
        };
        if side == 0 || !side.is_multiple_of(4 * factor) {
            return Err(Error::argument(
                "the side of a tile",
                format!("a multiple of {}", 4 * factor),
                side,
            ));
        }
        let whole = |side: usize| i64::try_from(side).unwrap_or(i64::MAX);
        Ok(Some((whole(side), whole(side / factor))))
    }
}

impl Tiles {
    /// Whether an input is larger than a tile.
    pub(super) fn apply_to(self, x: &Tensor) -> bool {
        x.size()[2..].iter().any(|&side| side > self.side_in)
    }

    /// Runs `network` on each tile and blends what overlaps, linearly, first with the tile above, then with the
    /// tile to the left, both as they were after their own blending.
    ///
    /// Source: `tiled_encode` and `tiled_decode` of diffusers' `AutoencoderKL`.
    pub(super) fn run(self, x: &Tensor, network: impl Fn(&Tensor) -> Tensor) -> Tensor {
        let size = x.size();
        let step = self.side_in / 4 * 3;
        let overlap = self.side_out / 4;
        let kept = self.side_out - overlap;
        let starts = |side: i64| (0..side).step_by(usize::try_from(step).unwrap_or(1));
        let mut above: Vec<Tensor> = Vec::new();
        let mut rows = Vec::new();
        for top in starts(size[2]) {
            let mut row: Vec<Tensor> = Vec::new();
            for (at, left) in starts(size[3]).enumerate() {
                let tile = cut(&cut(x, 2, top, self.side_in), 3, left, self.side_in);
                let mut tile = network(&tile);
                if let Some(above) = above.get(at) {
                    tile = blend(above, &tile, 2, overlap);
                }
                if let Some(left) = row.last() {
                    tile = blend(left, &tile, 3, overlap);
                }
                row.push(tile);
            }
            let parts: Vec<Tensor> = row
                .iter()
                .map(|tile| cut(&cut(tile, 2, 0, kept), 3, 0, kept))
                .collect();
            rows.push(Tensor::cat(&parts, 3));
            above = row;
        }
        Tensor::cat(&rows, 2)
    }
}

/// At most `n` from `start`.
fn cut(x: &Tensor, axis: i64, start: i64, n: i64) -> Tensor {
    x.narrow(axis, start, n.min(side(x, axis) - start))
}

/// The beginning of `after` goes over from the end of `before`.
fn blend(before: &Tensor, after: &Tensor, axis: i64, overlap: i64) -> Tensor {
    let n = overlap.min(side(before, axis)).min(side(after, axis));
    let rest = side(after, axis) - n;
    let end = before.narrow(axis, side(before, axis) - n, n);
    let start = after.narrow(axis, 0, n);
    let mut shape = [1, 1, 1, 1];
    shape[usize::try_from(axis).unwrap_or_default()] = n;
    let share = (Tensor::arange(n, (Kind::Float, after.device())) / n as f64).reshape(shape);
    let mixed: Tensor = end * (1.0 - &share) + start * share;
    let mixed = mixed.to_kind(after.kind());
    Tensor::cat(&[mixed, after.narrow(axis, n, rest)], axis)
}

fn side(x: &Tensor, axis: i64) -> i64 {
    x.size()[usize::try_from(axis).unwrap_or_default()]
}
