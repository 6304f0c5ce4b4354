//! Bad and odd pictures: each gives one clear line that names the file and the way out.

use std::io::Cursor;

use image::codecs::gif::GifEncoder;
use image::{DynamicImage, Frame, ImageBuffer, ImageFormat, Luma, Rgb, RgbImage, Rgba, RgbaImage};

use crate::photo::ingest::{decode, downscale, inspect};

fn encoded(image: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.into().write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn gradient() -> RgbImage {
    RgbImage::from_fn(40, 24, |x, y| Rgb([x as u8 * 6, y as u8 * 10, 90]))
}

/// Writes the bytes to a file and reads it; the message where it is refused.
fn read(bytes: &[u8]) -> Result<RgbImage, String> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("picture.bin");
    std::fs::write(&path, bytes).unwrap();
    inspect(&path)
        .and_then(|inspected| decode(&path, &inspected))
        .map_err(|error| error.to_string())
}

#[track_caller]
fn check_refused(bytes: &[u8], expected: &str) {
    let message = read(bytes).unwrap_err();
    assert!(message.contains("picture.bin"), "{message}");
    assert!(message.contains(expected), "{message}");
    assert_eq!(message.lines().count(), 1, "{message}");
}

fn with_png_size(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = encoded(gradient(), ImageFormat::Png);
    bytes[16..20].copy_from_slice(&width.to_be_bytes());
    bytes[20..24].copy_from_slice(&height.to_be_bytes());
    bytes
}

fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let mut chunk = kind.to_vec();
    chunk.extend((data.len() as u32).to_le_bytes());
    chunk.extend(data);
    if data.len() % 2 == 1 {
        chunk.push(0);
    }
    chunk
}

#[test]
fn absurd_sizes_are_refused_by_the_header() {
    check_refused(
        &with_png_size(60_000, 60_000),
        "60000x60000 pixels, at most 16384 a side",
    );
    check_refused(
        &with_png_size(16_000, 16_000),
        "and 64 megapixels are read; scale it down first",
    );
    check_refused(&with_png_size(0, 10), "0x10");
    let mut jpeg = encoded(gradient(), ImageFormat::Jpeg);
    let frame = jpeg.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    jpeg[frame + 5..frame + 9].copy_from_slice(&[0xea, 0x60, 0xea, 0x60]);
    check_refused(&jpeg, "60000x60000");
}

#[test]
fn broken_files_are_refused() {
    check_refused(b"", "the file is empty");
    check_refused(
        b"these are words and no picture at all",
        "expected PNG, JPEG, WebP or GIF",
    );
    check_refused(b"\x89PNG\r\n\x1a\n", "header is broken or cut off");
    for format in [
        ImageFormat::Png,
        ImageFormat::Jpeg,
        ImageFormat::WebP,
        ImageFormat::Gif,
    ] {
        let bytes = encoded(gradient(), format);
        check_refused(
            &bytes[..bytes.len() * 3 / 4],
            "cut off before its end; copy it again",
        );
    }
    let mut torn = encoded(gradient(), ImageFormat::Png);
    let middle = torn.len() / 2;
    torn[middle..middle + 8].fill(0xaa);
    check_refused(&torn, "cannot be decoded");
}

#[test]
fn animations_are_refused_with_their_frame_count() {
    let mut gif = Vec::new();
    let frames = (0..3).map(|_| Frame::new(RgbaImage::from_pixel(8, 8, Rgba([9, 9, 9, 255]))));
    GifEncoder::new(&mut gif).encode_frames(frames).unwrap();
    check_refused(&gif, "it has 3 frames, expected a still image");

    let mut apng = encoded(gradient(), ImageFormat::Png);
    let mut control = 8u32.to_be_bytes().to_vec();
    control.extend(b"acTL");
    control.extend(5u32.to_be_bytes());
    control.extend([0; 8]);
    apng.splice(33..33, control);
    check_refused(&apng, "it has 5 frames");

    let mut body = b"WEBP".to_vec();
    body.extend(chunk(b"VP8X", &[2, 0, 0, 0, 7, 0, 0, 7, 0, 0]));
    body.extend(chunk(b"ANIM", &[0; 6]));
    body.extend(chunk(b"ANMF", &[0; 24]));
    body.extend(chunk(b"ANMF", &[0; 24]));
    check_refused(&chunk(b"RIFF", &body), "it has 2 frames");
}

#[test]
fn a_cmyk_jpeg_is_refused() {
    let mut bytes = vec![0xff, 0xd8, 0xff, 0xc0, 0, 20, 8, 0, 16, 0, 16, 4];
    bytes.extend([1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0, 4, 0x11, 0]);
    bytes.extend([0xff, 0xda, 0, 2, 0, 0xff, 0xd9]);
    check_refused(
        &bytes,
        "it is a CMYK JPEG, expected RGB or grey; convert it to sRGB first",
    );
}

#[test]
fn a_missing_file_names_itself() {
    let error = inspect(std::path::Path::new("/nowhere/at/all.png")).unwrap_err();
    assert!(error.to_string().contains("/nowhere/at/all.png"));
}

#[test]
fn sixteen_bits_are_rounded_and_grey_is_spread() {
    let deep: ImageBuffer<Rgb<u16>, Vec<u16>> =
        ImageBuffer::from_fn(4, 1, |x, _| Rgb([[0u16, 128, 129, 65_535][x as usize]; 3]));
    let image = read(&encoded(DynamicImage::ImageRgb16(deep), ImageFormat::Png)).unwrap();
    let row: Vec<u8> = image.pixels().map(|pixel| pixel.0[0]).collect();
    assert_eq!(row, [0, 0, 1, 255]);

    let grey: ImageBuffer<Luma<u8>, Vec<u8>> = ImageBuffer::from_fn(9, 9, |x, _| Luma([x as u8 * 20]));
    let image = read(&encoded(DynamicImage::ImageLuma8(grey), ImageFormat::Png)).unwrap();
    assert_eq!(image.get_pixel(5, 3).0, [100; 3]);
}

#[test]
fn alpha_is_laid_on_white() {
    let clear = RgbaImage::from_fn(3, 1, |x, _| Rgba([200, 0, 100, [0, 128, 255][x as usize]]));
    let image = read(&encoded(clear, ImageFormat::Png)).unwrap();
    let pixels: Vec<[u8; 3]> = image.pixels().map(|pixel| pixel.0).collect();
    assert_eq!(pixels, [[255, 255, 255], [227, 127, 177], [200, 0, 100]]);
}

#[test]
fn exif_orientation_is_applied() {
    let mut jpeg = encoded(gradient(), ImageFormat::Jpeg);
    let mut exif = vec![0xff, 0xe1, 0, 34];
    exif.extend(b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0");
    jpeg.splice(2..2, exif);
    let image = read(&jpeg).unwrap();
    assert_eq!(image.dimensions(), (24, 40));
    // Turned clockwise, the old left border is the new upper one.
    assert!(image.get_pixel(12, 1).0[0] < 40 && image.get_pixel(12, 38).0[0] > 200);
}

#[test]
fn still_pictures_of_every_format_are_read() {
    for format in [
        ImageFormat::Png,
        ImageFormat::Jpeg,
        ImageFormat::WebP,
        ImageFormat::Gif,
    ] {
        let image = read(&encoded(gradient(), format)).unwrap();
        assert_eq!(image.dimensions(), (40, 24), "{format:?}");
    }
}

#[test]
fn pictures_shrink_but_never_grow() {
    let (small, factor) = downscale(gradient(), Some(20));
    assert_eq!((small.dimensions(), factor), ((20, 12), 0.5));
    let (same, factor) = downscale(gradient(), Some(400));
    assert_eq!((same.dimensions(), factor), ((40, 24), 1.0));
}
