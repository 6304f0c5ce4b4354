//! Sampling with SDXL.

use tch::{Kind, Tensor};

use crate::device::Precision;
use crate::run::Run;
use crate::schedule::SamplingPlan;
use crate::sdxl::{SdxlText, Unet};

/// What is drawn and what is kept away from.
pub(crate) struct SdxlPrompt<'a> {
    /// Of what is drawn.
    pub(crate) text: &'a SdxlText,
    /// Of what is kept away from, most often an empty prompt.
    pub(crate) negative: &'a SdxlText,
    /// The six sizes, `[B, 6]`, the same for both.
    pub(crate) time_ids: &'a Tensor,
    /// The scale of guidance; 1 is none, and the network is not asked about the negative prompt.
    pub(crate) guidance: f64,
}

/// The latents at the end of a plan, `f32`, as the network has them: not yet scaled for the VAE.
///
/// The latent is kept in `f32`; the network sees it in its own numbers. Both prompts go through it in one batch.
///
/// # Shapes
/// `noise` `[B, 4, h, w]`, standard normal.
/// # Source
/// "Classifier-Free Diffusion Guidance", arXiv:2207.12598, eq. 6, with the scale as `1 + w`; the loop as in
/// diffusers' `StableDiffusionXLPipeline` with `guidance_rescale` 0.
/// # Deviation
/// diffusers keeps the latent in the network's numbers between steps.
pub(crate) fn sample_sdxl(
    unet: &Unet,
    plan: &SamplingPlan,
    noise: &Tensor,
    prompt: &SdxlPrompt<'_>,
    (run, precision): (Run, Precision),
) -> Tensor {
    let _off = tch::no_grad_guard();
    let kind = precision.kind();
    let batch = noise.size()[0];
    let is_guided = prompt.guidance != 1.0;
    let asked = Asked::of(prompt, is_guided);
    let n_asked = if is_guided { 2 * batch } else { batch };
    let mut latents = noise.to_kind(Kind::Float) * plan.noise_scale;
    for step in &plan.steps {
        let scaled = &latents * step.input_scale;
        let seen = if is_guided {
            Tensor::cat(&[&scaled, &scaled], 0)
        } else {
            scaled
        };
        let time = Tensor::full([n_asked], step.timestep, (Kind::Float, noise.device()));
        let said = unet
            .noise(&seen.to_kind(kind), &time, &asked.text, &asked.time_ids, run)
            .to_kind(Kind::Float);
        let guided = if is_guided {
            let halves = said.chunk(2, 0);
            &halves[0] + (&halves[1] - &halves[0]) * prompt.guidance
        } else {
            said
        };
        latents = latents * step.keep + guided * step.add;
    }
    latents
}

/// What the network is asked at every step: the negative prompt first, where it counts.
struct Asked {
    text: SdxlText,
    time_ids: Tensor,
}

impl Asked {
    fn of(prompt: &SdxlPrompt<'_>, is_guided: bool) -> Self {
        let both = |negative: &Tensor, positive: &Tensor| {
            if is_guided {
                Tensor::cat(&[negative, positive], 0)
            } else {
                positive.shallow_clone()
            }
        };
        Self {
            text: SdxlText {
                tokens: both(&prompt.negative.tokens, &prompt.text.tokens),
                pooled: both(&prompt.negative.pooled, &prompt.text.pooled),
            },
            time_ids: both(prompt.time_ids, prompt.time_ids),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::{NoiseSchedule, Prediction, ScheduleConfig, Spacing, ddim, euler};
    use crate::sdxl::parity::{Tiny, text};
    use crate::testing::Golden;

    /// Ten steps with guidance, from the same noise, are those of diffusers' pipeline.
    #[test]
    fn runs_end_as_those_of_diffusers() {
        let tiny = Tiny::new("linear");
        let unet = tiny.unet(Precision::F32);
        let noise = Golden::input("noise", &[2, 4, 8, 4], 1.7);
        let time_ids = Tensor::from_slice(&[1023f32, 768.0, 3.0, 511.0, 1024.0, 896.0]).repeat([2, 1]);
        let prompt = SdxlPrompt {
            text: &text("tokens", "pooled", 7),
            negative: &text("negative.tokens", "negative.pooled", 7),
            time_ids: &time_ids,
            guidance: 5.5,
        };
        for (name, spacing, prediction) in [
            ("leading", Spacing::Leading, Prediction::Noise),
            ("trailing", Spacing::Trailing, Prediction::Velocity),
            ("linspace", Spacing::Linspace, Prediction::Noise),
        ] {
            let schedule = NoiseSchedule::new(ScheduleConfig {
                spacing,
                prediction,
                ..ScheduleConfig::sdxl()
            })
            .unwrap();
            for (sampler, plan) in [
                ("ddim", ddim::plan(&schedule, 10).unwrap()),
                ("euler", euler::plan(&schedule, 10).unwrap()),
            ] {
                let latents = sample_sdxl(&unet, &plan, &noise, &prompt, (Run::BASE, Precision::F32));
                let name = format!("run.{sampler}.{name}");
                tiny.golden.check_within(&name, &latents, 1e-4);
            }
        }
    }

    /// A scale of 1 asks about the prompt alone, which is the same and half the work.
    #[test]
    fn no_guidance_is_the_prompt_alone() {
        let tiny = Tiny::new("conv");
        let unet = tiny.unet(Precision::F32);
        let plan = euler::plan(&NoiseSchedule::new(ScheduleConfig::sdxl()).unwrap(), 2).unwrap();
        let noise = Golden::input("noise", &[2, 4, 4, 6], 1.7);
        let (positive, negative) = (
            text("tokens", "pooled", 7),
            text("negative.tokens", "negative.pooled", 7),
        );
        let run = |negative, guidance| {
            let prompt = SdxlPrompt {
                text: &positive,
                negative,
                time_ids: &Tensor::from_slice(&[64f32, 48.0, 0.0, 0.0, 64.0, 48.0]).repeat([2, 1]),
                guidance,
            };
            sample_sdxl(&unet, &plan, &noise, &prompt, (Run::BASE, Precision::F32))
        };
        let alone = run(&negative, 1.0);
        let guided_to_itself = run(&positive, 3.0);
        let apart = (&alone - guided_to_itself).abs().max().double_value(&[]);
        assert!(apart <= 1e-4 * alone.abs().max().double_value(&[]), "{apart}");
        assert_ne!(alone, run(&negative, 3.0));
    }
}
