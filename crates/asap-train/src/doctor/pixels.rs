//! How two images differ inside and outside of a mask.

use asap_core::Mask;
use image::RgbImage;
use serde::Serialize;

/// The difference of two images over some pixels, in grey levels; a pixel's is the largest of its three channels.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// The mean.
    pub mean: f64,
    /// The largest.
    pub max: u8,
    /// Share of pixels that differ at all, 0 to 1.
    pub changed_share: f64,
}

/// A mask against the two images of its pair.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct MaskFacts {
    /// Marked share of the image, 0 to 1.
    pub share: f64,
    /// Over the marked pixels; `None` where there are none.
    pub inside: Option<Difference>,
    /// Over the others; `None` where there are none.
    pub outside: Option<Difference>,
}

/// Images or masks of a pair that do not have one size.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected the size of the preferred image, {expected_width} x {expected_height} px, got {got_width} x {got_height} px for {what}"
)]
pub struct SizeError {
    /// What has another size.
    pub what: &'static str,
    /// Columns of the preferred image.
    pub expected_width: u32,
    /// Rows of the preferred image.
    pub expected_height: u32,
    /// Columns that were found.
    pub got_width: u32,
    /// Rows that were found.
    pub got_height: u32,
}

impl MaskFacts {
    /// Compares two images of one size inside and outside of a mask of that size.
    ///
    /// # Errors
    /// [`SizeError`] where sizes differ.
    pub fn of(
        preferred: &RgbImage,
        rejected: &RgbImage,
        (mask, name): (&Mask, &'static str),
    ) -> Result<Self, SizeError> {
        let expected = preferred.dimensions();
        for (what, got) in [
            ("the rejected image", rejected.dimensions()),
            (name, (mask.width(), mask.height())),
        ] {
            if got != expected {
                return Err(SizeError {
                    what,
                    expected_width: expected.0,
                    expected_height: expected.1,
                    got_width: got.0,
                    got_height: got.1,
                });
            }
        }
        let mut sums = [Sum::default(); 2];
        let pixels = preferred
            .as_raw()
            .chunks_exact(3)
            .zip(rejected.as_raw().chunks_exact(3));
        for ((a, b), &is_inside) in pixels.zip(mask.bits()) {
            sums[usize::from(is_inside)].add(largest(a, b));
        }
        let [outside, inside] = sums;
        Ok(Self {
            share: mask.area_share(),
            inside: inside.difference(),
            outside: outside.difference(),
        })
    }

    /// Whether the images differ nowhere.
    pub fn is_equal(&self) -> bool {
        [self.inside, self.outside]
            .iter()
            .flatten()
            .all(|side| side.max == 0)
    }

    /// How many times what a pixel inside differs one outside does, on average; `None` where a side has no pixel or
    /// the images are equal.
    pub fn outside_over_inside(&self) -> Option<f64> {
        let (inside, outside) = (self.inside?, self.outside?);
        ratio(outside.mean, inside.mean)
    }
}

/// `over` / `under`, infinite where only `under` is 0, and `None` where both are.
pub(super) fn ratio(over: f64, under: f64) -> Option<f64> {
    (over > 0.0 || under > 0.0).then_some(over / under)
}

/// The largest difference of a pixel's channels.
pub(super) fn largest(a: &[u8], b: &[u8]) -> u8 {
    a.iter().zip(b).map(|(a, b)| a.abs_diff(*b)).max().unwrap_or(0)
}

#[derive(Clone, Copy, Default)]
struct Sum {
    n: u64,
    n_changed: u64,
    total: u64,
    max: u8,
}

impl Sum {
    fn add(&mut self, difference: u8) {
        self.n += 1;
        self.n_changed += u64::from(difference > 0);
        self.total += u64::from(difference);
        self.max = self.max.max(difference);
    }

    fn difference(&self) -> Option<Difference> {
        let n = self.n as f64;
        (self.n > 0).then(|| Difference {
            mean: self.total as f64 / n,
            max: self.max,
            changed_share: self.n_changed as f64 / n,
        })
    }
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;

    /// Four by two pixels, of which the left half differs by 10 in one channel and one pixel on the right by 4.
    fn images() -> [RgbImage; 2] {
        let preferred = RgbImage::from_pixel(4, 2, Rgb([100, 100, 100]));
        let mut rejected = preferred.clone();
        for (x, y) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
            rejected.put_pixel(x, y, Rgb([100, 110, 99]));
        }
        rejected.put_pixel(3, 1, Rgb([96, 100, 101]));
        [preferred, rejected]
    }

    #[test]
    fn both_sides_of_a_mask_are_counted() {
        let [preferred, rejected] = images();
        let mask = Mask::from_fn(4, 2, |x, _| x < 2);
        let facts = MaskFacts::of(&preferred, &rejected, (&mask, "the mask")).unwrap();
        let side = |mean, max, changed_share| {
            Some(Difference {
                mean,
                max,
                changed_share,
            })
        };
        assert_eq!(facts.share, 0.5);
        assert_eq!(facts.inside, side(10.0, 10, 1.0));
        assert_eq!(facts.outside, side(1.0, 4, 0.25));
        assert_eq!(facts.outside_over_inside(), Some(0.1));
        let inverse = MaskFacts::of(&preferred, &rejected, (&mask.complement(), "the mask")).unwrap();
        assert_eq!(inverse.outside_over_inside(), Some(10.0));
    }

    #[test]
    fn what_is_not_there_is_not_measured() {
        let [preferred, rejected] = images();
        let of = |mask: &Mask| MaskFacts::of(&preferred, &rejected, (mask, "the mask")).unwrap();
        assert_eq!(of(&Mask::new(4, 2)).inside, None);
        assert_eq!(of(&Mask::new(4, 2).complement()).outside, None);
        let mask = Mask::from_fn(4, 2, |x, _| x < 2);
        let equal = MaskFacts::of(&preferred, &preferred, (&mask, "the mask")).unwrap();
        assert!(equal.is_equal());
        assert_eq!(equal.outside_over_inside(), None);
    }

    #[test]
    fn other_sizes_are_refused() {
        let [preferred, rejected] = images();
        let error = MaskFacts::of(&preferred, &rejected, (&Mask::new(2, 4), "the mask")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "expected the size of the preferred image, 4 x 2 px, got 2 x 4 px for the mask"
        );
    }
}
