//! Distribution functions, from `statrs`, compared with SciPy in the golden tests.

use statrs::distribution::{Binomial, ContinuousCDF, Discrete, DiscreteCDF, Normal, StudentsT};

/// The standard normal distribution function.
pub(crate) fn normal_cdf(x: f64) -> f64 {
    Normal::standard().cdf(x)
}

/// The density of the standard normal distribution.
pub(crate) fn normal_density(x: f64) -> f64 {
    (-0.5 * x * x).exp() / std::f64::consts::TAU.sqrt()
}

/// The inverse of [`normal_cdf`].
pub(crate) fn normal_quantile(probability: f64) -> f64 {
    Normal::standard().inverse_cdf(probability)
}

/// The p-value of a standard normal statistic, both tails.
pub(crate) fn normal_two_sided(z: f64) -> f64 {
    (2.0 * normal_cdf(-z.abs())).min(1.0)
}

/// The inverse of Student's t distribution function. `degrees` must be positive.
pub(crate) fn student_quantile(probability: f64, degrees: f64) -> f64 {
    StudentsT::new(0.0, 1.0, degrees)
        .expect("the scale is 1 and the degrees of freedom are positive")
        .inverse_cdf(probability)
}

/// P(X <= k) and P(X = k) of a fair coin tossed `n` times.
pub(crate) fn fair_coin(k: u64, n: u64) -> (f64, f64) {
    let coin = Binomial::new(0.5, n).expect("0.5 is a probability");
    (coin.cdf(k), coin.pmf(k))
}
