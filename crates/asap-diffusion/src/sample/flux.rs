//! FLUX.1's sampler: Euler's steps along the velocity, with the guidance embedded in the network.

use tch::{Kind, Tensor};

use crate::flux::{
    Flux, FluxConditions, FluxInput, FluxText, FluxTransformer, grid, inference, pack, unpack,
};
use crate::guard::guard;
use crate::schedule::{SchedulerConfig, euler_step, sampler_sigmas};
use crate::{Adapter, Array, Error, Result, Run};

/// What is to be sampled.
#[derive(Clone, Copy, Debug)]
pub struct FluxRequest<'a> {
    /// Standard normal noise, `[B, C, h, w]`; `h` and `w` are even.
    pub noise: &'a Array,
    /// Text and guidance.
    pub conditions: FluxConditions<'a>,
    /// Passes through the network.
    pub n_steps: usize,
    /// With or without the adapter.
    pub adapter: Adapter,
}

/// Latents from noise, as the autoencoder normalises them.
///
/// # Shapes
/// Those of [`FluxRequest`]; the result is like its noise.
/// # Errors
/// [`Error::Argument`] where sizes do not fit each other or the network, where a guidance is given to a network
/// without one or the reverse, and where there is no step; [`Error::OutOfMemory`].
/// # Source
/// The denoising loop of diffusers' `FluxPipeline`, without a negative prompt.
/// # Deviation
/// Latents stay `f32` between the steps, where the reference rounds them to the network's numbers.
pub fn sample_flux(flux: &Flux, scheduler: &SchedulerConfig, request: &FluxRequest<'_>) -> Result<Array> {
    flux.check(request.noise, &request.conditions)?;
    if request.n_steps == 0 {
        return Err(Error::argument("the steps of the sampler", "1 or more", 0));
    }
    guard("a FLUX sampler", || {
        let _off = tch::no_grad_guard();
        let noise = request.noise.tensor().to_device(flux.place().device());
        let text = flux.text(&request.conditions);
        let asked = FluxAsked {
            text: &text,
            guidance: request.conditions.guidance.unwrap_or_default(),
            n_steps: request.n_steps,
        };
        let run = inference(request.adapter);
        Array::of(&denoise_flux(&flux.transformer, scheduler, &noise, &asked, run))
    })
}

/// What is drawn.
pub(crate) struct FluxAsked<'a> {
    pub(crate) text: &'a FluxText,
    /// Used where the network embeds one.
    pub(crate) guidance: f64,
    pub(crate) n_steps: usize,
}

/// The loop of [`sample_flux`] over tensors; `noise` and the result are `[B, C, h, w]`.
pub(crate) fn denoise_flux(
    transformer: &FluxTransformer,
    scheduler: &SchedulerConfig,
    noise: &Tensor,
    asked: &FluxAsked<'_>,
    run: Run,
) -> Tensor {
    let (rows, cols) = grid(noise);
    let batch = noise.size()[0];
    let mut tokens = pack(noise);
    let n_tokens = usize::try_from(rows * cols).expect("a number of tokens is not negative");
    let sigmas = sampler_sigmas(asked.n_steps, n_tokens, scheduler);
    let full = |value: f64| Tensor::full([batch], value, (Kind::Float, noise.device()));
    let guidance = transformer.guidance(asked.guidance, &full(0.0));
    for (step, pair) in sigmas.windows(2).enumerate() {
        tracing::debug!(step, sigma = pair[0], "a step of the FLUX sampler");
        let input = FluxInput {
            tokens: &tokens,
            rows,
            cols,
            text: asked.text,
            sigma: &full(pair[0]),
            guidance: guidance.as_ref(),
        };
        let velocity = transformer.forward(&input, run);
        tokens = euler_step(&tokens, &velocity, pair[0], pair[1]);
    }
    unpack(&tokens, rows, cols)
}
