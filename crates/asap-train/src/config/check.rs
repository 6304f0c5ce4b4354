//! What a single value cannot tell: ranges, and values that do not go together.

use super::choices::{Backbone, Estimator, Kind, Timesteps};
use super::layer::Values;
use super::{Error, Result, Settings};

pub(super) fn check(settings: &Settings, values: &Values) -> Result<()> {
    ranges(settings, values)?;
    model(settings, values)?;
    kind(settings, values)?;
    draws(settings, values)?;
    batches(settings, values)
}

fn ranges(settings: &Settings, values: &Values) -> Result<()> {
    let Settings {
        model,
        lora,
        objective,
        noise,
        optimiser,
        run,
        data,
    } = settings;
    let counts = [
        ("model.text_tokens", Some(model.text_tokens)),
        ("model.resolution_px", Some(model.resolution_px)),
        ("lora.rank", Some(lora.rank)),
        ("objective.draws", Some(objective.draws)),
        ("run.steps", Some(run.steps)),
        ("run.batch_pairs", Some(run.batch_pairs)),
        ("run.micro_batch_pairs", Some(run.micro_batch_pairs)),
        ("run.n_eval_draws", Some(run.n_eval_draws)),
        ("run.save_every_steps", Some(run.save_every_steps)),
        ("run.keep_checkpoints", Some(run.keep_checkpoints)),
        ("run.eval_every_steps", run.eval_every_steps),
        ("run.sample_every_steps", run.sample_every_steps),
        ("data.bucket_step_px", Some(data.bucket_step_px)),
    ];
    for (key, count) in counts {
        ensure(count != Some(0), || values.out_of_range(key, "1 or more"))?;
    }
    let positive = [
        ("lora.alpha", Some(lora.alpha)),
        ("objective.tau", objective.tau),
        ("objective.beta", objective.beta),
        ("objective.loss_scale", Some(objective.loss_scale)),
        ("noise.logit_std", Some(noise.logit_std)),
        ("optimiser.learning_rate", Some(optimiser.learning_rate)),
        ("optimiser.epsilon", Some(optimiser.epsilon)),
        ("optimiser.clip_norm", optimiser.clip_norm),
    ];
    for (key, number) in positive {
        ensure(number.is_none_or(|number| number > 0.0), || {
            values.out_of_range(key, "a number above 0")
        })?;
    }
    let amounts = [
        ("model.guidance", model.guidance),
        ("objective.alpha", objective.alpha),
        ("optimiser.weight_decay", Some(optimiser.weight_decay)),
    ];
    for (key, number) in amounts {
        ensure(number.is_none_or(|number| number >= 0.0), || {
            values.out_of_range(key, "a number of 0 or more")
        })?;
    }
    let decays = [
        ("optimiser.beta_1", Some(optimiser.beta_1)),
        ("optimiser.beta_2", Some(optimiser.beta_2)),
        ("optimiser.ema_decay", optimiser.ema_decay),
    ];
    for (key, decay) in decays {
        ensure(decay.is_none_or(|decay| (0.0..1.0).contains(&decay)), || {
            values.out_of_range(key, "a number from 0 to below 1")
        })?;
    }
    ensure([1, 2].contains(&objective.weight_power), || {
        values.out_of_range("objective.weight_power", "1 or 2")
    })
}

fn model(settings: &Settings, values: &Values) -> Result<()> {
    let model = &settings.model;
    let takes_guidance = model.backbone != Backbone::Sdxl;
    let refused = |key, reason: &str| Err(values.contradiction(key, reason.to_owned()));
    match (takes_guidance, model.guidance) {
        (true, None) => {
            return refused(
                "model.guidance",
                "the backbone takes a guidance as its input: give a number",
            );
        }
        (false, Some(_)) => {
            return refused(
                "model.guidance",
                "`model.backbone` is \"sdxl\", which has no such input: set it to `none`",
            );
        }
        _ => {}
    }
    if model.backbone == Backbone::Tiny && model.base.is_some() {
        return refused(
            "model.base",
            "`model.backbone` is \"tiny\", which makes its own base",
        );
    }
    if !takes_guidance && settings.noise.timesteps == Timesteps::FluxShift {
        return refused(
            "noise.timesteps",
            "`model.backbone` is \"sdxl\", whose schedule is not shifted",
        );
    }
    if model.backbone == Backbone::Flux && !settings.data.bucket_step_px.is_multiple_of(16) {
        return refused(
            "data.bucket_step_px",
            "FLUX packs latents by 2 x 2: it must be a multiple of 16",
        );
    }
    if !settings.data.bucket_step_px.is_multiple_of(8) && model.backbone == Backbone::Sdxl {
        return refused(
            "data.bucket_step_px",
            "a latent cell has 8 pixels: it must be a multiple of 8",
        );
    }
    ensure(
        model.resolution_px.is_multiple_of(settings.data.bucket_step_px),
        || {
            let reason = format!(
                "it is no multiple of `data.bucket_step_px`, {}",
                settings.data.bucket_step_px
            );
            values.contradiction("model.resolution_px", reason)
        },
    )
}

/// Each number of the objective is given where it counts, and only there.
fn kind(settings: &Settings, values: &Values) -> Result<()> {
    let objective = &settings.objective;
    let kind = objective.kind;
    let numbers = [
        (
            "objective.tau",
            objective.tau.is_some(),
            kind == Kind::BoundedLocal,
        ),
        (
            "objective.beta",
            objective.beta.is_some(),
            matches!(kind, Kind::Dpo | Kind::Ipo),
        ),
    ];
    for (key, is_given, counts) in numbers {
        given_where_it_counts(
            values,
            key,
            is_given,
            counts,
            &format!("`objective.kind` is \"{kind}\""),
        )?;
    }
    let mask = format!("`objective.mask` is {}", objective.mask);
    given_where_it_counts(
        values,
        "objective.alpha",
        objective.alpha.is_some(),
        objective.mask,
        &mask,
    )
}

fn given_where_it_counts(
    values: &Values,
    key: &'static str,
    is_given: bool,
    counts: bool,
    because: &str,
) -> Result<()> {
    let way_out = if counts {
        "give a number"
    } else {
        "set it to `none`"
    };
    ensure(is_given == counts, || {
        values.contradiction(key, format!("{because}: {way_out}"))
    })
}

fn draws(settings: &Settings, values: &Values) -> Result<()> {
    let objective = &settings.objective;
    if objective.estimator == Estimator::Squared {
        return Ok(());
    }
    ensure(objective.draws == 2, || {
        let reason = format!("`objective.draws` is {}: a product takes 2", objective.draws);
        values.contradiction("objective.estimator", reason)
    })?;
    ensure(matches!(objective.kind, Kind::Ipo | Kind::BoundedLocal), || {
        let reason = format!(
            "`objective.kind` is \"{}\", which squares nothing",
            objective.kind
        );
        values.contradiction("objective.estimator", reason)
    })
}

fn batches(settings: &Settings, values: &Values) -> Result<()> {
    let (run, optimiser) = (&settings.run, &settings.optimiser);
    ensure(run.batch_pairs.is_multiple_of(run.micro_batch_pairs), || {
        let reason = format!("it does not divide `run.batch_pairs`, {}", run.batch_pairs);
        values.contradiction("run.micro_batch_pairs", reason)
    })?;
    ensure(optimiser.warmup_steps <= run.steps, || {
        let reason = format!("`run.steps` is {}: the warm-up would not end", run.steps);
        values.contradiction("optimiser.warmup_steps", reason)
    })?;
    ensure(run.eval_every_steps.is_none() || run.n_held_out > 0, || {
        let reason = "`run.eval_every_steps` asks for held-out pairs: set it to `none`".to_owned();
        values.contradiction("run.n_held_out", reason)
    })
}

fn ensure(holds: bool, error: impl FnOnce() -> Error) -> Result<()> {
    if holds { Ok(()) } else { Err(error()) }
}
