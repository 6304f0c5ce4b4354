//! Value noise and soft steps, from integer hashes alone.

/// 0 below `low`, 1 above `high`, smooth between; the other way round where `low > high`.
pub(crate) fn smooth(low: f32, high: f32, value: f32) -> f32 {
    let t = ((value - low) / (high - low)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

fn hash(x: i32, y: i32, z: i32, seed: u32) -> f32 {
    let mut h = seed
        ^ (x as u32).wrapping_mul(0x9E37_79B1)
        ^ (y as u32).wrapping_mul(0x85EB_CA77)
        ^ (z as u32).wrapping_mul(0xC2B2_AE3D);
    h = (h ^ (h >> 15)).wrapping_mul(0x2C1B_3C6D);
    h = (h ^ (h >> 12)).wrapping_mul(0x297A_2D39);
    h ^= h >> 15;
    (h >> 8) as f32 * (1.0 / 16_777_216.0)
}

/// Smooth noise in `[0, 1)` with features of size 1.
pub(crate) fn value_noise(p: [f32; 3], seed: u32) -> f32 {
    let cell = p.map(|c| c.floor() as i32);
    let at: [f32; 3] = std::array::from_fn(|i| {
        let t = p[i] - cell[i] as f32;
        t * t * (3.0 - 2.0 * t)
    });
    let corner = |dx: i32, dy: i32, dz: i32| hash(cell[0] + dx, cell[1] + dy, cell[2] + dz, seed);
    let along_x = |dy, dz| {
        let (a, b) = (corner(0, dy, dz), corner(1, dy, dz));
        a + (b - a) * at[0]
    };
    let along_y = |dz| {
        let (a, b) = (along_x(0, dz), along_x(1, dz));
        a + (b - a) * at[1]
    };
    let (a, b) = (along_y(0), along_y(1));
    a + (b - a) * at[2]
}

/// A number in `[0, 1)` for a counter.
pub(crate) fn pick(counter: i32, seed: u32) -> f32 {
    hash(counter, 17, 91, seed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_is_smooth_and_bounded() {
        let mut before = value_noise([0.0, 0.3, 0.7], 5);
        for step in 1..1000 {
            let value = value_noise([step as f32 * 0.01, 0.3, 0.7], 5);
            assert!((0.0..1.0).contains(&value));
            assert!((value - before).abs() < 0.05);
            before = value;
        }
    }
}
