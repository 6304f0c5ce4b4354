//! One preference step on a network that another program made, timed on request; see `benches/step_ratio.py`.
//!
//! Arguments: the folder of the network, its backbone, the tokens of a text, the sides of a latent, threads. Each line
//! of stdin is one step: `warm` or `cold`, without or with the passes of the reference, `split` or `joint`, and, where it
//! is not 1, the number of pairs that go together; answered are milliseconds.
#![expect(clippy::print_stdout, reason = "the answers")]

use std::io::BufRead as _;
use std::path::PathBuf;
use std::time::Instant;

use asap_diffusion::device::{Place, Placement, Precision};
use asap_diffusion::lora::{Attachment, Backbone, Init, LoraSpec};
use asap_diffusion::optim::AdamWSettings;
use asap_diffusion::runtime::set_threads;
use asap_diffusion::training::{
    Backward, Conditioning, Descent, ErrorWeights, NetworkFiles, Optimiser, PairInput, Rejected, Trainee,
};
use asap_diffusion::{Adapter, Array, Result};

const FLUX_TARGETS: [&str; 12] = [
    "attn.to_q",
    "attn.to_k",
    "attn.to_v",
    "attn.to_out.0",
    "attn.add_q_proj",
    "attn.add_k_proj",
    "attn.add_v_proj",
    "attn.to_add_out",
    "ff.net.0.proj",
    "ff.net.2",
    "ff_context.net.0.proj",
    "ff_context.net.2",
];
const SDXL_TARGETS: [&str; 4] = ["to_q", "to_k", "to_v", "to_out.0"];

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize| words[at].parse::<usize>().expect("a number");
    let (n_tokens, side) = (number(2), number(3));
    set_threads(number(4))?;
    let is_flux = words[1] == "flux";
    let mut trainee = trainee(&PathBuf::from(&words[0]), is_flux)?;
    let (channels, dim, pooled_dim) = if is_flux { (16, 256, 128) } else { (4, 256, 128) };
    let ramp = |shape: &[usize], scale: f32| {
        let n = shape.iter().product();
        let values = (0..n)
            .map(|at| ((at * 37 % 101) as f32 / 50.0 - 1.0) * scale)
            .collect();
        Array::new(shape, values)
    };
    let latent = [channels, side, side];
    let (preferred, rejected, noise) = (ramp(&latent, 1.0)?, ramp(&latent, 0.9)?, ramp(&latent, 1.5)?);
    let mask = ramp(&[side, side], 0.5)?;
    let (tokens, pooled) = (ramp(&[n_tokens, dim], 1.0)?, ramp(&[pooled_dim], 1.0)?);
    let conditioning = if is_flux {
        Conditioning::Flux {
            t5: tokens,
            pooled,
            guidance: Some(3.5),
        }
    } else {
        Conditioning::Sdxl {
            tokens,
            pooled,
            time_ids: [512.0, 512.0, 0.0, 0.0, 512.0, 512.0],
        }
    };
    let pair = PairInput {
        preferred: &preferred,
        rejected: &rejected,
        mask: &mask,
        noise: &noise,
        time: if is_flux { 0.5 } else { 500.0 },
        conditioning: &conditioning,
    };
    for line in std::io::stdin().lock().lines().map_while(std::result::Result::ok) {
        let started = Instant::now();
        let backward = if line.contains("joint") {
            Backward::Joint
        } else {
            Backward::Split
        };
        let n_pairs = line.split_whitespace().find_map(|word| word.parse().ok());
        let pairs = vec![pair; n_pairs.unwrap_or(1)];
        step(&mut trainee, &pairs, backward, line.contains("cold"))?;
        println!("{}", started.elapsed().as_secs_f64() * 1e3);
    }
    Ok(())
}

fn trainee(folder: &std::path::Path, is_flux: bool) -> Result<Trainee> {
    let files = NetworkFiles {
        backbone: if is_flux { Backbone::Flux } else { Backbone::Sdxl },
        config: folder.join("config.json"),
        weights: folder.to_owned(),
        scheduler: None,
    };
    let targets: &[&str] = if is_flux { &FLUX_TARGETS } else { &SDXL_TARGETS };
    let spec = LoraSpec {
        rank: 32,
        alpha: 32.0,
        targets: targets.iter().map(|&target| target.to_owned()).collect(),
        init: Init::Gaussian,
        seed: 0,
    };
    let optimiser = Optimiser {
        adamw: AdamWSettings {
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            weight_decay: 1e-2,
        },
        clip_norm: Some(1.0),
        ema_decay: None,
    };
    Trainee::with_adapters(
        &files,
        &Attachment::New(spec),
        Placement::whole(Place::Cpu, Precision::F32),
        optimiser,
    )
}

/// Eq. 4 to 6 with alpha 10 and tau 0.01.
fn step(
    trainee: &mut Trainee,
    pairs: &[PairInput<'_>],
    backward: Backward,
    asks_reference: bool,
) -> Result<()> {
    let weights = ErrorWeights([1.0, 20.0, 100.0]);
    let descent = Descent {
        weights: vec![weights; pairs.len()],
        backward,
        rejected: Rejected::Trained,
    };
    let reference = if asks_reference {
        Some(trainee.errors(pairs, Adapter::Off, backward)?)
    } else {
        None
    };
    trainee.accumulate(pairs, &descent, |policy| {
        let references = reference.as_deref().unwrap_or(policy);
        let factors = policy.iter().zip(references).map(|(policy, reference)| {
            let gap = |side: usize| reference[side].weighted(weights) - policy[side].weighted(weights);
            let slope = 2.0 * (gap(0) - gap(1) - 0.01);
            [-slope, slope]
        });
        factors.collect()
    })?;
    trainee.apply(1e-5, pairs.len(), None)?;
    Ok(())
}
