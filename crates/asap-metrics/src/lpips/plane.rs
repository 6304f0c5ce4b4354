//! Feature maps in memory.

use super::span::Span;

/// Channels that lie beside each other.
pub(crate) const LANES: usize = 16;
/// One block of channels of one pixel.
pub(crate) type Lane = [f32; LANES];

/// A box of a feature map: blocks of channels, each row by row, the channels of a pixel beside each other.
///
/// Around the box there is a rim of zeros, the padding of the layer that reads it. A rim inside the whole map is
/// never read: the box was chosen to hold what is needed.
#[derive(Clone, Debug)]
pub(crate) struct Plane {
    /// Rows and columns of the whole map.
    pub(crate) size: (usize, usize),
    /// The part that is held.
    pub(crate) span: Span,
    pub(crate) n_blocks: usize,
    /// Channels of a block: [`LANES`], or 3 for an image.
    pub(crate) block: usize,
    /// Width of the rim.
    pub(crate) rim: usize,
    pub(crate) data: Vec<f32>,
}

impl Plane {
    pub(crate) fn zeros(
        size: (usize, usize),
        span: Span,
        (n_blocks, block): (usize, usize),
        rim: usize,
    ) -> Self {
        let (height, width) = (span.rows.len() + 2 * rim, span.columns.len() + 2 * rim);
        Self {
            size,
            span,
            n_blocks,
            block,
            rim,
            data: vec![0.0; n_blocks * height * width * block],
        }
    }

    /// Numbers in a row with its rim.
    pub(crate) fn row_len(&self) -> usize {
        (self.span.columns.len() + 2 * self.rim) * self.block
    }

    /// Numbers in a block of channels with its rim.
    pub(crate) fn block_len(&self) -> usize {
        (self.span.rows.len() + 2 * self.rim) * self.row_len()
    }

    /// Where the numbers of a pixel of the map begin, in a block of channels.
    ///
    /// `row` and `column` count from the first row and column of the whole map's own rim.
    pub(crate) fn offset_with_rim(&self, block_idx: usize, row: usize, column: usize) -> usize {
        block_idx * self.block_len()
            + (row - self.span.rows.start) * self.row_len()
            + (column - self.span.columns.start) * self.block
    }

    /// The channels of a pixel of the map in a block of [`LANES`].
    pub(crate) fn lane(&self, block_idx: usize, row: usize, column: usize) -> &Lane {
        let offset = self.offset_with_rim(block_idx, row + self.rim, column + self.rim);
        self.data[offset..]
            .first_chunk()
            .expect("a map has whole blocks of channels")
    }
}
