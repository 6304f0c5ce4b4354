//! The sections of the settings, in the order in which they are written.

use std::path::PathBuf;

use super::Result;
use super::choices::{
    Backbone, Backward, Decision, Estimator, Init, Kind, MaskGrid, MaskSource, Normalise, Precision,
    ReferenceCache, Residual, Schedule, SigmaRounding, Timesteps, VaeNoise,
};
use super::layer::Values;
use super::places::{Checkpointing, Device, Targets};
use super::value::Value;

macro_rules! section {
    ($(#[$doc:meta])* $name:ident = $title:literal { $($(#[$field_doc:meta])* $field:ident: $kind:ty,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $kind,)*
        }

        impl $name {
            const KEYS: &[&str] = &[$(concat!($title, ".", stringify!($field))),*];

            fn read(values: &Values) -> Result<Self> {
                Ok(Self { $($field: values.get(concat!($title, ".", stringify!($field)))?,)* })
            }

            fn entries(&self) -> Vec<(&'static str, String)> {
                vec![$((concat!($title, ".", stringify!($field)), self.$field.to_toml())),*]
            }
        }
    };
}

section! {
    /// The frozen network.
    Model = "model" {
        /// Which network.
        backbone: Backbone,
        /// A diffusers folder or a checkpoint file; `tiny` makes its own.
        base: Option<PathBuf>,
        /// Its numbers.
        precision: Precision,
        /// Numbers of the sum that runs through the blocks.
        residual: Residual,
        /// The guidance that FLUX is told in training; `none` for SDXL, which has no such input.
        ///
        /// Ambiguity 6: not in the paper. Default 3.5 (diffusers' script, and what samples are made with); the
        /// community takes 1.0 for SFT.
        guidance: Option<f64>,
        /// Side of a square image of the same area as a training image.
        ///
        /// Ambiguity 13: not in the paper. Default 1024.
        resolution_px: u32,
        /// Tokens of the text, padded to this number. FLUX's is 512, SDXL's 77.
        text_tokens: u32,
        /// Steps in which the base of the `tiny` backbone is trained from nothing; not in the paper.
        base_steps: u32,
    }
}

section! {
    /// The adapter.
    Lora = "lora" {
        /// Rank of the update (§6.1: 32).
        rank: u32,
        /// The update is scaled by alpha / rank. Ambiguity 12: not in the paper; default the rank.
        alpha: f64,
        /// Layers that get an adapter.
        targets: Targets,
        /// How A begins.
        init: Init,
    }
}

section! {
    /// What is made small.
    Objective = "objective" {
        /// The loss of a pair.
        kind: Kind,
        /// Whether errors inside of the mask weigh more.
        mask: bool,
        /// alpha in W = 1 + alpha M (§4.2.1, Eq. 4); `none` without the mask.
        ///
        /// Ambiguity 10: SDXL's is in a supplement that was not published; default that of FLUX.
        alpha: Option<f64>,
        /// The margin (§4.2.2, Eq. 6) of `bounded-local`; `none` for the others.
        ///
        /// Errors are means over channels, rows and columns. Ambiguity 10 holds for SDXL.
        tau: Option<f64>,
        /// beta of `dpo` and `ipo`; `none` for the others. In the form of Eq. 3, half of the number of
        /// Diffusion-DPO's code. `ipo` is `bounded-local` with tau = 1 / (2 beta).
        beta: Option<f64>,
        /// 2: W stands inside of the square, as Eq. 4 is typeset. 1: outside.
        ///
        /// Ambiguity 2. Default 2.
        weight_power: u32,
        /// How the mask comes to the latent grid.
        mask_grid: MaskGrid,
        /// Cells by which it is widened there, in a square. Part of ambiguity 1; default 0.
        mask_dilate_cells: u32,
        /// Whether an error is divided by the mean of its weights.
        normalise: Normalise,
        /// Draws of time and noise for each pair and step. Ambiguity 4; default 1.
        draws: u32,
        /// What stands for the square where there are several draws.
        estimator: Estimator,
        /// Gradients are multiplied by this before the clip. With 1 / (2 tau) they are as large as those of a
        /// plain error, far from the epsilon of Adam. Losses are told without it. Not in the paper; default 1.
        loss_scale: f64,
    }
}

section! {
    /// Time steps and noise.
    Noise = "noise" {
        /// The distribution of time steps.
        timesteps: Timesteps,
        /// Mean of the normal number of `logit-normal` and `flux-shift`.
        logit_mean: f64,
        /// Its standard deviation.
        logit_std: f64,
        /// Whether the time steps of a global batch are spread evenly, one in each n-th of the distribution.
        ///
        /// Part of ambiguity 5. Default true: less variance, no bias.
        stratified: bool,
        /// Whether sigma is rounded.
        sigma_rounding: SigmaRounding,
        /// What is drawn from the posterior of the image encoder.
        vae_noise: VaeNoise,
    }
}

section! {
    /// AdamW. Ambiguity 11: the paper gives the learning rate of FLUX alone.
    Optimiser = "optimiser" {
        /// After the warm-up.
        learning_rate: f64,
        /// Decay of the mean of gradients.
        beta_1: f64,
        /// Decay of the mean of their squares.
        beta_2: f64,
        /// Decay of weights, times the learning rate.
        weight_decay: f64,
        /// Added to the root of the mean square.
        epsilon: f64,
        /// Largest norm of a gradient, over all weights.
        clip_norm: Option<f64>,
        /// Steps in which the rate rises from 0.
        warmup_steps: u32,
        /// The rate afterwards.
        schedule: Schedule,
        /// Decay of a running mean of the weights, which is saved beside them.
        ema_decay: Option<f64>,
    }
}

section! {
    /// The loop.
    Run = "run" {
        /// Updates (§6.1: 3000).
        steps: u32,
        /// Pairs of one update, over all processes (§6.1: 16).
        ///
        /// Ambiguity 7: pairs, not images.
        batch_pairs: u32,
        /// Pairs that a process takes at once.
        micro_batch_pairs: u32,
        /// Of every random number.
        seed: u64,
        /// How gradients of a pair are found.
        backward: Backward,
        /// Blocks that are computed again in the backward pass.
        checkpointing: Checkpointing,
        /// Blocks that wait in the memory of the host.
        swap_blocks: u32,
        /// Whether errors of the frozen network are kept.
        reference_cache: ReferenceCache,
        /// Steps between evaluations on held-out pairs.
        eval_every_steps: Option<u32>,
        /// Held-out pairs.
        n_held_out: u32,
        /// Fixed draws of each held-out pair.
        n_eval_draws: u32,
        /// Steps between samples of images.
        sample_every_steps: Option<u32>,
        /// Steps between checkpoints.
        save_every_steps: u32,
        /// Checkpoints that are kept, the newest ones.
        keep_checkpoints: u32,
        /// Where the network runs.
        device: Device,
    }
}

section! {
    /// The pairs.
    Data = "data" {
        /// A data set.
        path: Option<PathBuf>,
        /// The folder of errors of the frozen network; `none` is `NAME.cache` beside `NAME.lance`.
        cache: Option<PathBuf>,
        /// Which mask is M.
        mask: MaskSource,
        /// Which pairs are used.
        decision: Decision,
        /// Sides of images are cut to multiples of this. FLUX: 16; SDXL: 64. Part of ambiguity 13.
        bucket_step_px: u32,
        /// Batches that are read ahead.
        prefetch_batches: u32,
    }
}

macro_rules! settings {
    ($($(#[$doc:meta])* $field:ident: $kind:ty,)*) => {
        /// All of a run's settings.
        #[derive(Clone, Debug, PartialEq)]
        pub struct Settings {
            $($(#[$doc])* pub $field: $kind,)*
        }

        impl Settings {
            /// All keys, such as `objective.tau`, in order.
            pub fn keys() -> Vec<&'static str> {
                [$(<$kind>::KEYS),*].concat()
            }

            /// All keys with their values as TOML, in order.
            pub fn entries(&self) -> Vec<(&'static str, String)> {
                [$(self.$field.entries()),*].concat()
            }

            pub(super) fn read(values: &Values) -> Result<Self> {
                Ok(Self { $($field: <$kind>::read(values)?,)* })
            }
        }
    };
}

settings! {
    /// The frozen network.
    model: Model,
    /// The adapter.
    lora: Lora,
    /// What is made small.
    objective: Objective,
    /// Time steps and noise.
    noise: Noise,
    /// AdamW.
    optimiser: Optimiser,
    /// The loop.
    run: Run,
    /// The pairs.
    data: Data,
}
