//! Gradients, with activations kept and computed again.

use tch::Kind;

use super::*;
use crate::lora::{Attachment, Backbone};

#[test]
fn adapters_and_their_gradients_are_those_of_peft() {
    let golden = Golden::read("flux");
    let case = Plain::read(&golden, "plain");
    let weights = Weights::of(&golden.shapes("/keys/dev"));
    let keys = golden.shapes("/adapter_keys");
    let file = crate::testing::adapter(Backbone::Flux, &keys, (1.0, 2.0));
    let attachment = Attachment::of(&file);
    for checkpointing in [
        Checkpointing::Off,
        Checkpointing::EveryNth(1),
        Checkpointing::EveryNth(3),
    ] {
        let (transformer, loaded) = load(&weights.path(), &case.config, Precision::F32, Some(&attachment));
        assert_eq!(loaded.parameters.len(), keys.len());
        let run = Run {
            checkpointing,
            ..Run::ADAPTED
        };
        let output = case.velocity(&transformer, run);
        golden.check("adapted", &output);
        let seed = Golden::input("seed", &output.size(), 1.0);
        (output * seed).sum(Kind::Float).backward();
        for parameter in &loaded.parameters {
            assert!(keys.contains_key(&parameter.name), "{}", parameter.name);
            golden.check(&format!("grad.{}", parameter.name), &parameter.tensor.grad());
        }
        golden.check("velocity.plain", &case.velocity(&transformer, Run::BASE));
    }
}

/// Where all weights are trained, each gets its gradient, and the same one from blocks that are computed again.
#[test]
fn checkpointing_leaves_the_gradients_of_all_weights_as_they_are() {
    let golden = Golden::read("flux");
    let case = Plain::read(&golden, "distilled");
    let weights = Weights::of(&golden.shapes("/keys/schnell"));
    let checkpoint = Checkpoint::open(&weights.path()).unwrap();
    let gradients = |checkpointing| {
        let loader = Loader::from_nothing(1, Place::Cpu);
        let transformer = FluxTransformer::load(&loader.root(), &case.config);
        let (transformer, loaded) = loader.finish(transformer).unwrap();
        crate::testing::fill(&loaded, &checkpoint);
        let run = Run {
            checkpointing,
            ..Run::BASE
        };
        case.velocity(&transformer, run)
            .square()
            .sum(Kind::Float)
            .backward();
        let parameters = loaded.parameters.into_iter();
        parameters
            .map(|parameter| parameter.tensor.grad())
            .collect::<Vec<_>>()
    };
    let plain = gradients(Checkpointing::Off);
    assert_eq!(plain.len(), golden.shapes("/keys/schnell").len());
    for (a, b) in plain.iter().zip(gradients(Checkpointing::EveryNth(2))) {
        let apart = (a - &b).abs().max().double_value(&[]) / a.abs().max().double_value(&[]);
        assert!(apart <= 1e-6, "{apart:e}");
    }
}

/// Without gradients a checkpointed pass is the plain one: the reference of a preference step.
#[test]
fn a_checkpointed_pass_without_gradients_leaves_no_graph() {
    let golden = Golden::read("flux");
    let case = Plain::read(&golden, "plain");
    let transformer = network(&golden, "dev", Precision::F32);
    let run = Run {
        checkpointing: Checkpointing::EveryNth(1),
        ..Run::BASE
    };
    let _off = tch::no_grad_guard();
    let output = case.velocity(&transformer, run);
    assert!(!output.requires_grad());
    golden.check("velocity.plain", &output);
}
