//! What must hold before the first step, measured and written down when a run begins.

use super::Progress;
use super::steps::Steps;

/// Pairs that are looked at.
const N_PAIRS: usize = 4;

/// With a new adapter the policy is the reference, so delta is exactly 0 and the loss tau squared. Anything else is a
/// mistake in the numbers, and training on it would be training on noise.
pub(super) fn step_0(steps: &mut Steps, progress: &dyn Progress) -> anyhow::Result<()> {
    let mut n_equal = 0;
    let n = steps.n_pairs().min(N_PAIRS);
    for [policy, reference] in steps.both_errors(n)? {
        if !reference.iter().all(asap_diffusion::training::Errors::is_finite) {
            anyhow::bail!("the base model predicts no numbers: its errors on the first pairs are not finite");
        }
        n_equal += usize::from(policy == reference);
    }
    if n_equal < n {
        anyhow::bail!(
            "before the first step the adapted model must equal the base: expected delta 0 for {n} pairs, got it for \
             {n_equal}"
        );
    }
    let loss = match steps.objective.tau() {
        Some(tau) => format!(", so the loss is tau^2 = {:.3e}", tau * tau),
        None => String::new(),
    };
    steps.note(
        0,
        format!("step-0 proof: delta is exactly 0 for {n} pairs{loss}"),
        progress,
    )?;
    let floor = steps.noise_floor(n)?;
    let beside = match steps.objective.tau() {
        Some(tau) => format!(", beside tau = {tau}"),
        None => String::new(),
    };
    steps.note(
        0,
        format!(
            "noise floor: delta moves by {floor:.1e} (rms) when latents are rounded the other way{beside}"
        ),
        progress,
    )
}
