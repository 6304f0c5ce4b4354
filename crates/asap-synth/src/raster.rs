//! Lossless bytes for images: 8-bit RGB as PNG.

use image::codecs::png::{CompressionType, FilterType, PngDecoder, PngEncoder};
use image::{DynamicImage, ExtendedColorType, ImageEncoder, RgbImage};

use crate::{Error, Result};

/// Encodes as PNG with fast compression.
///
/// # Errors
/// [`Error::Png`] for an image without pixels.
pub fn encode_png(image: &RgbImage) -> Result<Vec<u8>> {
    let (width, height) = image.dimensions();
    let mut bytes = Vec::with_capacity(image.as_raw().len() / 2);
    PngEncoder::new_with_quality(&mut bytes, CompressionType::Fast, FilterType::Adaptive)
        .write_image(image.as_raw(), width, height, ExtendedColorType::Rgb8)
        .map_err(|source| Error::Png {
            action: "encode",
            width,
            height,
            source,
        })?;
    Ok(bytes)
}

/// Decodes a PNG that [`encode_png`] wrote.
///
/// # Errors
/// [`Error::Png`] for torn or foreign bytes.
pub fn decode_png(bytes: &[u8]) -> Result<RgbImage> {
    PngDecoder::new(std::io::Cursor::new(bytes))
        .and_then(DynamicImage::from_decoder)
        .map(DynamicImage::into_rgb8)
        .map_err(|source| Error::Png {
            action: "decode",
            width: 0,
            height: 0,
            source,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_survive() {
        let image = RgbImage::from_fn(37, 21, |x, y| {
            image::Rgb([x as u8 * 7, y as u8 * 11, (x * y) as u8])
        });
        assert_eq!(decode_png(&encode_png(&image).unwrap()).unwrap(), image);
        assert!(decode_png(b"no png").is_err());
    }
}
