//! Images as low frequencies: an 8x8 block is 10 cosines of its brightness and 3 of each colour.

use std::f64::consts::PI;

use crate::{Array, Error, Result};

/// Pixels of a block's side; the factor between an image and its latent.
pub const SIDE: usize = 8;
/// Channels of a latent.
pub const N_CHANNELS: usize = 16;

/// Cosines kept of each plane, as (row, column) frequencies, lowest first.
const KEPT: [(usize, usize); 10] = [
    (0, 0),
    (0, 1),
    (1, 0),
    (1, 1),
    (0, 2),
    (2, 0),
    (1, 2),
    (2, 1),
    (0, 3),
    (3, 0),
];
const N_BRIGHTNESS: usize = KEPT.len();
const N_COLOUR: usize = 3;

/// What each channel is multiplied with, so that its spread over pictures of people is about 1: measured on rendered
/// figures, rounded.
const SCALE: [f64; N_CHANNELS] = [
    0.4, 1.4, 1.4, 2.5, 2.5, 2.5, 4.0, 4.0, 4.0, 4.0, 1.5, 5.0, 5.0, 1.5, 5.0, 5.0,
];

/// The latent of a picture.
///
/// # Shapes
/// `rgb`: `width * height * 3` bytes; both sides are multiples of 16, as FLUX packs two by two. The result is
/// `[16, height / 8, width / 8]`.
/// # Units
/// About unit variance per channel.
/// # Errors
/// [`Error::Argument`] for other sizes.
/// # Source
/// The discrete cosine transform of JPEG (ITU-T T.81, A.3.3) without its quantisation, and its colours (BT.601).
pub fn encode(rgb: &[u8], width: usize, height: usize) -> Result<Array> {
    if rgb.len() != width * height * 3 {
        return Err(Error::argument(
            "the bytes of a picture",
            width * height * 3,
            rgb.len(),
        ));
    }
    if width == 0 || height == 0 || !width.is_multiple_of(2 * SIDE) || !height.is_multiple_of(2 * SIDE) {
        return Err(Error::argument(
            "the size of a picture",
            format!("multiples of {}", 2 * SIDE),
            format!("{width}x{height}"),
        ));
    }
    let (columns, rows) = (width / SIDE, height / SIDE);
    let basis = basis();
    let mut values = vec![0f32; N_CHANNELS * rows * columns];
    for row in 0..rows {
        for column in 0..columns {
            let planes = planes_of(rgb, width, column * SIDE, row * SIDE);
            for (channel, (plane, kept)) in channels().enumerate() {
                let sum: f64 = planes[plane].iter().zip(&basis[kept]).map(|(a, b)| a * b).sum();
                values[(channel * rows + row) * columns + column] = (sum * SCALE[channel]) as f32;
            }
        }
    }
    Array::new(&[N_CHANNELS, rows, columns], values)
}

/// The picture of a latent, with its width and height: the inverse of [`encode`] but for the frequencies left out.
///
/// # Errors
/// [`Error::Argument`] where the latent is not `[16, h, w]`.
pub fn decode(latent: &Array) -> Result<(Vec<u8>, usize, usize)> {
    let &[N_CHANNELS, rows, columns] = latent.shape() else {
        return Err(Error::argument(
            "a latent",
            "[16, h, w]",
            format!("{:?}", latent.shape()),
        ));
    };
    let basis = basis();
    let (width, height) = (columns * SIDE, rows * SIDE);
    let mut rgb = vec![0u8; width * height * 3];
    for row in 0..rows {
        for column in 0..columns {
            let mut planes = [[0f64; SIDE * SIDE]; 3];
            for (channel, (plane, kept)) in channels().enumerate() {
                let value =
                    f64::from(latent.values()[(channel * rows + row) * columns + column]) / SCALE[channel];
                for (pixel, wave) in planes[plane].iter_mut().zip(&basis[kept]) {
                    *pixel += value * wave;
                }
            }
            paint(&planes, &mut rgb, width, (column * SIDE, row * SIDE));
        }
    }
    Ok((rgb, width, height))
}

/// Plane and kept frequency of each channel.
fn channels() -> impl Iterator<Item = (usize, usize)> {
    let colour = |plane| (0..N_COLOUR).map(move |kept| (plane, kept));
    (0..N_BRIGHTNESS)
        .map(|kept| (0, kept))
        .chain(colour(1))
        .chain(colour(2))
}

/// Orthonormal cosines over a block.
fn basis() -> [[f64; SIDE * SIDE]; N_BRIGHTNESS] {
    let wave = |frequency: usize, at: usize| {
        let norm = if frequency == 0 {
            1.0 / SIDE as f64
        } else {
            2.0 / SIDE as f64
        };
        norm.sqrt() * ((2 * at + 1) as f64 * frequency as f64 * PI / (2 * SIDE) as f64).cos()
    };
    KEPT.map(|(row, column)| std::array::from_fn(|at| wave(row, at / SIDE) * wave(column, at % SIDE)))
}

/// Brightness and the two colour differences of a block, each -1 to 1.
fn planes_of(rgb: &[u8], width: usize, left: usize, top: usize) -> [[f64; SIDE * SIDE]; 3] {
    let pixels: [[f64; 3]; SIDE * SIDE] = std::array::from_fn(|at| {
        let start = ((top + at / SIDE) * width + left + at % SIDE) * 3;
        let [r, g, b] = [0, 1, 2].map(|channel| f64::from(rgb[start + channel]) / 127.5 - 1.0);
        let brightness = 0.299 * r + 0.587 * g + 0.114 * b;
        [brightness, (b - brightness) / 1.772, (r - brightness) / 1.402]
    });
    [0, 1, 2].map(|plane| pixels.map(|pixel| pixel[plane]))
}

fn paint(planes: &[[f64; SIDE * SIDE]; 3], rgb: &mut [u8], width: usize, (left, top): (usize, usize)) {
    let [brightness, blue, red] = planes;
    for (at, ((y, blue), red)) in brightness.iter().zip(blue).zip(red).enumerate() {
        let (r, b) = (y + 1.402 * red, y + 1.772 * blue);
        let g = (y - 0.299 * r - 0.114 * b) / 0.587;
        let start = ((top + at / SIDE) * width + left + at % SIDE) * 3;
        for (channel, value) in [r, g, b].into_iter().enumerate() {
            rgb[start + channel] = ((value + 1.0) * 127.5).round().clamp(0.0, 255.0) as u8;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_colours_come_back() {
        let (width, height) = (32, 16);
        let rgb: Vec<u8> = (0..height)
            .flat_map(|y| {
                (0..width).flat_map(move |x| [40 + 5 * x as u8, 60 + 8 * y as u8, 200 - 4 * x as u8])
            })
            .collect();
        let latent = encode(&rgb, width, height).unwrap();
        assert_eq!(latent.shape(), [16, 2, 4]);
        let (again, w, h) = decode(&latent).unwrap();
        assert_eq!((w, h), (width, height));
        let most = rgb.iter().zip(&again).map(|(a, b)| a.abs_diff(*b)).max();
        assert!(most <= Some(6), "{most:?}");
    }

    #[test]
    fn what_differs_outside_a_block_leaves_its_latent_alone() {
        let mut rgb = vec![90u8; 32 * 32 * 3];
        let before = encode(&rgb, 32, 32).unwrap();
        rgb[..3].copy_from_slice(&[255, 0, 0]);
        let after = encode(&rgb, 32, 32).unwrap();
        for (at, (a, b)) in before.values().iter().zip(after.values()).enumerate() {
            assert_eq!(a == b, at % 16 != 0, "cell {}", at % 16);
        }
    }

    #[test]
    fn other_sizes_are_refused() {
        let error = encode(&[0; 24 * 16 * 3], 24, 16).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the size of a picture: expected multiples of 16, got 24x16"
        );
        assert!(encode(&[0; 5], 16, 16).is_err());
        assert!(decode(&Array::new(&[3, 1, 1], vec![0.0; 3]).unwrap()).is_err());
    }
}
