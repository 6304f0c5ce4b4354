//! Sampling as a table of numbers.

/// One step: the network sees `input_scale * x` at `timestep` and says `y`; then `x = keep * x + add * y`.
///
/// DDIM without noise and Euler are both of this form, for a network that predicts the noise and for one that
/// predicts the velocity; so a sampler is its table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SamplingStep {
    /// The time that the network is told; not a whole number for Euler with linear spacing.
    pub timestep: f64,
    /// What the latent is multiplied by before the network sees it.
    pub input_scale: f64,
    /// How much of the latent stays.
    pub keep: f64,
    /// How much of the network's output is added.
    pub add: f64,
}

/// All steps from noise to image.
#[derive(Clone, Debug, PartialEq)]
pub struct SamplingPlan {
    /// What standard normal noise is multiplied by to begin with.
    pub noise_scale: f64,
    /// The steps, the noisiest first.
    pub steps: Vec<SamplingStep>,
}

#[cfg(test)]
pub(super) mod tests {
    use crate::schedule::{NoiseSchedule, ScheduleConfig, Spacing};

    /// SDXL's schedule under each spacing, by the name that the golden numbers have for it.
    pub(in crate::schedule) fn spaced() -> [(&'static str, NoiseSchedule); 3] {
        let spacings = [
            ("leading", Spacing::Leading),
            ("trailing", Spacing::Trailing),
            ("linspace", Spacing::Linspace),
        ];
        spacings.map(|(name, spacing)| {
            let config = ScheduleConfig {
                spacing,
                ..ScheduleConfig::sdxl()
            };
            (name, NoiseSchedule::new(config).unwrap())
        })
    }
}
