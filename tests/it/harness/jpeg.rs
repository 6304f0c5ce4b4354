//! JPEG files as cameras and print shops write them, which the `image` crate itself does not write.

use image::RgbImage;

/// A JPEG with an EXIF segment that says how to turn the picture (1 to 8).
pub(crate) fn with_orientation(image: &RgbImage, orientation: u8) -> Vec<u8> {
    let plain = plain(image);
    // TIFF header (big-endian), one entry: tag 0x0112, type SHORT, one value.
    let mut tiff = b"MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    tiff.extend([orientation, 0, 0, 0, 0, 0, 0]);
    let mut segment = b"Exif\0\0".to_vec();
    segment.extend(tiff);
    let mut bytes = vec![0xff, 0xd8];
    put_segment(&mut bytes, 0xe1, &segment);
    bytes.extend(&plain[2..]);
    bytes
}

/// A JPEG.
pub(crate) fn plain(image: &RgbImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, 92)
        .encode_image(image)
        .unwrap();
    bytes
}

/// The same JPEG with other dimensions in its header.
pub(crate) fn with_header_size(mut jpeg: Vec<u8>, width: u16, height: u16) -> Vec<u8> {
    let frame = jpeg
        .windows(2)
        .position(|marker| marker[0] == 0xff && (0xc0..=0xc2).contains(&marker[1]))
        .expect("every JPEG has a frame header");
    jpeg[frame + 5..frame + 7].copy_from_slice(&height.to_be_bytes());
    jpeg[frame + 7..frame + 9].copy_from_slice(&width.to_be_bytes());
    jpeg
}

/// A baseline CMYK JPEG as Adobe programs write it (inverted inks, no transform). Each 8x8 block has the
/// mean colour of its pixels.
pub(crate) fn cmyk(image: &RgbImage) -> Vec<u8> {
    let (width, height) = image.dimensions();
    let mut bytes = vec![0xff, 0xd8];
    put_segment(&mut bytes, 0xee, b"Adobe\0\x64\0\0\0\0\0");
    let mut quantization = vec![0];
    quantization.extend([8; 64]);
    put_segment(&mut bytes, 0xdb, &quantization);
    let mut frame = vec![8];
    frame.extend((height as u16).to_be_bytes());
    frame.extend((width as u16).to_be_bytes());
    frame.push(4);
    (1..=4).for_each(|id| frame.extend([id, 0x11, 0]));
    put_segment(&mut bytes, 0xc0, &frame);
    // DC: sixteen categories as codes of five bits; AC: one code of one bit, the end of the block.
    let mut huffman = vec![0x00, 0, 0, 0, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    huffman.extend(0..12);
    huffman.extend([0x10, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    put_segment(&mut bytes, 0xc4, &huffman);
    let mut scan = vec![4];
    (1..=4).for_each(|id| scan.extend([id, 0x00]));
    scan.extend([0, 63, 0]);
    put_segment(&mut bytes, 0xda, &scan);
    bytes.extend(dc_blocks(image));
    bytes.extend([0xff, 0xd9]);
    bytes
}

fn put_segment(bytes: &mut Vec<u8>, marker: u8, body: &[u8]) {
    bytes.extend([0xff, marker]);
    bytes.extend((body.len() as u16 + 2).to_be_bytes());
    bytes.extend(body);
}

/// The entropy-coded data: for each block of each ink its mean, as a difference to the block before.
fn dc_blocks(image: &RgbImage) -> Vec<u8> {
    let mut bits = Bits::default();
    let mut before = [0; 4];
    let (n_cols, n_rows) = (image.width().div_ceil(8), image.height().div_ceil(8));
    for block in 0..n_cols * n_rows {
        let mean = block_mean(image, block % n_cols * 8, block / n_cols * 8);
        // Inverted inks without black: the stored values are red, green, blue and full white.
        for (ink, value) in [mean[0], mean[1], mean[2], 255].into_iter().enumerate() {
            // The DC coefficient of a flat block is eight times its value; the quantizer divides by 8.
            let dc = value - 128;
            let difference = dc - before[ink];
            before[ink] = dc;
            let category = 32 - difference.unsigned_abs().leading_zeros();
            bits.put(category, 5);
            let offset = if difference < 0 { (1 << category) - 1 } else { 0 };
            bits.put((difference + offset) as u32, category);
            bits.put(0, 1);
        }
    }
    bits.finish()
}

fn block_mean(image: &RgbImage, left: u32, top: u32) -> [i32; 3] {
    let mut sum = [0; 3];
    let (right, bottom) = ((left + 8).min(image.width()), (top + 8).min(image.height()));
    for y in top..bottom {
        for x in left..right {
            image
                .get_pixel(x, y)
                .0
                .iter()
                .zip(&mut sum)
                .for_each(|(&value, sum)| *sum += i32::from(value));
        }
    }
    sum.map(|sum| sum / ((right - left) * (bottom - top)) as i32)
}

#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    waiting: u32,
    n_waiting: u32,
}

impl Bits {
    fn put(&mut self, value: u32, n: u32) {
        for idx in (0..n).rev() {
            self.waiting = self.waiting << 1 | (value >> idx & 1);
            self.n_waiting += 1;
            if self.n_waiting == 8 {
                let byte = self.waiting as u8;
                self.bytes.push(byte);
                // A data byte 0xff is followed by 0, so that it is not taken for a marker.
                if byte == 0xff {
                    self.bytes.push(0);
                }
                (self.waiting, self.n_waiting) = (0, 0);
            }
        }
    }

    fn finish(mut self) -> Vec<u8> {
        while self.n_waiting > 0 {
            self.put(1, 1);
        }
        self.bytes
    }
}

#[test]
fn the_cmyk_file_decodes_to_its_colours() {
    let image = RgbImage::from_fn(40, 24, |x, _| image::Rgb([x as u8 * 6, 200, 90]));
    let decoded = image::load_from_memory(&cmyk(&image)).unwrap().into_rgb8();
    assert_eq!(decoded.dimensions(), (40, 24));
    for (x, y) in [(4, 4), (20, 12), (36, 20)] {
        let (got, want) = (decoded.get_pixel(x, y), image.get_pixel(x, y));
        assert!(
            got.0.iter().zip(want.0).all(|(&a, b)| a.abs_diff(b) < 24),
            "{got:?} for {want:?}"
        );
    }
}
