//! Images from formulas on whole numbers: the same as in `../golden/ssim.py`, which describes them.

use asap_core::Mask;
use asap_metrics::RgbView;

/// An image that owns its bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Picture {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) bytes: Vec<u8>,
}

impl Picture {
    pub(crate) fn from_fn(width: u32, height: u32, value: impl Fn(i64, i64, i64) -> i64) -> Self {
        let mut bytes = Vec::new();
        for y in 0..i64::from(height) {
            for x in 0..i64::from(width) {
                bytes.extend((0..3).map(|c| value(x, y, c).clamp(0, 255) as u8));
            }
        }
        Self { width, height, bytes }
    }

    /// The first image of a pair.
    pub(crate) fn named(width: u32, height: u32, name: &str, value: i64) -> Self {
        Self::from_fn(width, height, |x, y, c| match name {
            "noise" => noise(x, y, c, value as u32),
            "ramp" => (3 * x + 5 * y + 40 * c) % 256,
            "waves" => ((7 * x + 3 * y + 50 * c) % 510 - 255).abs(),
            "blocks" => 20 + 10 * c + 200 * ((x / 8 + y / 8) % 2),
            "constant" => value,
            other => panic!("no picture is named {other}"),
        })
    }

    /// The second image of a pair.
    pub(crate) fn changed(&self, mask: &Mask, change: &str, amount: i64) -> Self {
        let a = |x, y, c| i64::from(self.at(x, y, c));
        let noisy = |x, y, c, k| a(x, y, c) + noise(x, y, c, 9) % (2 * k + 1) - k;
        let marked = |x: i64, y: i64| mask.get(x as u32, y as u32);
        Self::from_fn(self.width, self.height, |x, y, c| match change {
            "same" => a(x, y, c),
            "inverted" => 255 - a(x, y, c),
            "lighter" => a(x, y, c) + amount,
            "blurred" => {
                let around = (-1..=1).flat_map(|dy| (-1..=1).map(move |dx| (dx, dy)));
                around.map(|(dx, dy)| a(x + dx, y + dy, c)).sum::<i64>() / 9
            }
            "noisy" => noisy(x, y, c, amount),
            "painted" | "repainted" if marked(x, y) => noise(x, y, c, 5),
            "painted" => a(x, y, c),
            "repainted" => noisy(x, y, c, 2),
            "other" => noise(x, y, c, 2),
            other => panic!("no change is named {other}"),
        })
    }

    pub(crate) fn view(&self) -> RgbView<'_> {
        RgbView::new(self.width, self.height, &self.bytes).expect("`from_fn` makes three bytes a pixel")
    }

    /// A byte; beyond the edge that of the nearest pixel.
    fn at(&self, x: i64, y: i64, c: i64) -> u8 {
        let x = x.clamp(0, i64::from(self.width) - 1) as usize;
        let y = y.clamp(0, i64::from(self.height) - 1) as usize;
        self.bytes[(y * self.width as usize + x) * 3 + c as usize]
    }
}

/// A byte that looks random.
pub(crate) fn noise(x: i64, y: i64, c: i64, seed: u32) -> i64 {
    let mut h = (x as u32).wrapping_mul(73_856_093)
        ^ (y as u32).wrapping_mul(19_349_663)
        ^ (c as u32).wrapping_mul(83_492_791)
        ^ seed.wrapping_mul(2_654_435_761);
    h ^= h >> 15;
    h = h.wrapping_mul(2_246_822_519);
    h ^= h >> 13;
    i64::from((h >> 8) & 255)
}

/// The mask of that name.
pub(crate) fn mask(width: u32, height: u32, name: &str) -> Mask {
    let (w, h) = (i64::from(width), i64::from(height));
    Mask::from_fn(width, height, |x, y| {
        let (x, y) = (i64::from(x), i64::from(y));
        match name {
            "disc" => (2 * x - w).pow(2) + (2 * y - h).pow(2) <= (w.min(h) / 2).pow(2),
            "line" => (x - y).abs() <= 1,
            "edge" => 3 * x < w,
            "corner" => x >= w - 20 && y >= h - 20,
            "full" => true,
            "empty" => false,
            other => panic!("no mask is named {other}"),
        }
    })
}
