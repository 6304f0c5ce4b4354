//! Images cut into patches.

use candle_core::{Result, Tensor};

/// Patches laid out one after the other, row by row: a convolution whose stride is its width is a product over
/// them.
///
/// # Shapes
/// `batch x channels x side x side` to `batch x (side / patch)^2 x (channels * patch^2)`.
pub(crate) fn patches(images: &Tensor, patch_px: usize) -> Result<Tensor> {
    let (n_batch, n_channels, side, _) = images.dims4()?;
    let grid = side / patch_px;
    images
        .reshape(&[n_batch, n_channels, grid, patch_px, grid, patch_px][..])?
        .permute([0, 2, 4, 1, 3, 5])?
        .reshape((n_batch, grid * grid, n_channels * patch_px * patch_px))
}
