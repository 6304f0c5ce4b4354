//! CIE L*a*b* (D65, 2 degrees) from 8-bit-range sRGB.

use std::sync::LazyLock;

use crate::photo::canvas::{Plane, Rgb};

/// Linear light of the 256 sRGB codes (IEC 61966-2-1).
static LINEAR: LazyLock<[f32; 256]> = LazyLock::new(|| {
    std::array::from_fn(|code| {
        let v = code as f64 / 255.0;
        if v <= 0.040_45 {
            (v / 12.92) as f32
        } else {
            ((v + 0.055) / 1.055).powf(2.4) as f32
        }
    })
});

/// L*, a*, b* of a colour in 0..255.
pub(crate) fn lab(rgb: Rgb) -> Rgb {
    let [r, g, b] = rgb.map(|v| LINEAR[v.round().clamp(0.0, 255.0) as usize]);
    let x = (0.412_456 * r + 0.357_576 * g + 0.180_438 * b) / 0.950_47;
    let y = 0.212_673 * r + 0.715_152 * g + 0.072_175 * b;
    let z = (0.019_334 * r + 0.119_192 * g + 0.950_304 * b) / 1.088_83;
    let [fx, fy, fz] = [x, y, z].map(|t| {
        if t > 0.008_856 {
            t.cbrt()
        } else {
            7.787 * t + 16.0 / 116.0
        }
    });
    [116.0 * fy - 16.0, 500.0 * (fx - fy), 200.0 * (fy - fz)]
}

/// L*, a*, b* of every pixel.
pub(crate) fn lab_plane(image: &Plane<Rgb>) -> Plane<Rgb> {
    image.map(lab)
}

/// Whether a colour is one that bare skin of any complexion may have: a hue between red and yellow with
/// some, but not too much, colour.
pub(crate) fn may_be_skin([l, a, b]: Rgb) -> bool {
    let chroma = a.hypot(b);
    let hue_deg = b.atan2(a).to_degrees();
    (12.0..98.0).contains(&l) && (5.0..60.0).contains(&chroma) && (5.0..88.0).contains(&hue_deg)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn primaries_have_their_published_coordinates() {
        for (rgb, expected) in [
            ([255.0, 255.0, 255.0], [100.0, 0.0, 0.0]),
            ([255.0, 0.0, 0.0], [53.24, 80.09, 67.20]),
            ([0.0, 0.0, 255.0], [32.30, 79.19, -107.86]),
        ] {
            let got = lab(rgb);
            for (g, e) in got.iter().zip(expected) {
                assert!((g - e).abs() < 0.1, "{rgb:?}: {got:?}");
            }
        }
        assert!(may_be_skin(lab([224.0, 172.0, 140.0])));
        assert!(may_be_skin(lab([92.0, 58.0, 42.0])));
        assert!(!may_be_skin(lab([40.0, 120.0, 220.0])));
    }
}
