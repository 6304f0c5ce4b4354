//! The names and layouts of the single file that Black Forest Labs publishes.

use crate::flux::FluxConfig;
use crate::flux::names::{DOUBLE, OUTSIDE, SINGLE};
use crate::weights::{Checkpoint, Part};

/// The folder, so to say, of the transformer in files that hold other networks too.
const BUNDLE: &str = "model.diffusion_model.";

/// The modulation before the last layer. Stored (shift, scale), wanted (scale, shift).
const ADALN: (&str, &str) = ("final_layer.adaLN_modulation.1", "norm_out.linear");

/// Norms, whose weight is called `scale`.
const NORMS: [(&str, &str); 6] = [
    ("img_attn.norm.query_norm", "attn.norm_q"),
    ("img_attn.norm.key_norm", "attn.norm_k"),
    ("txt_attn.norm.query_norm", "attn.norm_added_q"),
    ("txt_attn.norm.key_norm", "attn.norm_added_k"),
    ("norm.query_norm", "attn.norm_q"),
    ("norm.key_norm", "attn.norm_k"),
];

/// The checkpoint under diffusers' names, where it has the original's names; else as it is.
///
/// Of a file that holds text encoders and a decoder too, the transformer alone remains. Names that are in neither
/// table stay, so that loading tells them.
///
/// # Source
/// `convert_flux_transformer_checkpoint_to_diffusers` in diffusers' `loaders/single_file_utils.py`.
/// # Deviation
/// There the width is the published one; here it comes from the configuration.
#[must_use]
pub fn of_original(checkpoint: Checkpoint, config: &FluxConfig) -> Checkpoint {
    let is_bundle = checkpoint.names().any(|name| name.starts_with(BUNDLE));
    let inside = |name: &str| name.strip_prefix(BUNDLE).unwrap_or(name).to_owned();
    if !checkpoint
        .names()
        .any(|name| inside(name).starts_with("double_blocks."))
    {
        return checkpoint;
    }
    let dim = config.inner_dim();
    checkpoint.renamed(|name| {
        if is_bundle && !name.starts_with(BUNDLE) {
            return Vec::new();
        }
        let name = inside(name);
        rename(&name, dim).unwrap_or_else(|| vec![(name, Part::Whole)])
    })
}

fn rename(name: &str, dim: i64) -> Option<Vec<(String, Part)>> {
    let (layer, leaf) = name.rsplit_once('.')?;
    if let Some(rest) = layer.strip_prefix("double_blocks.") {
        let (n, layer) = rest.split_once('.')?;
        return in_block(
            &format!("transformer_blocks.{n}"),
            find(&DOUBLE, layer),
            (layer, leaf),
            dim,
        );
    }
    if let Some(rest) = layer.strip_prefix("single_blocks.") {
        let (n, layer) = rest.split_once('.')?;
        let stem = format!("single_transformer_blocks.{n}");
        return in_block(&stem, find(&SINGLE, layer), (layer, leaf), dim);
    }
    let (new, part) = if layer == ADALN.0 {
        (ADALN.1, Part::SwapHalves)
    } else {
        (*find(&OUTSIDE, layer)?, Part::Whole)
    };
    Some(vec![(format!("{new}.{leaf}"), part)])
}

fn find<'a, T>(table: &'a [(&str, T)], layer: &str) -> Option<&'a T> {
    table
        .iter()
        .find(|(original, _)| *original == layer)
        .map(|(_, new)| new)
}

/// A layer of a block under diffusers' names; `parts` is what it consists of, where it is linear.
fn in_block(
    stem: &str,
    parts: Option<&&[&str]>,
    (layer, leaf): (&str, &str),
    dim: i64,
) -> Option<Vec<(String, Part)>> {
    if leaf == "scale" {
        let norm = find(&NORMS, layer)?;
        return Some(vec![(format!("{stem}.{norm}.weight"), Part::Whole)]);
    }
    match *parts? {
        [whole] => Some(vec![(format!("{stem}.{whole}.{leaf}"), Part::Whole)]),
        parts => Some(rows(stem, parts, leaf, dim)),
    }
}

/// The layers that are stored one under the other; only the feed-forward's has four times the rows.
fn rows(stem: &str, parts: &[&str], leaf: &str, dim: i64) -> Vec<(String, Part)> {
    let n_rows = |part: &str| if part == "proj_mlp" { 4 * dim } else { dim };
    let mut start = 0;
    let mut named = Vec::new();
    for part in parts {
        let n = n_rows(part);
        named.push((format!("{stem}.{part}.{leaf}"), Part::Rows { start, n }));
        start += n;
    }
    named
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::testing::{Golden, write_weights};

    fn checkpoint(shapes: &BTreeMap<String, Vec<usize>>) -> Checkpoint {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("flux.safetensors");
        write_weights(&path, shapes);
        Checkpoint::open(&path).unwrap()
    }

    fn shapes_of(checkpoint: &Checkpoint) -> BTreeMap<String, Vec<usize>> {
        let shape = |name: &str| {
            let sizes = checkpoint.shape(name).unwrap();
            sizes.iter().map(|&n| usize::try_from(n).unwrap()).collect()
        };
        checkpoint
            .names()
            .map(|name| (name.to_owned(), shape(name)))
            .collect()
    }

    /// Every name and size is that of diffusers' network; that the values are right is shown by the outputs.
    #[test]
    fn names_and_sizes_become_those_of_diffusers() {
        let golden = Golden::read("flux");
        for name in ["dev", "schnell"] {
            let config: FluxConfig = golden.fact(&format!("/configs/{name}"));
            let stored = golden.shapes(&format!("/original_keys/{name}"));
            let expected = golden.shapes(&format!("/keys/{name}"));
            assert_eq!(shapes_of(&of_original(checkpoint(&stored), &config)), expected);

            let mut bundle: BTreeMap<_, _> = stored
                .into_iter()
                .map(|(key, shape)| (format!("{BUNDLE}{key}"), shape))
                .collect();
            bundle.insert("vae.encoder.conv_in.bias".to_owned(), vec![3]);
            assert_eq!(shapes_of(&of_original(checkpoint(&bundle), &config)), expected);
            assert_eq!(shapes_of(&of_original(checkpoint(&expected), &config)), expected);
        }
    }

    #[test]
    fn a_name_that_is_in_no_table_stays() {
        let shapes = BTreeMap::from([
            ("double_blocks.0.img_attn.proj.bias".to_owned(), vec![32]),
            ("double_blocks.0.img_attn.strange.bias".to_owned(), vec![32]),
        ]);
        let config: FluxConfig = Golden::read("flux").fact("/configs/dev");
        let renamed = of_original(checkpoint(&shapes), &config);
        let names: Vec<&str> = renamed.names().collect();
        assert_eq!(
            names,
            [
                "double_blocks.0.img_attn.strange.bias",
                "transformer_blocks.0.attn.to_out.0.bias"
            ]
        );
    }
}
