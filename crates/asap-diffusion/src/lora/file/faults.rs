//! What is wrong with a file is said with the name that is wrong.

use std::collections::BTreeMap;
use std::path::Path;

use super::parity::adapter;
use super::{AdapterFile, Backbone, Format, LowRankArrays, export};
use crate::Array;
use crate::device::{Place, Precision};
use crate::lora::Attachment;
use crate::nn::Linear;
use crate::testing::write_weights;
use crate::weights::{Checkpoint, Loader, write_safetensors};

const Q: &str = "transformer.transformer_blocks.0.attn.to_q";

/// A tensor's name and sizes.
type Named<'a> = (&'a str, &'a [usize]);

/// Reads a file with tensors of ones of these names and sizes; gives the message without the path.
fn message(tensors: &[Named<'_>]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("adapter.safetensors");
    write_ones(&path, tensors);
    let error = AdapterFile::read(&path).unwrap_err().to_string();
    error.replace(&format!("`{}`: ", path.display()), "")
}

fn write_ones(path: &Path, tensors: &[Named<'_>]) {
    let tensors = tensors
        .iter()
        .map(|(name, shape)| {
            let values = vec![1.0; shape.iter().product()];
            ((*name).to_owned(), Array::new(shape, values).unwrap())
        })
        .collect();
    write_safetensors(path, &tensors, &BTreeMap::new()).unwrap();
}

#[test]
fn a_wrong_file_is_refused_with_its_reason() {
    let (a, b) = (format!("{Q}.lora_A.weight"), format!("{Q}.lora_B.weight"));
    let (a, b) = (a.as_str(), b.as_str());
    let cases: [(&[Named<'_>], &str); 10] = [
        (&[], "expected an adapter, got a file without tensors"),
        (
            &[(a, &[2, 4])],
            "expected `transformer.transformer_blocks.0.attn.to_q`: B beside A, got A alone",
        ),
        (
            &[(b, &[4, 2])],
            "expected `transformer.transformer_blocks.0.attn.to_q`: A beside B, got B alone",
        ),
        (
            &[(a, &[2, 4]), (b, &[4, 3])],
            "expected `transformer.transformer_blocks.0.attn.to_q`: B of 2 columns, as A [2, 4] has rows, got B [4, 3]",
        ),
        (
            &[(a, &[2, 4, 3, 3]), (b, &[4, 2, 1, 1])],
            "expected `transformer.transformer_blocks.0.attn.to_q.lora_A.weight`: a linear layer, as convolutions \
             are not adapted here, got [2, 4, 3, 3]",
        ),
        (
            &[("lora_unet_double_blocks_0_img_mlp_0.dora_scale", &[4])],
            "expected LoRA alone: `lora_A`, `lora_B` (or down, up) and `alpha`, got \
             `lora_unet_double_blocks_0_img_mlp_0.dora_scale`, which is DoRA",
        ),
        (
            &[("lora_unet_mid_block_attentions_0_proj_in.hada_w1_a", &[4, 4])],
            "expected LoRA alone: `lora_A`, `lora_B` (or down, up) and `alpha`, got \
             `lora_unet_mid_block_attentions_0_proj_in.hada_w1_a`, which is LoHa",
        ),
        (
            &[("lora_te1_text_model_x.lora_up.weight", &[4, 2])],
            "expected linear layers of FLUX's transformer or SDXL's UNet, got `lora_te1_text_model_x` of a text encoder",
        ),
        (
            &[
                (a, &[2, 4]),
                (b, &[4, 2]),
                ("unet.mid_block.attentions.0.proj_in.lora_A.weight", &[2, 4]),
                ("unet.mid_block.attentions.0.proj_in.lora_B.weight", &[4, 2]),
            ],
            "expected layers of one backbone, got `transformer.transformer_blocks.0.attn.to_q` of FLUX and \
             `unet.mid_block.attentions.0.proj_in` of SDXL",
        ),
        (
            &[
                ("lora_unet_double_blocks_0_img_attn_qkv.lora_down.weight", &[2, 4]),
                ("lora_unet_double_blocks_0_img_attn_qkv.lora_up.weight", &[11, 2]),
            ],
            "expected `lora_unet_double_blocks_0_img_attn_qkv`: 12 rows for `transformer_blocks.0.attn.to_q`, \
             `transformer_blocks.0.attn.to_k`, `transformer_blocks.0.attn.to_v`, got 11",
        ),
    ];
    for (tensors, expected) in cases {
        assert_eq!(message(tensors), expected);
    }
}

#[test]
fn an_adapter_of_the_other_backbone_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("adapter.safetensors");
    adapter(Backbone::Sdxl).write(&path, Format::Kohya).unwrap();
    let error = AdapterFile::read_for(&path, Backbone::Flux).unwrap_err();
    let expected = format!(
        "`{}`: expected an adapter for FLUX, got one for SDXL",
        path.display()
    );
    assert_eq!(error.to_string(), expected);
}

#[test]
fn a_torn_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("adapter.safetensors");
    adapter(Backbone::Flux).write(&path, Format::Diffusers).unwrap();
    let whole = std::fs::read(&path).unwrap();
    for n in [0, 7, 100, whole.len() / 2, whole.len() - 1] {
        std::fs::write(&path, &whole[..n]).unwrap();
        let error = AdapterFile::read(&path).unwrap_err().to_string();
        assert!(
            error.contains("expected a whole safetensors file"),
            "{n}: {error}"
        );
    }
}

#[test]
fn values_that_are_not_finite_are_neither_written_nor_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("adapter.safetensors");
    let mut broken = adapter(Backbone::Flux);
    let layer = "transformer_blocks.1.ff.net.2";
    let up = &mut broken.layers.get_mut(layer).unwrap().up;
    let mut values = up.values().to_vec();
    values[5] = f32::NAN;
    *up = Array::new(up.shape(), values).unwrap();
    let error = export(&broken, Format::Diffusers, &path).unwrap_err().to_string();
    assert!(
        error.ends_with("`transformer_blocks.1.ff.net.2`: finite values, got NaN"),
        "{error}"
    );
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);

    let name = |letter| format!("transformer.{layer}.lora_{letter}.weight");
    let pair = &broken.layers[layer];
    let tensors = BTreeMap::from([(name('A'), pair.down.clone()), (name('B'), pair.up.clone())]);
    write_safetensors(&path, &tensors, &BTreeMap::new()).unwrap();
    let error = AdapterFile::read(&path).unwrap_err().to_string();
    assert!(
        error.ends_with("`transformer_blocks.1.ff.net.2`: finite values, got NaN"),
        "{error}"
    );
}

/// Other trainers adapt the fused layer: one A for q, k and v, and no zeros in B.
#[test]
fn a_dense_fused_layer_gives_each_part_its_rows() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("adapter.safetensors");
    let name = "lora_unet_double_blocks_3_txt_attn_qkv";
    let array = |shape: &[usize], n: u8| Array::new(shape, (1..=n).map(f32::from).collect()).unwrap();
    let tensors = BTreeMap::from([
        (format!("{name}.lora_down.weight"), array(&[2, 2], 4)),
        (format!("{name}.lora_up.weight"), array(&[6, 2], 12)),
        (format!("{name}.alpha"), array(&[], 1)),
    ]);
    write_safetensors(&path, &tensors, &BTreeMap::new()).unwrap();
    let adapter = AdapterFile::read(&path).unwrap();
    assert_eq!((adapter.rank, adapter.alpha, adapter.layers.len()), (2, 1.0, 3));
    let k = &adapter.layers["transformer_blocks.3.attn.add_k_proj"];
    assert_eq!(k.down.values(), [1.0, 2.0, 3.0, 4.0]);
    assert_eq!(k.up.values(), [5.0, 6.0, 7.0, 8.0]);
    let delta = adapter.delta("transformer_blocks.3.attn.add_k_proj").unwrap();
    assert_eq!(delta.values(), [11.5, 17.0, 15.5, 23.0]);
}

/// A layer with a scale of its own keeps its product.
#[test]
fn layers_of_several_scales_get_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("adapter.safetensors");
    let other = "transformer.transformer_blocks.0.attn.to_k";
    let third = "transformer.transformer_blocks.0.attn.to_v";
    let names =
        [Q, third, other].map(|name| (format!("{name}.lora_A.weight"), format!("{name}.lora_B.weight")));
    let alpha = format!("{other}.alpha");
    let mut tensors: Vec<Named<'_>> = vec![(&alpha, &[])];
    for (a, b) in &names {
        tensors.extend([(a.as_str(), [2, 3].as_slice()), (b.as_str(), [5, 2].as_slice())]);
    }
    write_ones(&path, &tensors);
    let adapter = AdapterFile::read(&path).unwrap();
    assert_eq!((adapter.rank, adapter.alpha), (2, 2.0));
    let value = |layer: &str| adapter.delta(layer).unwrap().values()[0];
    assert_eq!(value("transformer_blocks.0.attn.to_q"), 2.0);
    assert_eq!(value("transformer_blocks.0.attn.to_k"), 1.0);
}

/// ComfyUI's names of the original checkpoint, and the underscored paths of OneTrainer and of diffusers' conversion.
#[test]
fn other_spellings_name_the_same_layers() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("adapter.safetensors");
    let cases = [
        (
            "diffusion_model.double_blocks.7.img_mlp.2",
            "transformer_blocks.7.ff.net.2",
        ),
        (
            "lora_transformer_single_transformer_blocks_3_proj_out",
            "single_transformer_blocks.3.proj_out",
        ),
        (
            "diffusion_model.middle_block.1.proj_in",
            "mid_block.attentions.0.proj_in",
        ),
        (
            "lora_unet_output_blocks_2_1_transformer_blocks_4_attn2_to_out_0",
            "up_blocks.0.attentions.2.transformer_blocks.4.attn2.to_out.0",
        ),
        (
            "lora_unet_up_blocks_0_attentions_2_transformer_blocks_4_ff_net_0_proj",
            "up_blocks.0.attentions.2.transformer_blocks.4.ff.net.0.proj",
        ),
    ];
    for (name, layer) in cases {
        let names = [
            format!("{name}.lora_down.weight"),
            format!("{name}.lora_up.weight"),
        ];
        write_ones(&path, &[(&names[0], &[2, 3, 1, 1]), (&names[1], &[4, 2, 1, 1])]);
        let adapter = AdapterFile::read(&path).unwrap();
        assert!(
            adapter.layers.keys().eq([layer]),
            "{name}: {:?}",
            adapter.layers.keys()
        );
        assert_eq!(adapter.layers[layer].sizes(), Ok((2, 3, 4)));
    }
}

#[test]
fn a_layer_without_a_place_in_the_network_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let base = folder.path().join("model.safetensors");
    let path = "transformer_blocks.0.attn.to_q";
    let shapes = [("weight", vec![5, 3]), ("bias", vec![5])];
    write_weights(
        &base,
        &shapes
            .map(|(word, shape)| (format!("{path}.{word}"), shape))
            .into(),
    );
    let base = Checkpoint::open(folder.path()).unwrap();
    let pair = |n_in, n_out| LowRankArrays {
        down: Array::new(&[2, n_in], vec![1.0; 2 * n_in]).unwrap(),
        up: Array::new(&[n_out, 2], vec![1.0; 2 * n_out]).unwrap(),
    };
    let load = |layers: &[(&str, LowRankArrays)]| {
        let file = AdapterFile {
            backbone: Backbone::Flux,
            rank: 2,
            alpha: 2.0,
            layers: layers
                .iter()
                .map(|(path, pair)| ((*path).to_owned(), pair.clone()))
                .collect(),
            notes: BTreeMap::new(),
        };
        let attachment = Attachment::of(&file);
        let loader = Loader::new(&base, Place::Cpu, Precision::F32).with_adapters(&attachment);
        let layer = Linear::load(&loader.root().at(path), 3, 5);
        let (_, loaded) = loader.finish(layer).unwrap();
        file.check_placed(&loaded).map_err(|error| error.to_string())
    };
    assert_eq!(load(&[(path, pair(3, 5))]), Ok(()));
    assert_eq!(
        load(&[(path, pair(3, 5)), ("proj_out", pair(4, 4))]).unwrap_err(),
        "the layers of an adapter: expected a place in the network for all 2, got none for `proj_out` (A [2, 4], B \
         [4, 2])"
    );
    assert_eq!(
        load(&[(path, pair(3, 6))]).unwrap_err(),
        "the layers of an adapter: expected a place in the network for all 1, got none for \
         `transformer_blocks.0.attn.to_q` (A [2, 3], B [6, 2])"
    );
}
