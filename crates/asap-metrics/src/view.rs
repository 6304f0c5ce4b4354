//! Borrowed pixels: the only form in which images enter this crate.

use crate::{Error, Result};

/// A borrowed image of packed RGB8: row by row, three bytes a pixel, no padding, no alpha.
///
/// An image with alpha is composited or stripped by the caller; four channels are never averaged.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RgbView<'a> {
    width: u32,
    height: u32,
    data: &'a [u8],
}

impl std::fmt::Debug for RgbView<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RgbView({}x{})", self.width, self.height)
    }
}

impl<'a> RgbView<'a> {
    /// A view of `data`.
    ///
    /// # Errors
    /// [`Error::BufferLength`] unless `data` has exactly `width * height * 3` bytes.
    pub const fn new(width: u32, height: u32, data: &'a [u8]) -> Result<Self> {
        // Two u32 and a factor of 3 can exceed 64 bits only from 2^31 pixels a side on.
        let expected_bytes = (width as u64 * height as u64).saturating_mul(3);
        if data.len() as u64 != expected_bytes {
            return Err(Error::BufferLength {
                width,
                height,
                expected_bytes,
                got_bytes: data.len() as u64,
            });
        }
        Ok(Self { width, height, data })
    }

    /// Columns.
    pub const fn width(&self) -> u32 {
        self.width
    }

    /// Rows.
    pub const fn height(&self) -> u32 {
        self.height
    }

    /// The bytes, row by row.
    pub const fn data(&self) -> &'a [u8] {
        self.data
    }

    /// The bytes of row `y`.
    pub(crate) fn row(&self, y: usize) -> &'a [u8] {
        let row_bytes = self.width as usize * 3;
        &self.data[y * row_bytes..(y + 1) * row_bytes]
    }

    /// The bytes of the columns `x0..x1` of row `y`.
    pub(crate) fn span(&self, y: usize, x0: usize, x1: usize) -> &'a [u8] {
        &self.row(y)[x0 * 3..x1 * 3]
    }

    /// Refuses `other` unless it has this size.
    pub(crate) fn check_same_size(&self, what: &'static str, other: (u32, u32)) -> Result<()> {
        let expected = (self.width, self.height);
        if other == expected {
            Ok(())
        } else {
            Err(Error::SizesDiffer {
                what,
                expected,
                got: other,
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_of_the_wrong_length_is_refused_with_both_numbers() {
        let error = RgbView::new(4, 2, &[0; 23]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "pixel buffer of a 4x2 image: expected 24 bytes (`width * height * 3`, packed RGB8), got 23"
        );
        assert!(RgbView::new(u32::MAX, u32::MAX, &[]).is_err());
        assert!(RgbView::new(0, 7, &[]).is_ok());
    }
}
