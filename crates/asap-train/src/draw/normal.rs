//! Standard normal numbers by the hundred thousand.

use std::f64::consts::TAU;

use asap_core::Stream;

/// `n` standard normal numbers out of a stream; fewer are the beginning of more.
///
/// 64 random bits give two numbers (Box-Muller), so the largest is 6.66. They are computed in `f64` and rounded
/// once, which hides the last bit in which two mathematics libraries may differ.
pub fn normals(stream: &mut Stream, n: usize) -> Vec<f32> {
    let mut numbers = Vec::with_capacity(n + 1);
    while numbers.len() < n {
        let bits = stream.bits();
        // In (0, 1]: the logarithm of 0 is not a number.
        let first = (f64::from((bits >> 32) as u32) + 1.0) / 4_294_967_296.0;
        let second = f64::from(bits as u32) / 4_294_967_296.0;
        let radius = (-2.0 * first.ln()).sqrt();
        let (sine, cosine) = (TAU * second).sin_cos();
        numbers.push((radius * cosine) as f32);
        numbers.push((radius * sine) as f32);
    }
    numbers.truncate(n);
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_and_tails_are_those_of_a_normal_number() {
        let numbers: Vec<f64> = normals(&mut Stream::new(3, "normals"), 200_001)
            .into_iter()
            .map(f64::from)
            .collect();
        let n = numbers.len() as f64;
        let moment = |power: i32| numbers.iter().map(|x| x.powi(power)).sum::<f64>() / n;
        // Five standard errors of each moment.
        for (power, expected, variance) in [(1, 0.0, 1.0), (2, 1.0, 2.0), (3, 0.0, 15.0), (4, 3.0, 96.0)] {
            let got = moment(power);
            assert!(
                (got - expected).abs() < 5.0 * f64::sqrt(variance / n),
                "{power}: {got}"
            );
        }
        // Both values of a draw are independent of each other.
        let product = numbers.chunks_exact(2).map(|pair| pair[0] * pair[1]).sum::<f64>() / (n / 2.0);
        assert!(product.abs() < 5.0 / (n / 2.0).sqrt(), "{product}");
        let share = |limit: f64| numbers.iter().filter(|x| x.abs() > limit).count() as f64 / n;
        assert!((share(1.959964) - 0.05).abs() < 0.0025, "{}", share(1.959964));
        assert!((share(3.290527) - 0.001).abs() < 0.0004, "{}", share(3.290527));
    }
}
