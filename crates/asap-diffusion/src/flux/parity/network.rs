//! Outputs: of the whole, of every module, and in `bf16`.

use tch::{Kind, Tensor};

use super::*;
use crate::flux::double::Streams;
use crate::flux::embed::waves;
use crate::flux::rope::Layout;
use crate::nn::TimestepEmbedding;
use crate::testing::deepened;

#[test]
fn velocities_are_those_of_diffusers() {
    let golden = Golden::read("flux");
    for (network_name, cases) in [
        ("dev", ["plain", "tall", "long"].as_slice()),
        ("schnell", ["distilled", "row"].as_slice()),
    ] {
        let transformer = network(&golden, network_name, Precision::F32);
        for name in cases {
            let case = Plain::read(&golden, name);
            golden.check(
                &format!("velocity.{name}"),
                &case.velocity(&transformer, Run::BASE),
            );
        }
    }
}

#[test]
fn every_module_is_that_of_diffusers() {
    let golden = Golden::read("flux");
    let case = Plain::read(&golden, "plain");
    let network = network(&golden, "dev", Precision::F32);
    let off = Adapter::Off;

    let embed = &network.time_text_embed;
    let guidance = network.guidance(case.guidance.unwrap(), &case.sigmas).unwrap();
    let of = |layer: &TimestepEmbedding, x: &Tensor| layer.forward(&waves(x, Kind::Float), off);
    golden.check("timestep_embedder", &of(&embed.timestep, &case.sigmas));
    golden.check(
        "guidance_embedder",
        &of(embed.guidance.as_ref().unwrap(), &guidance),
    );
    golden.check("text_embedder", &embed.text.forward(&case.text.pooled, off));
    let embedding = embed.forward(&case.sigmas, Some(&guidance), &case.text.pooled, off);
    golden.check("time_text_embed", &embedding);

    let tokens = pack(&case.latents);
    let mut x = Streams {
        image: network.x_embedder.base(&tokens),
        text: network.context_embedder.base(&case.text.t5),
    };
    golden.check("x_embedder", &x.image);
    golden.check("context_embedder", &x.text);
    let layout = Layout {
        n_text: x.text.size()[1],
        rows: case.rows,
        cols: case.cols,
    };
    let rope = network.rope(layout, &tokens);
    for (n, block) in network.double_blocks.iter().enumerate() {
        x = block.forward(&x, &embedding, &rope, off);
        golden.check(&format!("transformer_blocks.{n}.image"), &x.image);
        golden.check(&format!("transformer_blocks.{n}.text"), &x.text);
    }
    let mut x = Tensor::cat(&[x.text, x.image], 1);
    for (n, block) in network.single_blocks.iter().enumerate() {
        x = block.forward(&x, &embedding, &rope, off);
        golden.check(&format!("single_transformer_blocks.{n}"), &x);
    }
    let image = x.narrow(1, layout.n_text, case.rows * case.cols);
    let normalised = network.normalised(&image, &embedding, off);
    golden.check("norm_out", &normalised);
    golden.check("proj_out", &network.proj_out.base(&normalised));
}

/// In `bf16` processors round products differently, so this is no comparison bit for bit.
#[test]
fn in_bf16_the_network_stays_near() {
    let golden = Golden::read("flux");
    let transformer = network(&golden, "dev", Precision::Bf16);
    for (name, expected) in [("exact", "velocity.exact"), ("plain", "velocity.plain.bf16")] {
        let output = Plain::read(&golden, name).velocity(&transformer, Run::BASE);
        assert_eq!(output.kind(), Kind::BFloat16);
        golden.check_within(expected, &output, 3e-2);
    }
}

/// The mean square distance from the results in `f32` of the same weights: what is measured is the rounding on the
/// way. Rounding of the sum grows with the blocks, so there are as many as half of FLUX has.
#[test]
fn in_bf16_a_residual_stream_in_f32_is_nearer() {
    let golden = Golden::read("flux");
    let mut config: FluxConfig = golden.fact("/configs/dev");
    config.num_single_layers = 26;
    let shapes = deepened(golden.shapes("/keys/dev"), "single_transformer_blocks", 24);
    let weights = Weights::rounded(&shapes);
    let transformer = load(&weights.path(), &config, Precision::Bf16, None).0;
    let exact = load(&weights.path(), &config, Precision::F32, None).0;
    let away = |residual| {
        let run = Run {
            residual,
            ..Run::BASE
        };
        // At levels and guidances that `bf16` has: the embedding of others is that of a neighbour.
        ["tall", "exact"].map(|name| {
            let case = Plain::read(&golden, name);
            let got = case.velocity(&transformer, run);
            assert_eq!(got.kind(), Kind::BFloat16);
            let apart = got.to_kind(Kind::Float) - case.velocity(&exact, run);
            apart.square().mean(Kind::Float).double_value(&[])
        })
    };
    let (model, f32) = (away(Residual::Model), away(Residual::F32));
    let sum = |squares: [f64; 2]| squares.iter().sum::<f64>();
    assert!(sum(f32) < 0.8 * sum(model), "{f32:?} and {model:?}");
}

/// Without the rounding of `1000 sigma` the embedding would be 0.4 away.
#[test]
fn in_bf16_times_are_rounded_as_in_diffusers() {
    let golden = Golden::read("flux");
    let case = Plain::read(&golden, "rounded");
    let transformer = network(&golden, "dev", Precision::Bf16);
    let guidance = transformer.guidance(case.guidance.unwrap(), &case.sigmas);
    let pooled = case.text.pooled.to_kind(Kind::BFloat16);
    let embed = &transformer.time_text_embed;
    let embedding = embed.forward(&case.sigmas, guidance.as_ref(), &pooled, Adapter::Off);
    golden.check_within("time_text_embed.bf16", &embedding, 2e-2);
}
