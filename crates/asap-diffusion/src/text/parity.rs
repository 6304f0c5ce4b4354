//! The text encoders against transformers', the prompts against diffusers' pipelines.

use std::path::Path;

use tch::Tensor;

use crate::device::{Place, Precision};
use crate::testing::{Golden, write_weights};
use crate::text::clip::{ClipText, Head};
use crate::text::t5::T5Encoder;
use crate::text::{ClipConfig, FluxTextEncoders, SdxlFile, SdxlTextEncoders, T5Config};
use crate::weights::Checkpoint;
use crate::{Array, Result};

/// A model's folder with the golden tokenizers: CLIP's as `tokenizer`, T5's as `tokenizer_2`, OpenCLIP's as `open`.
pub(super) fn base() -> tempfile::TempDir {
    let base = tempfile::tempdir().unwrap();
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/tokenizers");
    for (folder, sources) in [
        ("tokenizer", &["clip"][..]),
        ("open", &["clip", "open_clip"]),
        ("tokenizer_2", &["t5"]),
    ] {
        let folder = base.path().join(folder);
        std::fs::create_dir(&folder).unwrap();
        for file in sources
            .iter()
            .flat_map(|source| golden.join(source).read_dir().unwrap())
        {
            let file = file.unwrap();
            std::fs::copy(file.path(), folder.join(file.file_name())).unwrap();
        }
    }
    base
}

/// Writes a network of the golden file as transformers keeps it.
fn write(golden: &Golden, fact: &str, folder: &Path) {
    std::fs::create_dir(folder).unwrap();
    let config: serde_json::Value = golden.fact(&format!("{fact}/config"));
    std::fs::write(folder.join("config.json"), config.to_string()).unwrap();
    let weights = folder.join("model.safetensors");
    write_weights(&weights, &golden.shapes(&format!("{fact}/keys")));
}

fn clip(golden: &Golden, name: &str, head: Head) -> Result<ClipText> {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("text_encoder");
    write(golden, &format!("/clip/{name}"), &folder);
    let config = ClipConfig::read(&folder.join("config.json"))?;
    ClipText::load(
        &Checkpoint::open(&folder)?,
        &config,
        head,
        Place::Cpu,
        Precision::F32,
    )
}

fn t5(golden: &Golden, name: &str) -> T5Encoder {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("text_encoder_2");
    write(golden, &format!("/t5/{name}"), &folder);
    let config = T5Config::read(&folder.join("config.json")).unwrap();
    T5Encoder::load(
        &Checkpoint::open(&folder).unwrap(),
        &config,
        Place::Cpu,
        Precision::F32,
    )
    .unwrap()
}

#[test]
fn clip_is_that_of_transformers() {
    let golden = Golden::read("text");
    for (name, head) in [
        ("quick", Head::Plain),
        ("projected", Head::Projected),
        ("legacy", Head::Plain),
    ] {
        let network = clip(&golden, name, head).unwrap();
        let ids: Vec<Vec<i64>> = golden.fact(&format!("/clip/{name}/ids"));
        let output = network.forward(&Tensor::from_slice2(&ids));
        golden.check(&format!("{name}.penultimate"), &output.penultimate);
        golden.check(&format!("{name}.pooled"), &output.pooled);
    }
}

#[test]
fn a_projection_is_left_alone_or_asked_for() {
    let golden = Golden::read("text");
    let plain = clip(&golden, "projected", Head::Plain).unwrap();
    let ids: Vec<Vec<i64>> = golden.fact("/clip/projected/ids");
    assert_eq!(plain.forward(&Tensor::from_slice2(&ids)).pooled.size(), [3, 16]);
    let error = clip(&golden, "quick", Head::Projected)
        .err()
        .map(|error| error.to_string());
    assert!(error.unwrap().contains("missing 1: `text_projection.weight`"));
}

#[test]
fn layers_are_those_of_transformers() {
    let golden = Golden::read("text");
    let network = clip(&golden, "quick", Head::Plain).unwrap();
    let x = Golden::input("clip.x", &[2, 5, 16], 1.5);
    golden.check("layer.mlp", &network.layers[1].mlp.forward(&x));
    golden.check("layer.attention", &network.layers[1].self_attn.forward(&x));
    golden.check("layer.clip", &network.layers[1].forward(&x));

    let network = t5(&golden, "long");
    let x = Golden::input("t5.x", &[2, 5, 16], 1.5);
    golden.check("layer.gated", &network.blocks[1].feed_forward.forward(&x));
    golden.check("layer.t5", &network.blocks[1].forward(&x, &network.bias(5, &x)));
}

#[test]
fn distances_have_the_rows_of_transformers() {
    let golden = Golden::read("text");
    let network = t5(&golden, "long");
    let bias = network
        .bias(600, &Golden::input("t5.x", &[1], 1.0))
        .squeeze_dim(0);
    let seeing = Tensor::from_slice(&[0i64, 1, 299, 599]);
    golden.check_within(
        "layer.bias",
        &bias.index_select(1, &seeing).slice(2, 0, 600, 3),
        0.0,
    );
}

#[test]
fn t5_is_that_of_transformers() {
    let golden = Golden::read("text");
    let (n_texts, n_tokens) = (2, 150);
    let ids: Vec<i64> = (0..n_texts * n_tokens).map(|at| (at * 7919 + 13) % 127).collect();
    let ids = Tensor::from_slice(&ids).reshape([n_texts, n_tokens]);
    let mask = ids.ones_like();
    let _ = mask.get(0).narrow(0, 90, 60).fill_(0);
    let _ = mask.get(1).narrow(0, 3, 147).fill_(0);
    for name in ["long", "few"] {
        let network = t5(&golden, name);
        let seventh = |x: Tensor| x.slice(1, 0, n_tokens, 7);
        golden.check(&format!("{name}.open"), &seventh(network.forward(&ids, None)));
        golden.check(
            &format!("{name}.masked"),
            &seventh(network.forward(&ids, Some(&mask))),
        );
    }
}

#[test]
fn the_table_of_t5_may_have_its_second_name() {
    let golden = Golden::read("text");
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("text_encoder_2");
    write(&golden, "/t5/few", &folder);
    let config = T5Config::read(&folder.join("config.json")).unwrap();
    let renamed = Checkpoint::open(&folder).unwrap().renamed(|name| {
        let name = name.replace("shared.weight", "encoder.embed_tokens.weight");
        vec![(name, crate::weights::Part::Whole)]
    });
    let network = T5Encoder::load(&renamed, &config, Place::Cpu, Precision::F32).unwrap();
    let ids = Tensor::from_slice(&[5i64, 90, 3]).unsqueeze(0);
    assert_eq!(
        network.forward(&ids, None),
        t5(&golden, "few").forward(&ids, None)
    );
}

/// The arrays of all prompts as one.
fn stacked<'a>(arrays: impl Iterator<Item = &'a Array>) -> Tensor {
    let tensors: Vec<Tensor> = arrays.map(Array::tensor).collect();
    Tensor::stack(&tensors, 0)
}

fn n_truncated(golden: &Golden, tokenizer: &str, n_tokens: usize) -> Vec<usize> {
    let lengths: Vec<usize> = golden.fact(&format!("/tokens/{tokenizer}/lengths"));
    lengths
        .iter()
        .map(|length| length.saturating_sub(n_tokens))
        .collect()
}

#[test]
fn prompts_of_flux_are_those_of_diffusers() {
    let golden = Golden::read("text");
    let base = base();
    write(&golden, "/prompts/clip_1", &base.path().join("text_encoder"));
    write(&golden, "/prompts/t5", &base.path().join("text_encoder_2"));
    let encoders = FluxTextEncoders::open(base.path(), Place::Cpu, Precision::F32).unwrap();
    let texts: Vec<String> = golden.fact("/texts");
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let found = encoders.encode(&texts, 28).unwrap();
    golden.check("flux.t5", &stacked(found.iter().map(|one| &one.t5)));
    golden.check("flux.pooled", &stacked(found.iter().map(|one| &one.pooled)));
    let (by_clip, by_t5) = (n_truncated(&golden, "clip", 20), n_truncated(&golden, "t5", 28));
    for (at, one) in found.iter().enumerate() {
        assert_eq!(one.n_truncated, [by_clip[at], by_t5[at]]);
    }
    assert!(by_clip.iter().chain(&by_t5).any(|n| *n > 0));
    let short = encoders.encode(&texts[..3], 9).unwrap();
    golden.check("flux.short", &stacked(short.iter().map(|one| &one.t5)));
    assert!(encoders.encode(&[], 28).unwrap().is_empty());
}

/// A folder of SDXL: both tokenizers are CLIP's.
fn sdxl_base() -> tempfile::TempDir {
    let base = base();
    std::fs::remove_dir_all(base.path().join("tokenizer_2")).unwrap();
    std::fs::rename(base.path().join("open"), base.path().join("tokenizer_2")).unwrap();
    base
}

#[test]
fn prompts_of_sdxl_are_those_of_diffusers() {
    let golden = Golden::read("text");
    let base = sdxl_base();
    write(&golden, "/prompts/clip_1", &base.path().join("text_encoder"));
    write(&golden, "/prompts/clip_2", &base.path().join("text_encoder_2"));
    let encoders = SdxlTextEncoders::open(base.path(), Place::Cpu, Precision::F32).unwrap();
    let texts: Vec<String> = golden.fact("/texts");
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let found = encoders.encode(&texts).unwrap();
    golden.check("sdxl.tokens", &stacked(found.iter().map(|one| &one.tokens)));
    golden.check("sdxl.pooled", &stacked(found.iter().map(|one| &one.pooled)));
    let by_both = [
        n_truncated(&golden, "clip", 20),
        n_truncated(&golden, "open_clip", 20),
    ];
    for (at, one) in found.iter().enumerate() {
        assert_eq!(one.n_truncated, [by_both[0][at], by_both[1][at]]);
    }
}

#[test]
fn the_single_file_of_sdxl_gives_what_diffusers_makes_of_it() {
    let golden = Golden::read("text");
    let base = sdxl_base();
    let weights = base.path().join("sdxl.safetensors");
    let mut shapes = golden.shapes("/original");
    // The single file holds the other networks too, and numbers that are no weights.
    for name in [
        "first_stage_model.quant_conv.bias",
        "conditioner.embedders.0.transformer.text_model.embeddings.position_ids",
    ] {
        shapes.insert(name.to_owned(), vec![2]);
    }
    write_weights(&weights, &shapes);
    let config = |name: &str| {
        let folder = base.path().join(name);
        write(&golden, &format!("/prompts/{name}"), &folder);
        ClipConfig::read(&folder.join("config.json")).unwrap()
    };
    let file = SdxlFile {
        weights: &weights,
        tokenizers: base.path(),
        configs: [config("clip_1"), config("clip_2")],
    };
    let encoders = SdxlTextEncoders::open_file(&file, Place::Cpu, Precision::F32).unwrap();
    let texts: Vec<String> = golden.fact("/texts");
    let found = encoders.encode(&[&texts[0], &texts[1]]).unwrap();
    golden.check("original.tokens", &stacked(found.iter().map(|one| &one.tokens)));
    golden.check("original.pooled", &stacked(found.iter().map(|one| &one.pooled)));
}

#[test]
fn tokenizers_of_another_network_are_refused() {
    let golden = Golden::read("text");
    let base = base();
    let folder = base.path().join("text_encoder");
    write(&golden, "/prompts/clip_1", &folder);
    write(&golden, "/prompts/t5", &base.path().join("text_encoder_2"));
    let open = || {
        let opened = FluxTextEncoders::open(base.path(), Place::Cpu, Precision::F32);
        opened.err().map(|error| error.to_string()).unwrap()
    };
    let settings = base.path().join("tokenizer/tokenizer_config.json");
    let long = std::fs::read_to_string(&settings)
        .unwrap()
        .replace(": 20", ": 77");
    std::fs::write(&settings, long).unwrap();
    assert!(open().ends_with("expected texts of at most the 20 tokens that the encoder reads, got 77"));
    std::fs::remove_dir_all(base.path().join("tokenizer_2")).unwrap();
    std::fs::rename(base.path().join("tokenizer"), base.path().join("tokenizer_2")).unwrap();
    std::fs::rename(base.path().join("open"), base.path().join("tokenizer")).unwrap();
    let error = open();
    assert!(
        error.ends_with("expected at most the 69 tokens that the encoder knows, got 550"),
        "{error}"
    );
}
