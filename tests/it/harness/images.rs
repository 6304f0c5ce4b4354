//! Pictures made by code: good ones in every colour type, and broken ones.

use std::io::Cursor;

use image::codecs::gif::GifEncoder;
use image::{DynamicImage, Frame, ImageFormat, RgbImage};

/// A picture with structure at every scale.
pub(crate) fn pattern(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let wave = |step: u32, phase: u32| ((x * step + y * (step + 2) + phase) % 251) as u8;
        let noise = ((x * 7919) ^ (y * 104_729)) as u8 & 31;
        image::Rgb([
            wave(1, 0) / 2 + noise,
            wave(2, 90) / 2 + 60,
            wave(3, 170) / 2 + noise,
        ])
    })
}

/// A PNG of any colour type.
pub(crate) fn png(image: impl Into<DynamicImage>) -> Vec<u8> {
    let mut bytes = Vec::new();
    image
        .into()
        .write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png)
        .unwrap();
    bytes
}

/// A GIF of two frames.
pub(crate) fn animation(image: &RgbImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = GifEncoder::new(&mut bytes);
    for turned in [image.clone(), image::imageops::rotate180(image)] {
        let rgba = DynamicImage::from(turned).into_rgba8();
        encoder.encode_frame(Frame::new(rgba)).unwrap();
    }
    drop(encoder);
    bytes
}

/// The same PNG with other dimensions in its header, its check sum put right.
pub(crate) fn png_with_header_size(mut png: Vec<u8>, width: u32, height: u32) -> Vec<u8> {
    png[16..20].copy_from_slice(&width.to_be_bytes());
    png[20..24].copy_from_slice(&height.to_be_bytes());
    let sum = crc32(&png[12..29]);
    png[29..33].copy_from_slice(&sum.to_be_bytes());
    png
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |sum, &byte| {
        (0..8).fold(sum ^ u32::from(byte), |sum, _| {
            sum >> 1 ^ (0xedb8_8320 * (sum & 1))
        })
    })
}

#[test]
fn check_sums_are_those_of_png() {
    let png = png(pattern(5, 3));
    assert_eq!(png_with_header_size(png.clone(), 5, 3), png);
}
