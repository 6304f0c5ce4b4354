//! The linear layers of FLUX.1.
//!
//! # Source
//! sd-scripts, `networks/convert_flux_lora.py`; ComfyUI, `comfy/utils.py`, `flux_to_diffusers`.
//!
//! # Deviation
//! `norm_out.linear` is absent: its halves are swapped between the two layouts, and no usual set of targets has it.
//! So no row of B changes its place.

use super::Group;

const N_DOUBLE: usize = 19;
const N_SINGLE: usize = 38;

const DOUBLE: [(&str, &[&str]); 10] = [
    ("img_attn.qkv", &["attn.to_q", "attn.to_k", "attn.to_v"]),
    (
        "txt_attn.qkv",
        &["attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj"],
    ),
    ("img_attn.proj", &["attn.to_out.0"]),
    ("txt_attn.proj", &["attn.to_add_out"]),
    ("img_mlp.0", &["ff.net.0.proj"]),
    ("img_mlp.2", &["ff.net.2"]),
    ("txt_mlp.0", &["ff_context.net.0.proj"]),
    ("txt_mlp.2", &["ff_context.net.2"]),
    ("img_mod.lin", &["norm1.linear"]),
    ("txt_mod.lin", &["norm1_context.linear"]),
];

const SINGLE: [(&str, &[&str]); 3] = [
    ("linear1", &["attn.to_q", "attn.to_k", "attn.to_v", "proj_mlp"]),
    ("linear2", &["proj_out"]),
    ("modulation.lin", &["norm.linear"]),
];

const OUTSIDE: [(&str, &str); 9] = [
    ("img_in", "x_embedder"),
    ("txt_in", "context_embedder"),
    ("time_in.in_layer", "time_text_embed.timestep_embedder.linear_1"),
    ("time_in.out_layer", "time_text_embed.timestep_embedder.linear_2"),
    (
        "guidance_in.in_layer",
        "time_text_embed.guidance_embedder.linear_1",
    ),
    (
        "guidance_in.out_layer",
        "time_text_embed.guidance_embedder.linear_2",
    ),
    ("vector_in.in_layer", "time_text_embed.text_embedder.linear_1"),
    ("vector_in.out_layer", "time_text_embed.text_embedder.linear_2"),
    ("final_layer.linear", "proj_out"),
];

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
