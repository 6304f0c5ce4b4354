//! Reads photographs: header first, then pixels, upright and as 8-bit RGB.
//!
//! - Both sides must be at most [`MAX_SIDE_PX`] and the picture at most [`MAX_AREA_PX`]; this is read from
//!   the header, before anything is allocated.
//! - EXIF orientation is applied. Keypoints and boxes refer to the upright picture, as every viewer and
//!   every pose estimator shows it.
//! - 16 bits a channel are rounded to 8; grey becomes three equal channels; alpha is laid on white.
//! - Animations are refused, and so are CMYK JPEG files: their colours depend on a printing profile, and
//!   a guess would put a colour cast on every pair.

use std::io::Cursor;
use std::path::Path;

use image::codecs::{gif::GifDecoder, jpeg::JpegDecoder, png::PngDecoder, webp::WebPDecoder};
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageResult, Limits, RgbImage};
use sha2::{Digest, Sha256};

use super::header::{self, End, Header};
use crate::{Error, Result};

/// The longest side that is read.
pub const MAX_SIDE_PX: u32 = 16_384;
/// The largest picture that is read, in pixels.
pub const MAX_AREA_PX: u64 = 64_000_000;
/// The largest file that is read, in bytes.
pub const MAX_FILE_BYTES: u64 = 512 << 20;
/// What a decoder may hold at once: the largest picture with four channels of 16 bits, and slack.
const MAX_DECODER_BYTES: u64 = MAX_AREA_PX * 8 + (64 << 20);

/// The bytes of a picture that passed the checks of its header.
#[derive(Clone, Debug)]
pub struct Inspected {
    bytes: Vec<u8>,
    format: ImageFormat,
    /// SHA-256 of the file in hexadecimal.
    pub sha256: String,
    /// Columns, upright.
    pub width: u32,
    /// Rows, upright.
    pub height: u32,
}

/// Reads a file and checks its header.
///
/// # Errors
/// [`Error::Read`] for a file that cannot be read; [`Error::Image`] with the reason and the way out for one
/// that is empty, no picture, too large, animated, cut off or CMYK.
pub fn inspect(path: &Path) -> Result<Inspected> {
    let read = |source| Error::Read {
        path: path.to_owned(),
        source,
    };
    let size_bytes = std::fs::metadata(path).map_err(read)?.len();
    if size_bytes > MAX_FILE_BYTES {
        return Err(refuse(
            path,
            format!("the file has {size_bytes} bytes, at most {MAX_FILE_BYTES} are read; save it smaller"),
        ));
    }
    let bytes = std::fs::read(path).map_err(read)?;
    inspect_bytes(path, bytes)
}

fn inspect_bytes(path: &Path, bytes: Vec<u8>) -> Result<Inspected> {
    if bytes.is_empty() {
        return Err(refuse(path, "the file is empty; copy it again".to_owned()));
    }
    let format = image::guess_format(&bytes)
        .ok()
        .filter(|format| {
            matches!(
                format,
                ImageFormat::Png | ImageFormat::Jpeg | ImageFormat::WebP | ImageFormat::Gif
            )
        })
        .ok_or_else(|| {
            refuse(
                path,
                "it is not a picture of a known format; expected PNG, JPEG, WebP or GIF".to_owned(),
            )
        })?;
    let header = header::read(&bytes, format).ok_or_else(|| {
        refuse(
            path,
            "its header is broken or cut off; copy it again or save it anew".to_owned(),
        )
    })?;
    check(path, &header)?;
    let is_turned = orientation(&bytes, format)
        .map_err(|source| undecodable(path, &source))?
        .to_exif()
        >= 5;
    let (width, height) = if is_turned {
        (header.height, header.width)
    } else {
        (header.width, header.height)
    };
    let sha256 = Sha256::digest(&bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    Ok(Inspected {
        bytes,
        format,
        sha256,
        width,
        height,
    })
}

fn check(path: &Path, header: &Header) -> Result<()> {
    let Header { width, height, .. } = *header;
    let area_px = u64::from(width) * u64::from(height);
    let reason = if area_px == 0 {
        format!("its header says {width}x{height} pixels; save it anew")
    } else if width.max(height) > MAX_SIDE_PX || area_px > MAX_AREA_PX {
        format!(
            "its header says {width}x{height} pixels, at most {MAX_SIDE_PX} a side and {} megapixels are \
             read; scale it down first",
            MAX_AREA_PX / 1_000_000
        )
    } else if header.n_frames > 1 {
        format!(
            "it has {} frames, expected a still image; export the frame that you want",
            header.n_frames
        )
    } else if header.n_jpeg_channels == 4 {
        "it is a CMYK JPEG, expected RGB or grey; convert it to sRGB first".to_owned()
    } else if header.end == End::Missing {
        "it is cut off before its end; copy it again".to_owned()
    } else {
        return Ok(());
    };
    Err(refuse(path, reason))
}

/// Decodes an inspected picture: upright, 8-bit RGB.
///
/// # Errors
/// [`Error::Image`] where the pixels are broken.
pub fn decode(path: &Path, inspected: &Inspected) -> Result<RgbImage> {
    let image =
        decode_upright(&inspected.bytes, inspected.format).map_err(|source| undecodable(path, &source))?;
    Ok(to_rgb8(image))
}

/// Scales a picture down so that its long side is `long_side_px`; smaller ones stay as they are.
///
/// Returns the picture and the factor by which coordinates shrank.
pub fn downscale(image: RgbImage, long_side_px: Option<u32>) -> (RgbImage, f64) {
    let (width, height) = image.dimensions();
    let long = width.max(height);
    let Some(target) = long_side_px.filter(|&target| target < long) else {
        return (image, 1.0);
    };
    let factor = f64::from(target) / f64::from(long);
    let scaled = |side: u32| ((f64::from(side) * factor).round() as u32).max(1);
    let resized = image::imageops::resize(
        &image,
        scaled(width),
        scaled(height),
        image::imageops::FilterType::Lanczos3,
    );
    (resized, factor)
}

fn orientation(bytes: &[u8], format: ImageFormat) -> ImageResult<image::metadata::Orientation> {
    match format {
        ImageFormat::Png => PngDecoder::with_limits(Cursor::new(bytes), limits())?.orientation(),
        ImageFormat::Jpeg => JpegDecoder::new(Cursor::new(bytes))?.orientation(),
        ImageFormat::WebP => WebPDecoder::new(Cursor::new(bytes))?.orientation(),
        _ => Ok(image::metadata::Orientation::NoTransforms),
    }
}

fn decode_upright(bytes: &[u8], format: ImageFormat) -> ImageResult<DynamicImage> {
    match format {
        ImageFormat::Png => upright(PngDecoder::with_limits(Cursor::new(bytes), limits())?),
        ImageFormat::Jpeg => upright(JpegDecoder::new(Cursor::new(bytes))?),
        ImageFormat::WebP => upright(WebPDecoder::new(Cursor::new(bytes))?),
        _ => upright(GifDecoder::new(Cursor::new(bytes))?),
    }
}

fn upright(mut decoder: impl ImageDecoder) -> ImageResult<DynamicImage> {
    decoder.set_limits(limits())?;
    let orientation = decoder.orientation()?;
    let mut image = DynamicImage::from_decoder(decoder)?;
    image.apply_orientation(orientation);
    Ok(image)
}

fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE_PX);
    limits.max_image_height = Some(MAX_SIDE_PX);
    limits.max_alloc = Some(MAX_DECODER_BYTES);
    limits
}

fn to_rgb8(image: DynamicImage) -> RgbImage {
    let color = image.color();
    if !color.has_alpha() && color.bytes_per_pixel() / color.channel_count() == 1 {
        return image.into_rgb8();
    }
    // One way for both depths: 8 bits widen to 16 by a factor of 257 without loss.
    let wide = image.into_rgba16();
    RgbImage::from_fn(wide.width(), wide.height(), |x, y| {
        let [r, g, b, a] = wide.get_pixel(x, y).0.map(u64::from);
        let on_white =
            |v: u64| ((v * a + 65_535 * (65_535 - a)) * 255 + 65_535 * 65_535 / 2) / (65_535 * 65_535);
        image::Rgb([on_white(r) as u8, on_white(g) as u8, on_white(b) as u8])
    })
}

fn refuse(path: &Path, reason: String) -> Error {
    Error::Image {
        path: path.to_owned(),
        reason,
    }
}

fn undecodable(path: &Path, source: &image::ImageError) -> Error {
    let first_line = source.to_string().lines().next().unwrap_or_default().to_owned();
    refuse(
        path,
        format!("its pixels cannot be decoded ({first_line}); copy it again or save it anew"),
    )
}
