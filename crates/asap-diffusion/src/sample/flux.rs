//! FLUX.1's sampler: Euler's steps along the velocity, with the guidance embedded in the network.

use tch::{Kind, Tensor};

use crate::flux::{Flux, FluxConditions, FluxInput, grid, pack, unpack};
use crate::guard::guard;
use crate::schedule::{SchedulerConfig, euler_step, sampler_sigmas};
use crate::{Array, Error, Result, Run};

/// What is to be sampled.
#[derive(Clone, Copy, Debug)]
pub struct FluxRequest<'a> {
    /// Standard normal noise, `[B, C, h, w]`; `h` and `w` are even.
    pub noise: &'a Array,
    /// Text and guidance.
    pub conditions: FluxConditions<'a>,
    /// Passes through the network.
    pub n_steps: usize,
    /// How each pass is run.
    pub run: Run,
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
        Array::of(&denoised(flux, scheduler, request))
    })
}

fn denoised(flux: &Flux, scheduler: &SchedulerConfig, request: &FluxRequest<'_>) -> Tensor {
    let noise = request.noise.tensor().to_device(flux.place().device());
    let text = flux.text(&request.conditions);
    let (rows, cols) = grid(&noise);
    let batch = noise.size()[0];
    let mut tokens = pack(&noise);
    let n_tokens = usize::try_from(rows * cols).expect("a number of tokens is not negative");
    let sigmas = sampler_sigmas(request.n_steps, n_tokens, scheduler);
    let full = |value: f64| Tensor::full([batch], value, (Kind::Float, noise.device()));
    let guidance = request.conditions.guidance.unwrap_or_default();
    let guidance = flux.transformer.guidance(guidance, &full(0.0));
    for (step, pair) in sigmas.windows(2).enumerate() {
        tracing::debug!(step, sigma = pair[0], "a step of the FLUX sampler");
        let input = FluxInput {
            tokens: &tokens,
            rows,
            cols,
            text: &text,
            sigma: &full(pair[0]),
            guidance: guidance.as_ref(),
        };
        let velocity = flux.transformer.forward(&input, request.run);
        tokens = euler_step(&tokens, &velocity, pair[0], pair[1]);
    }
    unpack(&tokens, rows, cols)
}
