//! What a picture file says about itself, read without decoding a pixel.
//!
//! Decoders allocate what a header asks for and some of them accept a file that was cut off. This reader
//! only walks chunks and markers, so a lying header costs nothing.

use image::ImageFormat;

/// The facts that decide whether a picture is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    /// Columns as stored.
    pub(crate) width: u32,
    /// Rows as stored.
    pub(crate) height: u32,
    /// Frames of an animation, 1 for a still image.
    pub(crate) n_frames: u32,
    /// Colour channels of a JPEG, 0 for other formats.
    pub(crate) n_jpeg_channels: u8,
    /// Whether the end of the picture is there.
    pub(crate) end: End,
}

/// Whether a file goes on to its own end mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It does.
    Found,
    /// It was cut off.
    Missing,
}

/// Reads the header of a picture; `None` where there is none.
pub(crate) fn read(bytes: &[u8], format: ImageFormat) -> Option<Header> {
    match format {
        ImageFormat::Png => png(bytes),
        ImageFormat::Jpeg => jpeg(bytes),
        ImageFormat::WebP => webp(bytes),
        ImageFormat::Gif => gif(bytes),
        _ => None,
    }
}

fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn be16(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from(u16::from_be_bytes(
        bytes.get(at..at + 2)?.try_into().ok()?,
    )))
}

fn le32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn le16(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from(u16::from_le_bytes(
        bytes.get(at..at + 2)?.try_into().ok()?,
    )))
}

fn png(bytes: &[u8]) -> Option<Header> {
    let mut header = Header {
        width: be32(bytes, 16)?,
        height: be32(bytes, 20)?,
        n_frames: 1,
        n_jpeg_channels: 0,
        end: End::Missing,
    };
    let mut at = 8;
    while let (Some(length), Some(kind)) = (be32(bytes, at), bytes.get(at + 4..at + 8)) {
        match kind {
            b"acTL" => header.n_frames = be32(bytes, at + 8).unwrap_or(1),
            b"IEND" => header.end = End::Found,
            _ => {}
        }
        at = at.saturating_add(12).saturating_add(length as usize);
    }
    Some(header)
}

fn jpeg(bytes: &[u8]) -> Option<Header> {
    let mut header = None;
    let mut at = 2;
    while let Some(&[mark, marker]) = bytes.get(at..at + 2).and_then(|b| b.first_chunk::<2>()) {
        if mark != 0xff {
            return header;
        }
        match marker {
            0xff => {
                at += 1;
                continue;
            }
            0x01 | 0xd0..=0xd8 => {
                at += 2;
                continue;
            }
            0xc0..=0xcf if !matches!(marker, 0xc4 | 0xc8 | 0xcc) => {
                header = Some(Header {
                    height: be16(bytes, at + 5)?,
                    width: be16(bytes, at + 7)?,
                    n_frames: 1,
                    n_jpeg_channels: *bytes.get(at + 9)?,
                    end: End::Missing,
                });
            }
            // A marker inside compressed data is escaped, so the first end mark after the first scan
            // is the true one; an embedded preview lies before it.
            0xda => {
                let end = bytes[at..].windows(2).any(|pair| pair == [0xff, 0xd9]);
                return header.map(|header| Header {
                    end: if end { End::Found } else { End::Missing },
                    ..header
                });
            }
            _ => {}
        }
        at += 2 + be16(bytes, at + 2)? as usize;
    }
    header
}

fn webp(bytes: &[u8]) -> Option<Header> {
    let end = if u64::from(le32(bytes, 4)?) + 8 <= bytes.len() as u64 {
        End::Found
    } else {
        End::Missing
    };
    let (width, height) = match bytes.get(12..16)? {
        b"VP8X" => (1 + (le32(bytes, 24)? & 0xff_ffff), 1 + (le32(bytes, 26)? >> 8)),
        b"VP8L" => {
            let packed = le32(bytes, 21)?;
            (1 + (packed & 0x3fff), 1 + (packed >> 14 & 0x3fff))
        }
        b"VP8 " => (le16(bytes, 26)? & 0x3fff, le16(bytes, 28)? & 0x3fff),
        _ => return None,
    };
    let mut n_frames = 0;
    let mut at = 12;
    while let (Some(kind), Some(length)) = (bytes.get(at..at + 4), le32(bytes, at + 4)) {
        n_frames += u32::from(kind == b"ANMF");
        at = at
            .saturating_add(8)
            .saturating_add(length as usize)
            .saturating_add(length as usize & 1);
    }
    Some(Header {
        width,
        height,
        n_frames: n_frames.max(1),
        n_jpeg_channels: 0,
        end,
    })
}

fn gif(bytes: &[u8]) -> Option<Header> {
    let mut header = Header {
        width: le16(bytes, 6)?,
        height: le16(bytes, 8)?,
        n_frames: 0,
        n_jpeg_channels: 0,
        end: End::Missing,
    };
    let mut at = 13 + color_table_bytes(*bytes.get(10)?);
    while let Some(&kind) = bytes.get(at) {
        match kind {
            0x21 => at += 2,
            0x2c => {
                header.n_frames += 1;
                let Some(&flags) = bytes.get(at + 9) else {
                    break;
                };
                at += 11 + color_table_bytes(flags);
            }
            0x3b => {
                header.end = End::Found;
                break;
            }
            _ => break,
        }
        while let Some(&length) = bytes.get(at) {
            at += 1 + usize::from(length);
            if length == 0 {
                break;
            }
        }
    }
    header.n_frames = header.n_frames.max(1);
    Some(header)
}

fn color_table_bytes(flags: u8) -> usize {
    if flags & 0x80 == 0 {
        0
    } else {
        3 << ((flags & 7) + 1)
    }
}
