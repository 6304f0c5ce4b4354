//! One-bit masks over an image.

use crate::geometry::BoxPx;

/// A one-bit image: `true` marks the pixels that a region or an edit covers.
///
/// Stored row by row, one byte a pixel in memory; on disk masks are one-bit PNG.
#[derive(Clone, PartialEq, Eq)]
pub struct Mask {
    width: u32,
    height: u32,
    bits: Vec<bool>,
}

impl std::fmt::Debug for Mask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Mask({}x{}, {} px)", self.width, self.height, self.area_px())
    }
}

impl Mask {
    /// An empty mask.
    pub fn new(width: u32, height: u32) -> Self {
        Self {
            width,
            height,
            bits: vec![false; width as usize * height as usize],
        }
    }

    /// A mask whose pixel (x, y) is `inside(x, y)`.
    pub fn from_fn(width: u32, height: u32, mut inside: impl FnMut(u32, u32) -> bool) -> Self {
        let bits = (0..height)
            .flat_map(|y| (0..width).map(move |x| (x, y)))
            .map(|(x, y)| inside(x, y))
            .collect();
        Self { width, height, bits }
    }

    /// A mask from row-major bits; `None` if their number is not `width * height`.
    pub fn from_bits(width: u32, height: u32, bits: Vec<bool>) -> Option<Self> {
        (bits.len() == width as usize * height as usize).then_some(Self { width, height, bits })
    }

    /// Columns.
    pub const fn width(&self) -> u32 {
        self.width
    }

    /// Rows.
    pub const fn height(&self) -> u32 {
        self.height
    }

    /// Row-major bits.
    pub fn bits(&self) -> &[bool] {
        &self.bits
    }

    /// Whether the pixel is marked; pixels outside the image are not.
    pub fn get(&self, x: u32, y: u32) -> bool {
        x < self.width && y < self.height && self.bits[y as usize * self.width as usize + x as usize]
    }

    /// Marks or clears a pixel; pixels outside the image are ignored.
    pub fn set(&mut self, x: u32, y: u32, inside: bool) {
        if x < self.width && y < self.height {
            self.bits[y as usize * self.width as usize + x as usize] = inside;
        }
    }

    /// The number of marked pixels.
    pub fn area_px(&self) -> u64 {
        self.bits.iter().filter(|&&bit| bit).count() as u64
    }

    /// The marked share of the image, 0 to 1.
    pub fn area_share(&self) -> f64 {
        if self.bits.is_empty() {
            0.0
        } else {
            self.area_px() as f64 / self.bits.len() as f64
        }
    }

    /// Whether nothing is marked.
    pub fn is_empty(&self) -> bool {
        !self.bits.contains(&true)
    }

    /// The box around the marked pixels.
    pub fn bounds(&self) -> Option<BoxPx> {
        let width = self.width as usize;
        let mut bounds: Option<BoxPx> = None;
        for (y, row) in self.bits.chunks_exact(width.max(1)).enumerate() {
            let Some(first) = row.iter().position(|&bit| bit) else {
                continue;
            };
            let last = row.iter().rposition(|&bit| bit).unwrap_or(first);
            let line = BoxPx {
                x0: first as u32,
                y0: y as u32,
                x1: last as u32 + 1,
                y1: y as u32 + 1,
            };
            bounds = Some(bounds.map_or(line, |b| b.union(&line)));
        }
        bounds
    }

    /// Marks what either mask marks.
    ///
    /// # Panics
    /// If the sizes differ: both masks of a pair have its size by construction.
    pub fn union(&self, other: &Self) -> Self {
        self.zip(other, |a, b| a || b)
    }

    /// Marks what both masks mark. Panics like [`Mask::union`].
    pub fn intersection(&self, other: &Self) -> Self {
        self.zip(other, |a, b| a && b)
    }

    /// Marks what this mask marks and `other` does not. Panics like [`Mask::union`].
    pub fn difference(&self, other: &Self) -> Self {
        self.zip(other, |a, b| a && !b)
    }

    /// Marks what this mask does not.
    pub fn complement(&self) -> Self {
        Self {
            width: self.width,
            height: self.height,
            bits: self.bits.iter().map(|bit| !bit).collect(),
        }
    }

    /// Every pixel within `radius_px` (Euclidean) of a marked one.
    pub fn dilated(&self, radius_px: u32) -> Self {
        if radius_px == 0 {
            return self.clone();
        }
        let limit = u64::from(radius_px) * u64::from(radius_px);
        let distances = self.squared_distances_to(true);
        Self {
            width: self.width,
            height: self.height,
            bits: distances.iter().map(|&d| d <= limit).collect(),
        }
    }

    /// Every marked pixel farther than `radius_px` (Euclidean) from any unmarked one.
    ///
    /// What lies beyond the image does not count as unmarked.
    pub fn eroded(&self, radius_px: u32) -> Self {
        if radius_px == 0 {
            return self.clone();
        }
        let limit = u64::from(radius_px) * u64::from(radius_px);
        let distances = self.squared_distances_to(false);
        Self {
            width: self.width,
            height: self.height,
            bits: distances.iter().map(|&d| d > limit).collect(),
        }
    }

    /// For every pixel the squared Euclidean distance to the nearest pixel whose bit is `target`
    /// (`u64::MAX` where there is none).
    ///
    /// The lower-envelope algorithm of Felzenszwalb and Huttenlocher (2012): exact, linear in the pixels.
    pub fn squared_distances_to(&self, target: bool) -> Vec<u64> {
        let (width, height) = (self.width as usize, self.height as usize);
        let mut vertical = vec![u64::MAX; width * height];
        for x in 0..width {
            let mut last: Option<usize> = None;
            for y in 0..height {
                if self.bits[y * width + x] == target {
                    last = Some(y);
                }
                if let Some(last) = last {
                    vertical[y * width + x] = ((y - last) as u64).pow(2);
                }
            }
            let mut next: Option<usize> = None;
            for y in (0..height).rev() {
                if self.bits[y * width + x] == target {
                    next = Some(y);
                }
                if let Some(next) = next {
                    let squared = ((next - y) as u64).pow(2);
                    vertical[y * width + x] = vertical[y * width + x].min(squared);
                }
            }
        }
        let mut distances = vec![u64::MAX; width * height];
        let mut envelope = Envelope::with_capacity(width);
        for (from, to) in vertical
            .chunks_exact(width.max(1))
            .zip(distances.chunks_exact_mut(width.max(1)))
        {
            envelope.run(from, to);
        }
        distances
    }

    /// The number of 8-connected components.
    pub fn component_count(&self) -> usize {
        let (width, height) = (self.width as usize, self.height as usize);
        let mut seen = vec![false; self.bits.len()];
        let mut stack = Vec::new();
        let mut count = 0;
        for start in 0..self.bits.len() {
            if !self.bits[start] || seen[start] {
                continue;
            }
            count += 1;
            seen[start] = true;
            stack.push(start);
            while let Some(at) = stack.pop() {
                let (x, y) = (at % width, at / width);
                for ny in y.saturating_sub(1)..=(y + 1).min(height - 1) {
                    for nx in x.saturating_sub(1)..=(x + 1).min(width - 1) {
                        let next = ny * width + nx;
                        if self.bits[next] && !seen[next] {
                            seen[next] = true;
                            stack.push(next);
                        }
                    }
                }
            }
        }
        count
    }

    fn zip(&self, other: &Self, f: fn(bool, bool) -> bool) -> Self {
        assert_eq!(
            (self.width, self.height),
            (other.width, other.height),
            "masks of different sizes"
        );
        let bits = self
            .bits
            .iter()
            .zip(&other.bits)
            .map(|(&a, &b)| f(a, b))
            .collect();
        Self {
            width: self.width,
            height: self.height,
            bits,
        }
    }
}

/// Scratch space of the one-dimensional lower envelope of parabolas.
struct Envelope {
    sites: Vec<usize>,
    starts: Vec<f64>,
}

impl Envelope {
    fn with_capacity(n: usize) -> Self {
        Self {
            sites: Vec::with_capacity(n),
            starts: Vec::with_capacity(n),
        }
    }

    /// `to[x] = min over q of (x - q)^2 + from[q]`.
    fn run(&mut self, from: &[u64], to: &mut [u64]) {
        self.sites.clear();
        self.starts.clear();
        for q in (0..from.len()).filter(|&q| from[q] != u64::MAX) {
            let mut start = f64::NEG_INFINITY;
            while let (Some(&p), Some(&p_start)) = (self.sites.last(), self.starts.last()) {
                let meet = ((from[q] + (q * q) as u64) as f64 - (from[p] + (p * p) as u64) as f64)
                    / (2.0 * (q as f64 - p as f64));
                if meet > p_start {
                    start = meet;
                    break;
                }
                self.sites.pop();
                self.starts.pop();
            }
            self.sites.push(q);
            self.starts.push(start);
        }
        let mut site_idx = 0;
        for (x, out) in to.iter_mut().enumerate() {
            while site_idx + 1 < self.sites.len() && self.starts[site_idx + 1] < x as f64 {
                site_idx += 1;
            }
            if let Some(&q) = self.sites.get(site_idx) {
                *out = (x.abs_diff(q) as u64).pow(2) + from[q];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(rows: &[&str]) -> Mask {
        let bits = rows
            .iter()
            .flat_map(|row| row.bytes().map(|b| b == b'#'))
            .collect();
        Mask::from_bits(rows[0].len() as u32, rows.len() as u32, bits).unwrap()
    }

    #[test]
    fn distances_equal_brute_force() {
        let mut stream = crate::Stream::new(3, "mask distances");
        for (width, height) in [(1, 1), (7, 3), (16, 11)] {
            for share in [0.0, 0.05, 0.5, 1.0] {
                let mask = Mask::from_fn(width, height, |_, _| stream.unit() < share);
                let got = mask.squared_distances_to(true);
                for y in 0..height {
                    for x in 0..width {
                        let expected = (0..height)
                            .flat_map(|v| (0..width).map(move |u| (u, v)))
                            .filter(|&(u, v)| mask.get(u, v))
                            .map(|(u, v)| u64::from(u.abs_diff(x)).pow(2) + u64::from(v.abs_diff(y)).pow(2))
                            .min()
                            .unwrap_or(u64::MAX);
                        assert_eq!(got[(y * width + x) as usize], expected);
                    }
                }
            }
        }
    }

    #[test]
    fn dilation_and_erosion_are_discs() {
        let dot = mask(&[".....", ".....", "..#..", ".....", "....."]);
        assert_eq!(
            dot.dilated(1),
            mask(&[".....", "..#..", ".###.", "..#..", "....."])
        );
        assert_eq!(dot.dilated(1).eroded(1), dot);
        assert_eq!(mask(&["###", "###", "###"]).eroded(1).area_px(), 9);
    }

    #[test]
    fn bounds_and_components() {
        let two = mask(&["#....", ".#...", "....#"]);
        assert_eq!(
            two.bounds(),
            Some(BoxPx {
                x0: 0,
                y0: 0,
                x1: 5,
                y1: 3
            })
        );
        assert_eq!(two.component_count(), 2);
        assert_eq!(Mask::new(4, 4).bounds(), None);
    }
}
