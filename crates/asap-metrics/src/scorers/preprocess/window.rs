//! Where the network's square lies in the resized image, by each reference's own rounding.

/// A window of a resized image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    /// Columns of the whole resized image.
    pub(crate) resized_width: u32,
    /// Rows of the whole resized image.
    pub(crate) resized_height: u32,
    /// First column of the window.
    pub(crate) x: u32,
    /// First row of the window.
    pub(crate) y: u32,
    /// Columns of the window.
    pub(crate) width: u32,
    /// Rows of the window.
    pub(crate) height: u32,
}

/// How half a pixel is rounded when the crop is centred.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Centering {
    /// `int(round(excess / 2.0))` of torchvision's `CenterCrop`: halves to the even pixel.
    HalfToEven,
    /// `excess // 2` of the image processors of `transformers`.
    Floor,
}

impl Centering {
    fn offset(self, excess: u32) -> u32 {
        match self {
            Self::Floor => excess / 2,
            Self::HalfToEven => excess / 2 + (excess % 2) * (excess / 2 % 2),
        }
    }
}

impl Window {
    /// The centre square after the shortest side was resized to `side`.
    ///
    /// The other side is `int(side * long / short)`, cut and not rounded, in torchvision as in `transformers`.
    pub(crate) fn center_crop(size: (u32, u32), side: u32, centering: Centering) -> Self {
        let (width, height) = size;
        let long = |long: u32, short: u32| {
            u32::try_from(u64::from(side) * u64::from(long) / u64::from(short)).unwrap_or(u32::MAX)
        };
        let (resized_width, resized_height) = if width <= height {
            (side, long(height, width))
        } else {
            (long(width, height), side)
        };
        Self {
            resized_width,
            resized_height,
            x: centering.offset(resized_width - side),
            y: centering.offset(resized_height - side),
            width: side,
            height: side,
        }
    }
}

/// Width and height with the longest side at `side`: Python's `round(dim * (side / longest))`, halves to even.
pub(crate) fn letterboxed_size(size: (u32, u32), side: u32) -> (u32, u32) {
    let scale = f64::from(side) / f64::from(size.0.max(size.1));
    // A very long image would vanish; the reference fails there.
    let scaled = |length: u32| ((f64::from(length) * scale).round_ties_even() as u32).max(1);
    (scaled(size.0), scaled(size.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_long_side_is_cut_and_not_rounded() {
        let window = Window::center_crop((851, 564), 224, Centering::Floor);
        // 224 * 851 / 564 = 337.98
        assert_eq!((window.resized_width, window.resized_height), (337, 224));
        assert_eq!((window.x, window.y), (56, 0));
    }

    #[test]
    fn half_a_pixel_goes_where_each_reference_puts_it() {
        // Python: [int(round(n / 2.0)) for n in range(8)] and [n // 2 for n in range(8)]
        let all = |centering: Centering| -> Vec<u32> { (0..8).map(|n| centering.offset(n)).collect() };
        assert_eq!(all(Centering::HalfToEven), [0, 0, 1, 2, 2, 2, 3, 4]);
        assert_eq!(all(Centering::Floor), [0, 0, 1, 1, 2, 2, 3, 3]);
    }

    #[test]
    fn a_letterbox_keeps_the_whole_image() {
        assert_eq!(letterboxed_size((1024, 768), 224), (224, 168));
        assert_eq!(letterboxed_size((448, 3), 224), (224, 2)); // 1.5 goes to the even 2
        assert_eq!(letterboxed_size((448, 5), 224), (224, 2)); // 2.5 too
        assert_eq!(letterboxed_size((1, 100_000), 224), (1, 224));
    }
}
