//! The autoencoder against diffusers'.

use std::collections::BTreeMap;

use tch::Tensor;

use crate::device::{Place, Precision};
use crate::testing::{Golden, write_weights};
use crate::vae::model::AutoencoderKl;
use crate::vae::{Latents, Tiling, Vae, VaeConfig};
use crate::{Array, Error};

const CASES: [&str; 3] = ["flux", "sdxl", "plain"];

struct Case {
    config: VaeConfig,
    image: Vec<i64>,
    latent: Vec<i64>,
    folder: tempfile::TempDir,
}

impl Case {
    /// A model's folder with the weights and the configuration of a golden case.
    fn of(golden: &Golden, name: &str) -> Self {
        let fact = |key: &str| format!("/cases/{name}/{key}");
        let folder = tempfile::tempdir().unwrap();
        let vae = folder.path().join("vae");
        std::fs::create_dir(&vae).unwrap();
        let config: serde_json::Value = golden.fact(&fact("config"));
        std::fs::write(vae.join("config.json"), config.to_string()).unwrap();
        let weights = vae.join("diffusion_pytorch_model.safetensors");
        write_weights(&weights, &golden.shapes(&fact("keys")));
        Self {
            config: VaeConfig::read(&vae.join("config.json")).unwrap(),
            image: golden.fact(&fact("shape")),
            latent: golden.fact(&fact("latent")),
            folder,
        }
    }

    fn network(&self) -> AutoencoderKl {
        let folder = self.folder.path().join("vae");
        AutoencoderKl::load(&folder, &self.config, Place::Cpu, Precision::F32).unwrap()
    }

    fn open(&self) -> Vae {
        Vae::open(self.folder.path(), Place::Cpu, Precision::F32).unwrap()
    }
}

/// Mean, deviation and image of a network under the names `start.…`.
fn check_outputs(golden: &Golden, start: &str, network: &AutoencoderKl, image: &[i64], tiling: Tiling) {
    let factor = network.config.factor() as i64;
    let latent = [
        image[0],
        network.config.latent_channels,
        image[2] / factor,
        image[3] / factor,
    ];
    let input = Golden::input(&format!("{start}.image"), image, 1.0);
    let posterior = network.encode(&input, tiling).unwrap();
    golden.check(&format!("{start}.mean"), &posterior.mean);
    golden.check(&format!("{start}.std"), &posterior.std);
    let latents = Golden::input(&format!("{start}.latents"), &latent, 2.0);
    golden.check(
        &format!("{start}.image"),
        &network.decode(&latents, tiling).unwrap(),
    );
}

#[test]
fn outputs_are_those_of_diffusers() {
    let golden = Golden::read("vae");
    for name in CASES {
        let case = Case::of(&golden, name);
        check_outputs(&golden, name, &case.network(), &case.image, Tiling::Off);
    }
}

#[test]
fn latents_are_scaled_and_shifted_as_in_diffusers() {
    let golden = Golden::read("vae");
    for name in CASES {
        let case = Case::of(&golden, name);
        let network = case.network();
        let image = Golden::input(&format!("{name}.image"), &case.image, 1.0);
        let posterior = network.encode(&image, Tiling::Off).unwrap();
        let latents = Latents {
            mean: Array::of(&network.normalised(&posterior.mean)),
            std: Array::of(&(posterior.std * case.config.scaling_factor)),
        };
        let noise = Array::of(&Golden::input(&format!("{name}.noise"), &case.latent, 1.7));
        golden.check(
            &format!("{name}.drawn"),
            &latents.sample(&noise).unwrap().tensor(),
        );
        let latents = Golden::input(&format!("{name}.latents"), &case.latent, 2.0);
        golden.check(&format!("{name}.denormalised"), &network.denormalised(&latents));
    }
}

#[test]
fn layers_are_those_of_diffusers() {
    let golden = Golden::read("vae");
    let network = Case::of(&golden, "flux").network();
    let (encoder, decoder) = (&network.encoder, &network.decoder);
    let wide = Golden::input("x.16", &[2, 16, 3, 5], 1.0);
    let attention = encoder.mid_block.attention.as_ref().unwrap();
    golden.check("layer.mid_attention", &attention.forward(&wide));
    golden.check("layer.mid_block", &decoder.mid_block.forward(&wide));
    golden.check("layer.resnet", &encoder.mid_block.resnets[1].forward(&wide));
    let narrow = Golden::input("x.8", &[2, 8, 6, 10], 1.0);
    golden.check("layer.down_block", &encoder.down_blocks[1].forward(&narrow));
    golden.check("layer.up_block", &decoder.up_blocks[1].forward(&wide));
}

#[test]
fn tiles_are_those_of_diffusers() {
    let golden = Golden::read("vae");
    let sizes: BTreeMap<String, Vec<i64>> = golden.fact("/tiled");
    assert_eq!(sizes.len(), 2);
    for (name, image) in sizes {
        let case = Case::of(&golden, &name);
        let tiling = Tiling::Side(case.config.sample_size);
        check_outputs(&golden, &format!("tiled.{name}"), &case.network(), &image, tiling);
    }
}

#[test]
fn what_fits_in_a_tile_is_not_tiled() {
    let golden = Golden::read("vae");
    let case = Case::of(&golden, "flux");
    check_outputs(&golden, "flux", &case.network(), &case.image, Tiling::Side(32));
}

#[test]
fn original_files_give_what_diffusers_makes_of_them() {
    let golden = Golden::read("vae");
    for name in ["flux", "sdxl"] {
        let case = Case::of(&golden, name);
        let file = case.folder.path().join("original.safetensors");
        let mut shapes = golden.shapes(&format!("/original/{name}"));
        if name == "sdxl" {
            // The single file holds the other networks too.
            shapes.insert("model.diffusion_model.out.2.bias".to_owned(), vec![4]);
        }
        write_weights(&file, &shapes);
        let network = AutoencoderKl::load(&file, &case.config, Place::Cpu, Precision::F32).unwrap();
        check_outputs(
            &golden,
            &format!("original.{name}"),
            &network,
            &case.image,
            Tiling::Off,
        );
    }
}

#[test]
fn attention_under_its_old_words_is_the_same_network() {
    let golden = Golden::read("vae");
    let case = Case::of(&golden, "sdxl");
    let file = case.folder.path().join("vae/diffusion_pytorch_model.safetensors");
    let stored = crate::weights::SafeFile::open(&file).unwrap();
    let old = |name: &str| {
        [
            ("to_q", "query"),
            ("to_k", "key"),
            ("to_v", "value"),
            ("to_out.0", "proj_attn"),
        ]
        .iter()
        .fold(name.to_owned(), |name, (new, old)| name.replace(new, old))
    };
    let tensors = stored
        .tensors()
        .keys()
        .map(|name| {
            let (shape, values) = stored.values(name).unwrap();
            let shape: Vec<usize> = shape.iter().map(|&n| n as usize).collect();
            (old(name), Array::new(&shape, values).unwrap())
        })
        .collect();
    let path = case.folder.path().join("old.safetensors");
    crate::weights::write_safetensors(&path, &tensors, &BTreeMap::new()).unwrap();
    let network = AutoencoderKl::load(&path, &case.config, Place::Cpu, Precision::F32).unwrap();
    check_outputs(&golden, "sdxl", &network, &case.image, Tiling::Off);
}

/// A picture that a formula makes, and the same as the network sees it.
fn picture(width: usize, height: usize) -> (Vec<u8>, Tensor) {
    let rgb: Vec<u8> = (0..width * height * 3).map(|at| (at * 37 % 256) as u8).collect();
    let mut planes = vec![0f32; rgb.len()];
    for (at, byte) in rgb.iter().enumerate() {
        planes[at % 3 * width * height + at / 3] = f32::from(*byte) / 255.0 * 2.0 - 1.0;
    }
    let shape = [1, 3, height as i64, width as i64];
    (rgb, Tensor::from_slice(&planes).reshape(shape))
}

#[test]
fn pixels_go_through_the_network_and_come_back() {
    let golden = Golden::read("vae");
    let case = Case::of(&golden, "flux");
    let (vae, network) = (case.open(), case.network());
    assert_eq!(vae.tiling, Tiling::Off);
    let (rgb, image) = picture(24, 16);
    let latents = vae.encode(&rgb, 24, 16).unwrap();
    let posterior = network.encode(&image, Tiling::Off).unwrap();
    let mean = Array::of(&network.normalised(&posterior.mean));
    assert_eq!(latents.mean.shape(), [4, 4, 6]);
    assert_eq!(latents.mean.values(), mean.values());
    let std = Array::of(&(posterior.std * case.config.scaling_factor));
    assert_eq!(latents.std.values(), std.values());

    let (bytes, width, height) = vae.decode(&latents.mean).unwrap();
    assert_eq!((width, height, bytes.len()), (24, 16, 24 * 16 * 3));
    let decoded = Array::of(&network.decode(&posterior.mean, Tiling::Off).unwrap());
    for (at, byte) in bytes.iter().enumerate() {
        let value = decoded.values()[at % 3 * 24 * 16 + at / 3];
        let wanted = ((value / 2.0 + 0.5).clamp(0.0, 1.0) * 255.0).round();
        assert!((f32::from(*byte) - wanted).abs() <= 1.0, "byte {at}");
    }
    assert!(bytes.iter().any(|byte| *byte != bytes[0]));
}

#[test]
fn sizes_that_do_not_fit_are_told() {
    let golden = Golden::read("vae");
    let mut vae = Case::of(&golden, "flux").open();
    let message = |error: Error| error.to_string();
    assert_eq!(
        message(vae.encode(&[0; 18 * 16 * 3], 18, 16).unwrap_err()),
        "the size of a picture: expected multiples of 4, got 18x16"
    );
    assert_eq!(
        message(vae.encode(&[0; 5], 16, 16).unwrap_err()),
        "the bytes of a picture: expected 768, got 5"
    );
    let three = Array::new(&[3, 2, 2], vec![0.0; 12]).unwrap();
    assert_eq!(
        message(vae.decode(&three).unwrap_err()),
        "latents: expected [4, h, w], got [3, 2, 2]"
    );
    let latents = vae.encode(&[7; 16 * 16 * 3], 16, 16).unwrap();
    assert_eq!(
        message(latents.sample(&three).unwrap_err()),
        "the noise: expected [4, 4, 4], got [3, 2, 2]"
    );
    vae.tiling = Tiling::Side(24);
    assert_eq!(
        message(vae.encode(&[0; 32 * 32 * 3], 32, 32).unwrap_err()),
        "the side of a tile: expected a multiple of 16, got 24"
    );
}

#[test]
fn another_network_is_refused_with_its_names() {
    let golden = Golden::read("vae");
    let case = Case::of(&golden, "flux");
    let mut config = case.config.clone();
    config.use_quant_conv = true;
    let folder = case.folder.path().join("vae");
    let result = AutoencoderKl::load(&folder, &config, Place::Cpu, Precision::F32);
    let error = result.err().map(|error| error.to_string()).unwrap();
    assert!(
        error.contains("missing 2: `quant_conv.bias`") || error.contains("missing 2: `quant_conv.weight`"),
        "{error}"
    );
}

#[test]
fn half_of_the_bits_give_nearly_the_same_latents() {
    let golden = Golden::read("vae");
    let case = Case::of(&golden, "flux");
    let vae = Vae::open(case.folder.path(), Place::Cpu, Precision::Bf16).unwrap();
    let (rgb, _) = picture(24, 16);
    let (short, long) = (
        vae.encode(&rgb, 24, 16).unwrap(),
        case.open().encode(&rgb, 24, 16).unwrap(),
    );
    let largest = long
        .mean
        .values()
        .iter()
        .fold(0f32, |most, value| most.max(value.abs()));
    let apart = short.mean.values().iter().zip(long.mean.values());
    let most = apart.fold(0f32, |most, (a, b)| most.max((a - b).abs()));
    assert!(most > 0.0 && most < 0.1 * largest, "{most} of {largest}");
}
