//! Images: recognised by their content, decoded under limits, encoded again.
//!
//! What is stored is a lossless PNG that this crate wrote: no metadata, no profile, no trailing bytes, the same encoder
//! for everybody, so that a file tells nothing of its model. The hash of what was sent is kept beside it.

use std::io::Cursor;

use asap_core::Sha256;
use image::{DynamicImage, ImageDecoder as _, ImageFormat, ImageReader};

use super::limits::Limits;
use super::refusal::Refusal;
use crate::blob::sha256;

/// An image as it will be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// The hash of what was sent.
    pub original: Sha256,
    /// PNG, RGB, 8 bits.
    pub png: Vec<u8>,
    /// Columns.
    pub width_px: u32,
    /// Rows.
    pub height_px: u32,
}

/// Decodes an image and encodes it again.
///
/// # Errors
/// [`Refusal::Entry`] for another format, an image that is too large or broken, and one that can be seen through.
pub fn decode(name: &str, bytes: &[u8], limits: &Limits) -> Result<Picture, Refusal> {
    let formats = "a PNG, JPEG or WebP image";
    let format = match image::guess_format(bytes) {
        Ok(format @ (ImageFormat::Png | ImageFormat::Jpeg | ImageFormat::WebP)) => format,
        Ok(other) => return Err(Refusal::entry(name, formats, format!("{other:?}"))),
        Err(_) => {
            return Err(Refusal::entry(
                name,
                formats,
                format!("{} bytes of something else", bytes.len()),
            ));
        }
    };
    let broken = |error| Refusal::entry(name, "a whole image", error);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut bounds = image::Limits::no_limits();
    bounds.max_alloc = Some(limits.decode_bytes);
    reader.limits(bounds);
    let mut decoder = reader.into_decoder().map_err(broken)?;
    // From the header; no pixel has been decoded.
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    if width.max(height) > limits.side_px
        || pixels > limits.pixels
        || decoder.total_bytes() > limits.decode_bytes
    {
        let expected = format!("at most {0} x {0} and {1} pixels", limits.side_px, limits.pixels);
        return Err(Refusal::entry(name, expected, format!("{width} x {height}")));
    }
    let turned = decoder.orientation().map_err(broken)?;
    let mut decoded = DynamicImage::from_decoder(decoder).map_err(broken)?;
    decoded.apply_orientation(turned);
    if decoded.color().has_alpha() && decoded.to_rgba8().pixels().any(|pixel| pixel.0[3] != u8::MAX) {
        return Err(Refusal::entry(
            name,
            "an opaque image",
            "one with transparent pixels",
        ));
    }
    let rgb = decoded.into_rgb8();
    let (width_px, height_px) = rgb.dimensions();
    let mut png = Vec::new();
    rgb.write_to(&mut Cursor::new(&mut png), ImageFormat::Png)
        .map_err(broken)?;
    Ok(Picture {
        original: sha256(bytes),
        png,
        width_px,
        height_px,
    })
}
