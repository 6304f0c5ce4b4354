//! Masks as one-bit greyscale PNG: white marks the pixels that the mask covers.

use std::io::Cursor;

use asap_core::Mask;
use png::{BitDepth, ColorType, Compression, Decoder, Encoder, Limits, Transformations};

use crate::{Error, Result};

/// Encodes a mask as one-bit PNG. The same mask gives the same bytes.
///
/// # Errors
/// [`Error::Pixels`] for a mask without pixels, which PNG cannot hold.
pub fn encode_mask(mask: &Mask) -> Result<Vec<u8>> {
    let (width, height) = (mask.width(), mask.height());
    let fail = |error: png::EncodingError| Error::Pixels {
        action: "encode",
        what: format!("a {width}x{height} mask"),
        reason: error.to_string(),
    };
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, width, height);
    encoder.set_color(ColorType::Grayscale);
    encoder.set_depth(BitDepth::One);
    encoder.set_compression(Compression::Balanced);
    let mut writer = encoder.write_header().map_err(fail)?;
    writer.write_image_data(&pack(mask)).map_err(fail)?;
    writer.finish().map_err(fail)?;
    Ok(bytes)
}

/// Eight pixels a byte, the leftmost in the highest bit; each row starts a new byte.
fn pack(mask: &Mask) -> Vec<u8> {
    let width = mask.width().max(1) as usize;
    mask.bits()
        .chunks_exact(width)
        .flat_map(|row| row.chunks(8))
        .map(|eight| {
            eight
                .iter()
                .enumerate()
                .fold(0, |byte, (idx, &bit)| byte | (u8::from(bit) << (7 - idx)))
        })
        .collect()
}

/// Decodes a mask from a greyscale PNG of one or eight bits; any value but black is marked.
///
/// # Errors
/// [`Error::Pixels`] for bytes that are not such a PNG, or are cut.
pub fn decode_mask(bytes: &[u8]) -> Result<Mask> {
    let fail = |reason: String| Error::Pixels {
        action: "decode",
        what: "a mask".to_owned(),
        reason,
    };
    let mut decoder = Decoder::new_with_limits(
        Cursor::new(bytes),
        Limits {
            bytes: MAX_MASK_BYTES,
        },
    );
    decoder.set_transformations(Transformations::IDENTITY);
    let mut reader = decoder.read_info().map_err(|error| fail(error.to_string()))?;
    let info = reader.info();
    let (width, height, depth) = (info.width, info.height, info.bit_depth);
    if info.color_type != ColorType::Grayscale || !matches!(depth, BitDepth::One | BitDepth::Eight) {
        return Err(fail(format!(
            "expected one-bit greyscale, got {:?} {depth:?}",
            info.color_type
        )));
    }
    let line_bytes = info.raw_row_length() - 1;
    let size = reader.output_buffer_size().filter(|&size| size <= MAX_MASK_BYTES);
    let size = size.ok_or_else(|| fail(format!("{width}x{height} pixels are too many")))?;
    let mut packed = vec![0; size];
    reader
        .next_frame(&mut packed)
        .map_err(|error| fail(error.to_string()))?;
    let mut bits = Vec::with_capacity(width as usize * height as usize);
    for line in packed.chunks_exact(line_bytes.max(1)).take(height as usize) {
        bits.extend((0..width as usize).map(|x| match depth {
            BitDepth::One => line[x / 8] >> (7 - x % 8) & 1 == 1,
            _ => line[x] > 0,
        }));
    }
    Mask::from_bits(width, height, bits).ok_or_else(|| fail("rows are missing".to_owned()))
}

/// Far above any image that this toolkit takes, far below what would exhaust a machine.
const MAX_MASK_BYTES: usize = 1 << 28;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_of_any_width_survive_in_one_bit() {
        let mut stream = asap_core::Stream::new(5, "mask png");
        for (width, height) in [(1, 1), (7, 3), (8, 8), (9, 2), (333, 41)] {
            for share in [0.0, 0.3, 1.0] {
                let mask = Mask::from_fn(width, height, |_, _| stream.unit() < share);
                let bytes = encode_mask(&mask).unwrap();
                assert_eq!(decode_mask(&bytes).unwrap(), mask);
                assert_eq!((bytes[24], bytes[25]), (1, 0), "bit depth 1, greyscale");
            }
        }
    }

    #[test]
    fn other_images_and_torn_bytes_are_refused() {
        let bytes = encode_mask(&Mask::from_fn(64, 64, |x, y| (x * y) % 3 == 0)).unwrap();
        for cut in [0, 8, 30, bytes.len() / 2] {
            assert!(decode_mask(&bytes[..cut]).is_err(), "cut at {cut}");
        }
        let mut rgb = Cursor::new(Vec::new());
        image::RgbImage::new(4, 4)
            .write_to(&mut rgb, image::ImageFormat::Png)
            .unwrap();
        let error = decode_mask(rgb.get_ref()).unwrap_err().to_string();
        assert_eq!(
            error,
            "cannot decode a mask: expected one-bit greyscale, got Rgb Eight"
        );
        assert!(encode_mask(&Mask::new(0, 3)).is_err());
    }
}
