//! Names of the original files, which keep the words of latent diffusion, as the names of diffusers.

use crate::weights::{Checkpoint, Part};

/// How the autoencoder's names begin in a file that holds all of SDXL.
const IN_SINGLE_FILE: &str = "first_stage_model.";

/// The checkpoint under the names of diffusers, whichever of the two it has; of a file that holds more than the
/// autoencoder, the autoencoder alone.
pub(super) fn as_diffusers(checkpoint: Checkpoint, n_levels: usize) -> Checkpoint {
    let start = if checkpoint.names().any(|name| name.starts_with(IN_SINGLE_FILE)) {
        IN_SINGLE_FILE
    } else {
        ""
    };
    checkpoint.renamed(|name| match name.strip_prefix(start) {
        Some(name) => vec![renamed(name, n_levels)],
        None => Vec::new(),
    })
}

fn renamed(name: &str, n_levels: usize) -> (String, Part) {
    let words: Vec<&str> = name.split('.').collect();
    match words.as_slice() {
        [side, "mid", "attn_1", layer, last] => attention(side, layer, last),
        // What diffusers wrote before it had one kind of attention for all networks.
        [side, "mid_block", "attentions", "0", layer, last] => attention(side, layer, last),
        words => (layer_path(words, n_levels), Part::Whole),
    }
}

fn attention(side: &str, layer: &str, last: &str) -> (String, Part) {
    let layer = match layer {
        "norm" => "group_norm",
        "q" | "query" => "to_q",
        "k" | "key" => "to_k",
        "v" | "value" => "to_v",
        "proj_out" | "proj_attn" => "to_out.0",
        other => other,
    };
    let part = if layer != "group_norm" && last == "weight" {
        Part::ConvAsLinear
    } else {
        Part::Whole
    };
    (format!("{side}.mid_block.attentions.0.{layer}.{last}"), part)
}

fn layer_path(words: &[&str], n_levels: usize) -> String {
    let rest = |words: &[&str]| words.join(".").replace("nin_shortcut", "conv_shortcut");
    // The original counts the levels of the decoder from the pixels. A level that is too many keeps its number, and
    // is told as left over.
    let from_innermost = |level: &str| {
        let outer: Option<usize> = level.parse().ok();
        let inner = outer.and_then(|outer| (n_levels - 1).checked_sub(outer));
        inner.map_or_else(|| level.to_owned(), |inner| inner.to_string())
    };
    match words {
        ["encoder", "down", level, "block", at, last @ ..] => {
            format!("encoder.down_blocks.{level}.resnets.{at}.{}", rest(last))
        }
        ["encoder", "down", level, "downsample", last @ ..] => {
            format!("encoder.down_blocks.{level}.downsamplers.0.{}", rest(last))
        }
        ["decoder", "up", level, "block", at, last @ ..] => {
            format!(
                "decoder.up_blocks.{}.resnets.{at}.{}",
                from_innermost(level),
                rest(last)
            )
        }
        ["decoder", "up", level, "upsample", last @ ..] => {
            format!(
                "decoder.up_blocks.{}.upsamplers.0.{}",
                from_innermost(level),
                rest(last)
            )
        }
        [side, "mid", "block_1", last @ ..] => format!("{side}.mid_block.resnets.0.{}", rest(last)),
        [side, "mid", "block_2", last @ ..] => format!("{side}.mid_block.resnets.1.{}", rest(last)),
        [side, "norm_out", last] => format!("{side}.conv_norm_out.{last}"),
        words => words.join("."),
    }
}
