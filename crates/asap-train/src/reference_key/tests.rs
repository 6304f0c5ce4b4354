//! What shares a name and what does not.

use std::collections::BTreeSet;

use asap_core::{Mechanism, PairId};
use asap_diffusion::lora::Backbone;

use super::*;
use crate::config::Layer;
use crate::objective::MaskMeans;

fn array(shape: &[usize], first: f32) -> Array {
    let n: usize = shape.iter().product();
    Array::new(shape, (0..n).map(|idx| first + idx as f32).collect()).unwrap()
}

fn example() -> Example {
    let latent = |first| Latent {
        mean: array(&[2, 2, 2], first),
        std: Some(array(&[2, 2, 2], 0.5)),
    };
    Example {
        n_cut_tokens: 0,
        id: PairId::from_bytes([1; 32]),
        prompt: "a hand".to_owned(),
        part: None,
        mechanism: Mechanism::ImageSpace,
        preferred: latent(0.0),
        rejected: latent(1.0),
        mask: array(&[2, 2], 0.0),
        mask_means: MaskMeans { m1: 0.5, m2: 0.5 },
        conditioning: Conditioning::Flux {
            t5: array(&[3, 2], 0.0),
            pooled: array(&[2], 0.0),
            guidance: Some(3.5),
        },
    }
}

fn stem(folder: &Path, flags: &[(&str, &str)], base_hash: &str, place: Place) -> Stem {
    let mut layers = vec![Layer::preset("flux-asap").unwrap()];
    layers.extend(flags.iter().map(|(key, value)| Layer::flag(key, value).unwrap()));
    let files = NetworkFiles {
        backbone: Backbone::Flux,
        config: folder.join("config.json"),
        weights: folder.join("no.safetensors"),
        scheduler: Some(folder.join("scheduler.json")),
    };
    Stem::of(&Settings::resolve(&layers).unwrap(), &files, base_hash, place).unwrap()
}

fn network() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs_err::write(folder.path().join("config.json"), "{}").unwrap();
    fs_err::write(folder.path().join("scheduler.json"), "{}").unwrap();
    folder
}

#[test]
fn what_only_weighs_the_errors_shares_a_name() {
    let folder = network();
    let of = |flags: &[(&str, &str)]| stem(folder.path(), flags, "abc", Place::Cpu);
    let plain = of(&[]);
    for flag in [
        ("objective.tau", "0.003"),
        ("objective.alpha", "3"),
        ("optimiser.learning_rate", "1e-4"),
        ("lora.rank", "8"),
        ("run.steps", "4000"),
    ] {
        assert_eq!(plain, of(&[flag]), "{flag:?}");
    }
    let dpo = [
        ("objective.kind", "dpo"),
        ("objective.tau", "none"),
        ("objective.beta", "2500"),
    ];
    assert_eq!(plain, of(&dpo));
}

#[test]
fn another_network_or_computation_has_another_name() {
    let folder = network();
    let of = |flags: &[(&str, &str)], hash, place| stem(folder.path(), flags, hash, place).0;
    let mut seen = BTreeSet::from([of(&[], "abc", Place::Cpu)]);
    assert!(seen.insert(of(&[], "abd", Place::Cpu)));
    assert!(seen.insert(of(&[], "abc", Place::Cuda(0))));
    for flag in [
        ("run.seed", "7"),
        ("model.precision", "f32"),
        ("run.backward", "joint"),
        ("noise.vae_noise", "mean"),
    ] {
        assert!(seen.insert(of(&[flag], "abc", Place::Cpu)), "{flag:?}");
    }
    for file in ["config.json", "scheduler.json"] {
        fs_err::write(folder.path().join(file), "{\"shift\": 3}").unwrap();
        assert!(seen.insert(of(&[], "abc", Place::Cpu)), "{file}");
    }
    // The number of a GPU is no matter.
    assert!(!seen.insert(of(&[], "abc", Place::Cpu)));
    assert!(seen.insert(of(&[], "abc", Place::Cuda(1))));
    assert!(!seen.insert(of(&[], "abc", Place::Cuda(0))));
}

#[test]
fn another_picture_mask_or_text_has_another_name() {
    let plain = example();
    let mut seen = BTreeSet::from([content(&plain)]);
    let mut changed: Vec<Example> = vec![plain.clone(); 6];
    changed[0].preferred.mean = array(&[2, 2, 2], 0.25);
    changed[1].rejected.mean = array(&[2, 2, 2], 1.25);
    changed[2].mask = array(&[2, 2], 0.25);
    changed[3].preferred.std = None;
    changed[4].mask = array(&[4, 1], 0.0);
    changed[5].conditioning = Conditioning::Flux {
        t5: array(&[3, 2], 0.25),
        pooled: array(&[2], 0.0),
        guidance: Some(3.5),
    };
    for (idx, changed) in changed.iter().enumerate() {
        assert!(seen.insert(content(changed)), "change {idx}");
    }
    let mut guided = plain.clone();
    guided.conditioning = Conditioning::Flux {
        t5: array(&[3, 2], 0.0),
        pooled: array(&[2], 0.0),
        guidance: Some(1.0),
    };
    assert!(seen.insert(content(&guided)));
    // What the network is not told is no matter.
    let mut renamed = plain;
    renamed.prompt = "a foot".to_owned();
    assert!(!seen.insert(content(&renamed)));
}

#[test]
fn another_draw_has_another_name() {
    let folder = network();
    let stem = stem(folder.path(), &[], "abc", Place::Cpu);
    let content = content(&example());
    let draw = Key {
        pair_id: PairId::from_bytes([1; 32]),
        epoch: 0,
        draw_idx: 0,
    };
    let name = |draw: &Key, level| stem.name(&content, draw, level);
    let others = [
        name(&draw, Level::Sigma(0.5)),
        name(&draw, Level::Sigma(0.25)),
        name(&draw, Level::Timestep(500)),
        name(&Key { epoch: 1, ..draw }, Level::Sigma(0.5)),
        name(&Key { draw_idx: 1, ..draw }, Level::Sigma(0.5)),
        name(
            &Key {
                pair_id: PairId::from_bytes([2; 32]),
                ..draw
            },
            Level::Sigma(0.5),
        ),
    ];
    assert_eq!(BTreeSet::from(others).len(), others.len());
    assert_eq!(others[0], name(&draw, Level::Sigma(0.5)));
}
