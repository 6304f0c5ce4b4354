//! What the public border gives and refuses.

use super::*;
use crate::sample::{FluxRequest, sample_flux};
use crate::schedule::SchedulerConfig;
use crate::testing::values;

#[test]
fn an_original_file_gives_the_velocities_of_diffusers() {
    let golden = Golden::read("flux");
    for (name, case_name) in [("dev", "plain"), ("schnell", "row")] {
        let case = Plain::read(&golden, case_name);
        let weights = Weights::of(&golden.shapes(&format!("/original_keys/{name}")));
        let flux =
            Flux::open_weights(&weights.path(), &case.config, Place::Cpu, Precision::F32, None).unwrap();
        let output = case.velocity(&flux.transformer, Run::BASE);
        golden.check(&format!("original.{case_name}"), &output);
    }
}

/// A folder as diffusers writes it.
fn opened(golden: &Golden, name: &str) -> Flux {
    let weights = Weights::of(&golden.shapes(&format!("/keys/{name}")));
    let config: serde_json::Value = golden.fact(&format!("/configs/{name}"));
    std::fs::write(weights.folder.path().join("config.json"), config.to_string()).unwrap();
    Flux::open(weights.folder.path(), Place::Cpu, Precision::F32, None).unwrap()
}

#[test]
fn samples_are_those_of_the_pipeline() {
    let golden = Golden::read("flux");
    for (name, n_steps, guidance) in [("dev", 10, Some(3.5)), ("schnell", 4, None)] {
        let flux = opened(&golden, name);
        let scheduler: SchedulerConfig = golden.fact(&format!("/schedulers/{name}"));
        let channels = flux.config().latent_channels();
        let text = text_of(name, flux.config(), 2, 7);
        let noise = Golden::input(&format!("{name}.noise"), &[2, channels, 6, 10], 1.5);
        let request = FluxRequest {
            noise: &Array::of(&noise),
            conditions: FluxConditions {
                t5: &Array::of(&text.t5),
                pooled: &Array::of(&text.pooled),
                guidance,
            },
            n_steps,
            run: Run::ADAPTED,
        };
        let latents = sample_flux(&flux, &scheduler, &request).unwrap();
        golden.check_within(&format!("sampled.{name}"), &latents.tensor(), 1e-4);
    }
}

fn array(shape: &[usize]) -> Array {
    Array::new(shape, values("x", shape.iter().product(), 1.0)).unwrap()
}

/// The shape of the velocity, or what is told instead.
fn asked(
    flux: &Flux,
    latents: &[usize],
    t5: &[usize],
    pooled: &[usize],
    sigmas: &[f64],
    guidance: Option<f64>,
) -> String {
    let point = FluxPoint {
        latents: &array(latents),
        sigmas,
        conditions: FluxConditions {
            t5: &array(t5),
            pooled: &array(pooled),
            guidance,
        },
    };
    match flux.velocity(&point, Run::BASE) {
        Ok(velocity) => format!("{:?}", velocity.shape()),
        Err(error) => error.to_string(),
    }
}

#[test]
fn inputs_that_do_not_fit_are_told_with_both_numbers() {
    let flux = opened(&Golden::read("flux"), "dev");
    let (latents, t5, pooled, sigmas) = ([1, 4, 2, 4], [1, 3, 24], [1, 20], [0.5]);
    let (guidance, none) = (Some(3.5), None);
    for (got, expected) in [
        (
            asked(&flux, &latents, &t5, &pooled, &sigmas, guidance),
            "[1, 4, 2, 4]",
        ),
        (
            asked(&flux, &[1, 4, 3, 4], &t5, &pooled, &sigmas, guidance),
            "the latents: expected [1, 4, h, w] with even h and w, got [1, 4, 3, 4]",
        ),
        (
            asked(&flux, &[1, 3, 4], &t5, &pooled, &sigmas, guidance),
            "the latents: expected [1, 4, h, w] with even h and w, got [1, 3, 4]",
        ),
        (
            asked(&flux, &latents, &[2, 3, 24], &pooled, &sigmas, guidance),
            "the T5 embeddings: expected [1, T, 24], got [2, 3, 24]",
        ),
        (
            asked(&flux, &latents, &t5, &[1, 12], &sigmas, guidance),
            "the pooled text: expected [1, 20], got [1, 12]",
        ),
        (
            asked(&flux, &latents, &t5, &pooled, &[0.5, 0.5], guidance),
            "the noise levels: expected 1, got 2",
        ),
        (
            asked(&flux, &latents, &t5, &pooled, &[1.5], guidance),
            "a noise level: expected 0 to 1, got 1.5",
        ),
        (
            asked(&flux, &latents, &t5, &pooled, &sigmas, none),
            "the guidance: expected a number: the network embeds one, got none",
        ),
        (
            asked(&flux, &latents, &t5, &pooled, &sigmas, Some(f64::NAN)),
            "the guidance: expected a finite number, got NaN",
        ),
    ] {
        assert_eq!(got, expected);
    }
}

#[test]
fn the_sampler_refuses_a_guidance_that_is_not_embedded_and_no_steps() {
    let flux = opened(&Golden::read("flux"), "schnell");
    for (guidance, n_steps, expected) in [
        (
            Some(3.5),
            4,
            "the guidance: expected none: the network embeds none, got 3.5",
        ),
        (None, 0, "the steps of the sampler: expected 1 or more, got 0"),
    ] {
        let request = FluxRequest {
            noise: &array(&[1, 3, 2, 4]),
            conditions: FluxConditions {
                t5: &array(&[1, 3, 20]),
                pooled: &array(&[1, 12]),
                guidance,
            },
            n_steps,
            run: Run::BASE,
        };
        let error = sample_flux(&flux, &SchedulerConfig::flux_schnell(), &request).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn weights_that_do_not_fit_are_told_all_at_once() {
    let golden = Golden::read("flux");
    let config: FluxConfig = golden.fact("/configs/dev");
    let mut shapes = golden.shapes("/keys/dev");
    let moved = shapes.remove("transformer_blocks.1.attn.to_q.weight").unwrap();
    shapes.insert("transformer_blocks.1.attn.to_query.weight".to_owned(), moved);
    shapes.remove("single_transformer_blocks.0.proj_mlp.bias");
    shapes.insert("x_embedder.weight".to_owned(), vec![32, 96]);
    shapes.insert("controlnet_x_embedder.bias".to_owned(), vec![32]);
    let weights = Weights::of(&shapes);
    let error = Flux::open_weights(&weights.path(), &config, Place::Cpu, Precision::F32, None)
        .err()
        .unwrap()
        .to_string();
    let (_, after) = error.split_once("do not fit the network; ").unwrap();
    assert_eq!(
        after,
        "missing 2: `transformer_blocks.1.attn.to_q.weight` (near it: \
         `transformer_blocks.1.attn.to_query.weight`), `single_transformer_blocks.0.proj_mlp.bias`; of another \
         size 1: `x_embedder.weight` (expected [32, 16], got [32, 96]); left over 2: `controlnet_x_embedder.bias`, \
         `transformer_blocks.1.attn.to_query.weight`"
    );
}
