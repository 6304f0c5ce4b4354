//! The names of the UNet's weights in the original single file.
//!
//! There, `input_blocks` counts all layers of the way down through, changes of resolution too, and a block's layers
//! are numbers: 0 the resnet, 1 the transformer, and after them the change of resolution.

use crate::sdxl::UnetConfig;
use crate::weights::Part;

/// What stands before the names of the UNet; the file also holds the VAE and the text encoders.
const PREFIX: &str = "model.diffusion_model.";

/// Beginnings that are only called otherwise.
const OUTER: [(&str, &str); 7] = [
    ("time_embed.0.", "time_embedding.linear_1."),
    ("time_embed.2.", "time_embedding.linear_2."),
    ("label_emb.0.0.", "add_embedding.linear_1."),
    ("label_emb.0.2.", "add_embedding.linear_2."),
    ("input_blocks.0.0.", "conv_in."),
    ("out.0.", "conv_norm_out."),
    ("out.2.", "conv_out."),
];

/// Layers of a resnet.
const RESNET: [(&str, &str); 6] = [
    ("in_layers.0.", "norm1."),
    ("in_layers.2.", "conv1."),
    ("emb_layers.1.", "time_emb_proj."),
    ("out_layers.0.", "norm2."),
    ("out_layers.3.", "conv2."),
    ("skip_connection.", "conv_shortcut."),
];

/// For [`Checkpoint::renamed`](crate::weights::Checkpoint::renamed): what this crate calls a tensor of the original
/// single file. Tensors of the VAE and of the text encoders have no name here; what the UNet of the original code
/// does not have keeps its name, so that the loader lists it as left over.
///
/// # Source
/// The names of Stability's `sd_xl_base_1.0.safetensors`; the same table as diffusers' `from_single_file`.
pub fn original_unet(config: &UnetConfig) -> impl Fn(&str) -> Vec<(String, Part)> + use<> {
    let n_layers = config.layers_per_block;
    move |name| {
        let Some(inner) = name.strip_prefix(PREFIX) else {
            return Vec::new();
        };
        let new = renamed(inner, n_layers).unwrap_or_else(|| name.to_owned());
        vec![(new, Part::Whole)]
    }
}

fn renamed(name: &str, n_layers: usize) -> Option<String> {
    if let Some(outer) = replaced(name, &OUTER) {
        return Some(outer);
    }
    let (way, rest) = name.split_once('.')?;
    let (number, rest) = rest.split_once('.')?;
    let number: usize = number.parse().ok()?;
    match way {
        "input_blocks" => on_the_way_down(number.checked_sub(1)?, rest, n_layers + 1),
        "middle_block" => in_the_middle(number, rest),
        "output_blocks" => on_the_way_up(number, rest, n_layers + 1),
        _ => None,
    }
}

/// `n_places`: the resnets of a block and its change of resolution.
fn on_the_way_down(number: usize, rest: &str, n_places: usize) -> Option<String> {
    let (block, at) = (number / n_places, number % n_places);
    let (layer, rest) = rest.split_once('.')?;
    let inner = match (layer, rest.strip_prefix("op.")) {
        ("0", Some(word)) => format!("downsamplers.0.conv.{word}"),
        ("0", None) => format!("resnets.{at}.{}", replaced(rest, &RESNET)?),
        ("1", None) => format!("attentions.{at}.{rest}"),
        _ => return None,
    };
    Some(format!("down_blocks.{block}.{inner}"))
}

fn in_the_middle(number: usize, rest: &str) -> Option<String> {
    let inner = match number {
        0 | 2 => format!("resnets.{}.{}", number / 2, replaced(rest, &RESNET)?),
        1 => format!("attentions.0.{rest}"),
        _ => return None,
    };
    Some(format!("mid_block.{inner}"))
}

fn on_the_way_up(number: usize, rest: &str, n_places: usize) -> Option<String> {
    let (block, at) = (number / n_places, number % n_places);
    let (layer, rest) = rest.split_once('.')?;
    // The change of resolution is layer 2, or 1 where the block has no transformer.
    let inner = match (layer, rest.strip_prefix("conv.")) {
        ("1" | "2", Some(word)) => format!("upsamplers.0.conv.{word}"),
        ("0", None) => format!("resnets.{at}.{}", replaced(rest, &RESNET)?),
        ("1", None) => format!("attentions.{at}.{rest}"),
        _ => return None,
    };
    Some(format!("up_blocks.{block}.{inner}"))
}

fn replaced(name: &str, table: &[(&str, &str)]) -> Option<String> {
    table
        .iter()
        .find_map(|(old, new)| name.strip_prefix(old).map(|rest| format!("{new}{rest}")))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use tch::Kind;

    use super::*;
    use crate::device::{Place, Precision};
    use crate::run::Run;
    use crate::sdxl::Unet;
    use crate::sdxl::parity::{Tiny, ask};
    use crate::testing::write_weights;
    use crate::weights::{Checkpoint, Loader};

    #[test]
    fn the_original_file_is_the_same_network() {
        for name in ["linear", "conv"] {
            let tiny = Tiny::new(name);
            let shapes = tiny.golden.shapes(&format!("/{name}_keys"));
            let originals: BTreeMap<String, String> = tiny.golden.fact(&format!("/{name}_original"));
            let rename = original_unet(&tiny.config);
            for (new, original) in &originals {
                assert_eq!(rename(original), [(new.clone(), Part::Whole)]);
            }
            let mut stored: BTreeMap<String, Vec<usize>> = originals
                .iter()
                .map(|(new, original)| (original.clone(), shapes[new].clone()))
                .collect();
            stored.insert("first_stage_model.decoder.conv_in.weight".to_owned(), vec![2]);
            stored.insert(
                "conditioner.embedders.1.model.ln_final.weight".to_owned(),
                vec![2],
            );
            let file = tiny.folder.path().join("original.safetensors");
            write_weights(&file, &stored);
            let checkpoint = Checkpoint::open(&file).unwrap().renamed(rename);
            let loader = Loader::new(&checkpoint, Place::Cpu, Precision::F32);
            let unet = Unet::load(&loader.root(), &tiny.config);
            let (unet, _) = loader.finish(unet).unwrap();
            let y = ask(&unet, [4, 8, 7], Kind::Float, Run::BASE);
            tiny.golden.check(&format!("{name}.original"), &y);
        }
    }

    #[test]
    fn what_the_original_network_does_not_have_keeps_its_name() {
        let rename = original_unet(&UnetConfig::sdxl());
        for name in [
            "model.diffusion_model.input_blocks.0.1.weight",
            "model.diffusion_model.middle_block.3.norm.weight",
            "model.diffusion_model.output_blocks.x.0.in_layers.0.weight",
            "model.diffusion_model.time_embed.1.weight",
        ] {
            assert_eq!(rename(name), [(name.to_owned(), Part::Whole)]);
        }
        assert_eq!(rename("first_stage_model.quant_conv.weight"), []);
    }
}
