//! Two by two cells of latents as one token, and back.

use tch::Tensor;

/// `[B, C, h, w]` to `[B, h / 2 * w / 2, 4 C]`; within a token the order is channel, row, column. `h` and `w` are
/// even.
///
/// # Source
/// `_pack_latents` of diffusers' pipeline for FLUX.
pub(crate) fn pack(latents: &Tensor) -> Tensor {
    let (batch, channels, height, width) = sizes(latents);
    latents
        .reshape([batch, channels, height / 2, 2, width / 2, 2])
        .permute([0, 2, 4, 1, 3, 5])
        .reshape([batch, (height / 2) * (width / 2), channels * 4])
}

/// The reverse of [`pack`]: `[B, rows * cols, 4 C]` to `[B, C, 2 rows, 2 cols]`.
pub(crate) fn unpack(tokens: &Tensor, rows: i64, cols: i64) -> Tensor {
    let (batch, _, channels) = tokens.size3().expect("tokens have three axes");
    tokens
        .reshape([batch, rows, cols, channels / 4, 2, 2])
        .permute([0, 3, 1, 4, 2, 5])
        .reshape([batch, channels / 4, rows * 2, cols * 2])
}

/// Rows and columns of the tokens of latents `[B, C, h, w]`.
pub(crate) fn grid(latents: &Tensor) -> (i64, i64) {
    let (_, _, height, width) = sizes(latents);
    (height / 2, width / 2)
}

fn sizes(latents: &Tensor) -> (i64, i64, i64, i64) {
    let sizes = latents.size4().expect("latents have four axes");
    let (_, _, height, width) = sizes;
    assert!(
        height % 2 == 0 && width % 2 == 0,
        "latents of {height} by {width} cells do not divide into tokens of two by two"
    );
    sizes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Golden;

    #[test]
    fn packing_is_that_of_diffusers_and_goes_back() {
        let latents = Golden::input("plain.latents", &[2, 4, 6, 10], 1.5);
        let tokens = pack(&latents);
        Golden::read("flux").check_within("pack", &tokens, 0.0);
        let (rows, cols) = grid(&latents);
        assert_eq!(unpack(&tokens, rows, cols), latents);
    }
}
