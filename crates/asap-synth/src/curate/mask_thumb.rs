//! A mask small enough to keep one for every pair.

use asap_core::{BoxPx, Mask};

/// Cells along each side.
const SIDE: u32 = 32;
/// Sample points along each side when two masks are compared.
const N_SAMPLES: u32 = 64;

/// The box around a mask and 32x32 bits inside it: 144 bytes for a mask of any size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MaskThumb {
    bounds: Option<BoxPx>,
    rows: [u32; SIDE as usize],
}

impl MaskThumb {
    /// Takes the bit at the middle of each cell.
    pub fn of(mask: &Mask) -> Self {
        let Some(bounds) = mask.bounds() else {
            return Self {
                bounds: None,
                rows: [0; SIDE as usize],
            };
        };
        let middle = |cell: u32, start: u32, length: u32| start + (2 * cell + 1) * length / (2 * SIDE);
        let row = |v: usize| {
            let y = middle(v as u32, bounds.y0, bounds.height());
            let bit = |u: u32| u32::from(mask.get(middle(u, bounds.x0, bounds.width()), y)) << u;
            (0..SIDE).map(bit).fold(0, |row, bit| row | bit)
        };
        Self {
            bounds: Some(bounds),
            rows: std::array::from_fn(row),
        }
    }

    /// Intersection over union with another mask of the same image, 0 to 1.
    ///
    /// Both are sampled at 64x64 points of the box around them: good to about 0.03 for the masks of parts.
    pub fn iou(&self, other: &Self) -> f64 {
        let (Some(a), Some(b)) = (self.bounds, other.bounds) else {
            return 0.0;
        };
        let around = a.union(&b);
        let at = |step: u32, start: u32, length: u32| {
            f64::from(start) + (f64::from(step) + 0.5) * f64::from(length) / f64::from(N_SAMPLES)
        };
        let (mut n_both, mut n_either) = (0_u32, 0_u32);
        for v in 0..N_SAMPLES {
            for u in 0..N_SAMPLES {
                let (x, y) = (
                    at(u, around.x0, around.width()),
                    at(v, around.y0, around.height()),
                );
                let (in_a, in_b) = (self.contains(a, x, y), other.contains(b, x, y));
                n_both += u32::from(in_a && in_b);
                n_either += u32::from(in_a || in_b);
            }
        }
        f64::from(n_both) / f64::from(n_either.max(1))
    }

    fn contains(&self, bounds: BoxPx, x: f64, y: f64) -> bool {
        let cell = |at: f64, start: u32, length: u32| {
            let share = (at - f64::from(start)) / f64::from(length);
            (0.0..1.0)
                .contains(&share)
                .then_some((share * f64::from(SIDE)) as usize)
        };
        let u = cell(x, bounds.x0, bounds.width());
        let v = cell(y, bounds.y0, bounds.height());
        u.zip(v).is_some_and(|(u, v)| self.rows[v] >> u & 1 == 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn disc(cx: f64, cy: f64, r: f64) -> Mask {
        Mask::from_fn(400, 300, |x, y| (f64::from(x) - cx).hypot(f64::from(y) - cy) <= r)
    }

    #[test]
    fn iou_is_near_that_of_the_masks() {
        let exact = |a: &Mask, b: &Mask| a.intersection(b).area_px() as f64 / a.union(b).area_px() as f64;
        let first = disc(150.0, 120.0, 60.0);
        for second in [
            disc(150.0, 120.0, 60.0),
            disc(158.0, 120.0, 60.0),
            disc(160.0, 130.0, 40.0),
            disc(190.0, 160.0, 60.0),
            disc(350.0, 40.0, 20.0),
        ] {
            let thumbs = MaskThumb::of(&first).iou(&MaskThumb::of(&second));
            assert!(
                (thumbs - exact(&first, &second)).abs() < 0.03,
                "{thumbs} {}",
                exact(&first, &second)
            );
        }
    }

    #[test]
    fn an_empty_mask_overlaps_nothing() {
        let empty = MaskThumb::of(&Mask::new(8, 8));
        assert_eq!(empty.iou(&empty), 0.0);
        assert_eq!(empty.iou(&MaskThumb::of(&disc(150.0, 120.0, 60.0))), 0.0);
    }
}
