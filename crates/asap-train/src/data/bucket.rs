//! The size at which an image is trained on.

/// The size with nearly `resolution_px^2` pixels and nearly the shape of the image, in steps of `step_px`.
///
/// # Units
/// Pixels: width, height.
pub fn bucket(width: u32, height: u32, resolution_px: u32, step_px: u32) -> (u32, u32) {
    let shape = f64::from(width) / f64::from(height);
    let side = f64::from(resolution_px);
    let stepped = |length: f64| {
        let steps = (length / f64::from(step_px)).round().max(1.0);
        steps as u32 * step_px
    };
    (stepped(side * shape.sqrt()), stepped(side / shape.sqrt()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn area_and_shape_are_kept_within_a_step() {
        assert_eq!(bucket(512, 512, 1024, 16), (1024, 1024));
        assert_eq!(bucket(1920, 1080, 1024, 64), (1344, 768));
        assert_eq!(bucket(1080, 1920, 1024, 64), (768, 1344));
        assert_eq!(bucket(10, 1000, 64, 16), (16, 640));
    }
}
