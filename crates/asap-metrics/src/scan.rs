//! Walks an image pair in strips of columns and computes SSIM where it is not known beforehand.

use asap_core::Mask;

use crate::RgbView;
use crate::kernel::{Columns, LOADED, Line, RADIUS, STRIP, WINDOW, add_ssim};

/// Lines that are kept before the last ones are moved to the front.
const RING: usize = 32;

/// Which differences between the images are let stand; at the other pixels `y` is taken to equal `x`.
#[derive(Clone, Copy)]
pub(crate) enum Differences<'a> {
    /// All.
    Everywhere,
    /// Those at marked pixels: the second image is `where(mask, y, x)`.
    Inside(&'a Mask),
    /// Those at unmarked pixels: the second image is `where(mask, x, y)`.
    Outside(&'a Mask),
}

impl Differences<'_> {
    fn stand_at(&self, pixel_idx: usize) -> bool {
        match self {
            Self::Everywhere => true,
            Self::Inside(mask) => mask.bits()[pixel_idx],
            Self::Outside(mask) => !mask.bits()[pixel_idx],
        }
    }
}

/// What to do about windows in which the images are equal: their SSIM is exactly 1 either way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EqualWindows {
    /// Leave them out: the caller takes what is not reported as 1.
    Skip,
    /// Compute them like any other.
    #[cfg(test)]
    Compute,
}

/// Calls `report(x, y, values)` for runs of pixels in one row, where `values[i]` is the SSIM, averaged over the
/// channels, of the window around pixel `(x + i, y)` of the image.
///
/// Reported are pixels at least [`RADIUS`] from the image's edge, none twice, in an order that depends on the
/// sizes alone. What is not reported has SSIM 1.
pub(crate) fn for_each_run(
    x: RgbView<'_>,
    y: RgbView<'_>,
    differences: Differences<'_>,
    equal_windows: EqualWindows,
    mut report: impl FnMut(usize, usize, &[f64]),
) {
    let (width, height) = (x.width() as usize, x.height() as usize);
    if width < WINDOW || height < WINDOW {
        return;
    }
    let mut strip = Strip::new(x, y, differences);
    for first_column in (0..=width - WINDOW).step_by(STRIP) {
        strip.start(first_column);
        let n_results = (width - WINDOW + 1 - first_column).min(STRIP);
        // The last row read in which something differs; a window from `row` on sees it while row <= last.
        let mut last_changed = None;
        let mut n_seen = 0;
        for row in 0..=height - WINDOW {
            for seen in n_seen..row + WINDOW {
                if equal_windows != EqualWindows::Skip || strip.has_change(seen) {
                    last_changed = Some(seen);
                }
            }
            n_seen = row + WINDOW;
            if last_changed.is_some_and(|last| last >= row) {
                let values = strip.results(row);
                report(first_column + RADIUS, row + RADIUS, &values[..n_results]);
            }
        }
    }
}

/// A strip of columns with the last lines read.
struct Strip<'a> {
    x: RgbView<'a>,
    y: RgbView<'a>,
    differences: Differences<'a>,
    /// Columns of the image that the strip covers.
    columns: std::ops::Range<usize>,
    /// Image rows that `lines` holds; the first lies at line `at`.
    rows: std::ops::Range<usize>,
    at: usize,
    lines: Box<Lines>,
    filtered: Box<Columns>,
    row: [f64; STRIP],
}

/// For each channel `x + y` and `x - y`.
#[repr(align(64))]
struct Lines {
    sums: [[Line; RING]; 3],
    differences: [[Line; RING]; 3],
}

impl<'a> Strip<'a> {
    fn new(x: RgbView<'a>, y: RgbView<'a>, differences: Differences<'a>) -> Self {
        Self {
            x,
            y,
            differences,
            columns: 0..0,
            rows: 0..0,
            at: 0,
            lines: Box::new(Lines {
                sums: [[[0.0; LOADED]; RING]; 3],
                differences: [[[0.0; LOADED]; RING]; 3],
            }),
            filtered: Box::new(Columns::new()),
            row: [0.0; STRIP],
        }
    }

    /// Moves to the strip whose first window begins at `first_column`.
    ///
    /// A last strip that is narrower keeps stale columns beyond the image; their results are never reported.
    fn start(&mut self, first_column: usize) {
        let end = (first_column + STRIP + WINDOW - 1).min(self.x.width() as usize);
        self.columns = first_column..end;
        self.rows = 0..0;
        self.at = 0;
    }

    /// Whether a difference that stands lies in the strip's columns of image row `row`.
    fn has_change(&self, row: usize) -> bool {
        let (from, to) = (self.columns.start, self.columns.end);
        let (x, y) = (self.x.span(row, from, to), self.y.span(row, from, to));
        if x == y {
            return false;
        }
        if matches!(self.differences, Differences::Everywhere) {
            return true;
        }
        let first_idx = row * self.x.width() as usize + from;
        let mut pixels = x.chunks_exact(3).zip(y.chunks_exact(3)).enumerate();
        pixels.any(|(i, (x, y))| x != y && self.differences.stand_at(first_idx + i))
    }

    /// The results of the windows that begin at image row `row`.
    fn results(&mut self, row: usize) -> &[f64; STRIP] {
        self.advance(row);
        self.row.fill(0.0);
        for channel in 0..3 {
            let (Some(sums), Some(differences)) = (
                self.lines.sums[channel][self.at..].first_chunk(),
                self.lines.differences[channel][self.at..].first_chunk(),
            ) else {
                unreachable!("`advance` keeps a whole window of lines");
            };
            add_ssim(sums, differences, &mut self.filtered, &mut self.row);
        }
        for value in &mut self.row {
            *value /= 3.0;
        }
        &self.row
    }

    /// Makes the lines hold the rows `row..row + WINDOW`.
    fn advance(&mut self, row: usize) {
        if row >= self.rows.end {
            self.rows = row..row;
            self.at = 0;
        }
        self.at += row - self.rows.start;
        self.rows.start = row;
        while self.rows.end < row + WINDOW {
            let mut line = self.at + self.rows.len();
            if line == RING {
                let (at, held) = (self.at, self.rows.len());
                for channel in 0..3 {
                    self.lines.sums[channel].copy_within(at..at + held, 0);
                    self.lines.differences[channel].copy_within(at..at + held, 0);
                }
                self.at = 0;
                line = held;
            }
            self.load(self.rows.end, line);
            self.rows.end += 1;
        }
    }

    /// Reads image row `row` into line `line`.
    fn load(&mut self, row: usize, line: usize) {
        let (from, to) = (self.columns.start, self.columns.end);
        let (x, y) = (self.x.span(row, from, to), self.y.span(row, from, to));
        for channel in 0..3 {
            let sums = &mut self.lines.sums[channel][line];
            let differences = &mut self.lines.differences[channel][line];
            let pixels = x.chunks_exact(3).zip(y.chunks_exact(3));
            for ((sum, difference), (x, y)) in sums.iter_mut().zip(differences).zip(pixels) {
                let (x, y) = (f32::from(x[channel]), f32::from(y[channel]));
                *sum = x + y;
                *difference = x - y;
            }
        }
        if !matches!(self.differences, Differences::Everywhere) {
            self.equalise(row, line);
        }
    }

    /// Takes back the differences that do not stand: there `y` becomes `x`.
    fn equalise(&mut self, row: usize, line: usize) {
        let first_idx = row * self.x.width() as usize + self.columns.start;
        for i in 0..self.columns.len() {
            if self.differences.stand_at(first_idx + i) {
                continue;
            }
            for channel in 0..3 {
                // 2x = (x + y) + (x - y), exact for bytes.
                self.lines.sums[channel][line][i] += self.lines.differences[channel][line][i];
                self.lines.differences[channel][line][i] = 0.0;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All values by position, 1 where none was reported.
    fn values(
        (x, y): (RgbView<'_>, RgbView<'_>),
        differences: Differences<'_>,
        equal_windows: EqualWindows,
    ) -> (Vec<f64>, usize) {
        let width = x.width() as usize;
        let mut values = vec![1.0; width * x.height() as usize];
        let mut n_reported = 0;
        for_each_run(x, y, differences, equal_windows, |at, row, run| {
            n_reported += run.len();
            values[row * width + at..][..run.len()].copy_from_slice(run);
        });
        (values, n_reported)
    }

    #[test]
    fn leaving_out_equal_windows_changes_no_bit() {
        let mut stream = asap_core::Stream::new(8, "sparse changes");
        for (width, height, n_changes) in [
            (300, 64, 0),
            (300, 64, 3),
            (140, 90, 12),
            (11, 200, 2),
            (61, 31, 400),
        ] {
            let first: Vec<u8> = (0..width * height * 3).map(|_| stream.below(256) as u8).collect();
            let mut second = first.clone();
            for _ in 0..n_changes {
                second[stream.below(first.len())] ^= 1 + stream.below(255) as u8;
            }
            let mask = Mask::from_fn(width as u32, height as u32, |x, _| x * 2 < width as u32);
            let view = |bytes| RgbView::new(width as u32, height as u32, bytes).unwrap();
            let pair = (view(&first), view(&second));
            for differences in [
                Differences::Everywhere,
                Differences::Inside(&mask),
                Differences::Outside(&mask),
            ] {
                let (skipped, n_computed) = values(pair, differences, EqualWindows::Skip);
                let (plain, n_all) = values(pair, differences, EqualWindows::Compute);
                assert_eq!(skipped, plain);
                assert_eq!(n_all, (width - 10) * (height - 10));
                assert!(
                    n_changes > 3 || n_computed < n_all / 2,
                    "{n_computed} of {n_all} computed"
                );
            }
        }
    }
}
