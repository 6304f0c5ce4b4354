//! Pixels of stored images: decoding, and putting a patch back on its preferred image.

use std::io::Cursor;

use asap_core::{BoxPx, Pair, Positive, Rejected};
use image::codecs::png::{CompressionType, FilterType, PngDecoder, PngEncoder};
use image::{ColorType, DynamicImage, ExtendedColorType, ImageDecoder as _, ImageEncoder as _, RgbImage};

use crate::{Error, Result};

/// The rejected image of a pair, whole: the preferred image with the patch put on it, byte for byte.
///
/// # Errors
/// [`Error::Pixels`] for bytes that do not decode, or a patch that does not fit.
pub fn reconstruct(positive: &Positive, pair: &Pair) -> Result<RgbImage> {
    match &pair.rejected {
        Rejected::Whole { png } => decode_rgb(png, "a rejected image"),
        Rejected::Patch { budget, png } => {
            let mut image = decode_rgb(&positive.image_png, "a preferred image")?;
            paste(&mut image, &decode_rgb(png, "a patch")?, *budget)?;
            Ok(image)
        }
    }
}

/// The rejected image of a pair, whole, as PNG: the stored bytes where it is stored whole.
///
/// # Errors
/// Those of [`reconstruct`].
pub fn rejected_png(positive: &Positive, pair: &Pair) -> Result<Vec<u8>> {
    match &pair.rejected {
        Rejected::Whole { png } => Ok(png.clone()),
        Rejected::Patch { .. } => encode_rgb(&reconstruct(positive, pair)?),
    }
}

/// Puts a patch into its box.
fn paste(image: &mut RgbImage, patch: &RgbImage, budget: BoxPx) -> Result<()> {
    let fits = budget.x1 <= image.width() && budget.y1 <= image.height();
    if !fits || patch.dimensions() != (budget.width(), budget.height()) {
        let (width, height) = image.dimensions();
        let (got_width, got_height) = patch.dimensions();
        return Err(Error::Pixels {
            action: "paste",
            what: format!("a patch of {got_width}x{got_height} into {budget:?}"),
            reason: format!("it does not fit an image of {width}x{height}"),
        });
    }
    image::imageops::replace(image, patch, i64::from(budget.x0), i64::from(budget.y0));
    Ok(())
}

/// Decodes a stored image: PNG, 8-bit RGB.
///
/// # Errors
/// [`Error::Pixels`] for any other bytes; `what` names them in the message.
pub fn decode_rgb(bytes: &[u8], what: &str) -> Result<RgbImage> {
    open_png(bytes, what)
        .and_then(|decoder| DynamicImage::from_decoder(decoder).map_err(|error| undecodable(what, error)))
        .map(DynamicImage::into_rgb8)
}

/// The size of a stored image, read from its header.
pub(crate) fn png_size(bytes: &[u8]) -> Result<(u32, u32)> {
    open_png(bytes, "an image").map(|decoder| decoder.dimensions())
}

fn open_png<'a>(bytes: &'a [u8], what: &str) -> Result<PngDecoder<Cursor<&'a [u8]>>> {
    let decoder = PngDecoder::new(Cursor::new(bytes)).map_err(|error| undecodable(what, error))?;
    match decoder.color_type() {
        ColorType::Rgb8 => Ok(decoder),
        got => Err(undecodable(
            what,
            format!("expected PNG of 8-bit RGB, got {got:?}"),
        )),
    }
}

fn undecodable(what: &str, reason: impl ToString) -> Error {
    Error::Pixels {
        action: "decode",
        what: what.to_owned(),
        reason: reason.to_string(),
    }
}

/// Encodes as PNG with fast compression. The same pixels give the same bytes.
pub(crate) fn encode_rgb(image: &RgbImage) -> Result<Vec<u8>> {
    let (width, height) = image.dimensions();
    let mut bytes = Vec::with_capacity(image.as_raw().len() / 2);
    PngEncoder::new_with_quality(&mut bytes, CompressionType::Fast, FilterType::Adaptive)
        .write_image(image.as_raw(), width, height, ExtendedColorType::Rgb8)
        .map_err(|error| Error::Pixels {
            action: "encode",
            what: format!("a {width}x{height} image"),
            reason: error.to_string(),
        })?;
    Ok(bytes)
}
