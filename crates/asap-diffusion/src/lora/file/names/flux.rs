//! The linear layers of FLUX.1.
//!
//! # Source
//! sd-scripts, `networks/convert_flux_lora.py`; ComfyUI, `comfy/utils.py`, `flux_to_diffusers`.
//!
//! # Deviation
//! `norm_out.linear` is absent: its halves are swapped between the two layouts, and no usual set of targets has it.
//! So no row of B changes its place.

use super::Group;
use crate::flux::names::{DOUBLE, OUTSIDE, SINGLE};

const N_DOUBLE: usize = 19;
const N_SINGLE: usize = 38;

pub(super) fn groups() -> Vec<Group> {
    let double = (0..N_DOUBLE).flat_map(|block| {
        let group = move |&(original, paths): &(&str, &[&str])| Group {
            original: format!("double_blocks.{block}.{original}"),
            paths: below(&format!("transformer_blocks.{block}"), paths),
        };
        DOUBLE.iter().map(group)
    });
    let single = (0..N_SINGLE).flat_map(|block| {
        let group = move |&(original, paths): &(&str, &[&str])| Group {
            original: format!("single_blocks.{block}.{original}"),
            paths: below(&format!("single_transformer_blocks.{block}"), paths),
        };
        SINGLE.iter().map(group)
    });
    let outside = OUTSIDE.iter().map(|&(original, path)| Group {
        original: original.to_owned(),
        paths: vec![path.to_owned()],
    });
    double.chain(single).chain(outside).collect()
}

fn below(block: &str, words: &[&str]) -> Vec<String> {
    words.iter().map(|word| format!("{block}.{word}")).collect()
}
