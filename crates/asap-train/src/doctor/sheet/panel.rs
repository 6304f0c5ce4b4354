//! One picture of the sheet.

use asap_core::{BoxPx, Mask};
use image::imageops::{FilterType, crop_imm, resize};
use image::{Rgb, RgbImage};

use crate::doctor::pixels::largest;
use crate::latent_mask::LatentMask;

/// What a difference is multiplied with: one grey level in sixteen is seen on a screen.
pub(super) const AMPLIFIED: u8 = 8;

const PAPER: Rgb<u8> = Rgb([255, 255, 255]);
const ORANGE: [u16; 3] = [255, 140, 0];
const BLUE: Rgb<u8> = Rgb([0, 90, 255]);
const GREEN: Rgb<u8> = Rgb([0, 220, 90]);

/// The part of an image that is shown, brought into a square.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Frame {
    part: BoxPx,
    side: u32,
}

impl Frame {
    /// All of it.
    pub(super) fn whole((width, height): (u32, u32), side: u32) -> Self {
        let part = BoxPx {
            x0: 0,
            y0: 0,
            x1: width,
            y1: height,
        };
        Self { part, side }
    }

    /// A square round what differs, with as much again around it; all of the image where nothing differs.
    pub(super) fn near(preferred: &RgbImage, rejected: &RgbImage, side: u32) -> Self {
        let (width, height) = preferred.dimensions();
        let changed = Mask::from_fn(width, height, |x, y| {
            preferred.get_pixel(x, y) != rejected.get_pixel(x, y)
        });
        let Some(bounds) = changed.bounds() else {
            return Self::whole((width, height), side);
        };
        let wanted = (2 * bounds.width().max(bounds.height()))
            .max(32)
            .min(width.min(height));
        let start =
            |low: u32, high: u32, end: u32| ((low + high) / 2).saturating_sub(wanted / 2).min(end - wanted);
        let (x0, y0) = (
            start(bounds.x0, bounds.x1, width),
            start(bounds.y0, bounds.y1, height),
        );
        let part = BoxPx {
            x0,
            y0,
            x1: x0 + wanted,
            y1: y0 + wanted,
        };
        Self { part, side }
    }

    /// The part of an image on a square of paper.
    pub(super) fn of(&self, image: &RgbImage) -> RgbImage {
        let (width, height) = (self.part.width(), self.part.height());
        let part = crop_imm(image, self.part.x0, self.part.y0, width, height).to_image();
        let zoom = f64::from(self.side) / f64::from(width.max(height));
        let scaled = |length: u32| ((f64::from(length) * zoom).round() as u32).clamp(1, self.side);
        let (columns, rows) = (scaled(width), scaled(height));
        let filter = match zoom > 1.0 {
            true => FilterType::Nearest,
            false => FilterType::Triangle,
        };
        on_paper(&resize(&part, columns, rows, filter), self.side)
    }
}

fn on_paper(image: &RgbImage, side: u32) -> RgbImage {
    let mut paper = RgbImage::from_pixel(side, side, PAPER);
    image::imageops::replace(&mut paper, image, 0, 0);
    paper
}

/// The preferred image with the part's mask over it in orange, and the border of the edit's mask in blue.
pub(super) fn masks(preferred: &RgbImage, part: &Mask, edit: &Mask) -> RgbImage {
    let mut picture = preferred.clone();
    for (x, y, pixel) in picture.enumerate_pixels_mut() {
        if part.get(x, y) {
            for (value, tint) in pixel.0.iter_mut().zip(ORANGE) {
                *value = ((u16::from(*value) + tint) / 2) as u8;
            }
        }
    }
    outline(&mut picture, edit, BLUE);
    picture
}

/// The largest difference of the channels, amplified, with the border of the mask.
pub(super) fn difference(preferred: &RgbImage, rejected: &RgbImage, mask: &Mask) -> RgbImage {
    let mut picture = RgbImage::from_fn(preferred.width(), preferred.height(), |x, y| {
        let value = largest(&preferred.get_pixel(x, y).0, &rejected.get_pixel(x, y).0);
        Rgb([value.saturating_mul(AMPLIFIED); 3])
    });
    outline(&mut picture, mask, GREEN);
    picture
}

/// A line inside the border of a mask, so thick that it is seen when the picture is made small.
fn outline(picture: &mut RgbImage, mask: &Mask, color: Rgb<u8>) {
    let thickness = picture.width().max(picture.height()).div_ceil(200);
    let border = mask.difference(&mask.eroded(thickness));
    for (x, y, pixel) in picture.enumerate_pixels_mut() {
        if border.get(x, y) {
            *pixel = color;
        }
    }
}

/// The mask on the latent grid: black is 0, white is 1, and each cell is seen.
pub(super) fn grid(mask: &LatentMask, side: u32) -> RgbImage {
    let (columns, rows) = (mask.width() as u32, mask.height() as u32);
    let cells = RgbImage::from_fn(columns, rows, |x, y| {
        let value = mask.values()[(y * columns + x) as usize];
        // Not black: the extent of the grid is seen on the paper.
        Rgb([(24.0 + 231.0 * value).round() as u8; 3])
    });
    Frame::whole((columns, rows), side).of(&cells)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_goes_round_what_differs_and_stays_in_the_image() {
        let preferred = RgbImage::from_pixel(200, 100, Rgb([9, 9, 9]));
        let mut rejected = preferred.clone();
        for x in 190..200 {
            rejected.put_pixel(x, 2, Rgb([0, 9, 9]));
        }
        let near = Frame::near(&preferred, &rejected, 64);
        let part = BoxPx {
            x0: 168,
            y0: 0,
            x1: 200,
            y1: 32,
        };
        assert_eq!(near, Frame { part, side: 64 });
        assert_eq!(near.of(&preferred).dimensions(), (64, 64));
        let same = Frame::near(&preferred, &preferred, 64);
        assert_eq!(same, Frame::whole((200, 100), 64));
    }

    #[test]
    fn a_difference_is_amplified_and_the_mask_outlined() {
        let preferred = RgbImage::from_pixel(16, 16, Rgb([100, 100, 100]));
        let mut rejected = preferred.clone();
        rejected.put_pixel(8, 8, Rgb([97, 101, 100]));
        rejected.put_pixel(1, 1, Rgb([0, 0, 0]));
        let mask = Mask::from_fn(16, 16, |x, y| (4..12).contains(&x) && (4..12).contains(&y));
        let picture = difference(&preferred, &rejected, &mask);
        assert_eq!(picture.get_pixel(8, 8).0, [24; 3]);
        assert_eq!(picture.get_pixel(1, 1).0, [255; 3]);
        assert_eq!(*picture.get_pixel(4, 8), GREEN);
        assert_eq!(picture.get_pixel(3, 8).0, [0; 3]);
    }
}
