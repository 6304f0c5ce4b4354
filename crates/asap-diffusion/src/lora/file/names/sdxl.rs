//! The linear layers of SDXL's UNet; each is one layer in both layouts.
//!
//! # Source
//! sd-scripts, `library/sdxl_model_util.py`, `make_unet_conversion_map`.

use super::Group;

/// The deepest transformer of SDXL has ten blocks; a name with a smaller number is harmless where there are fewer.
const DEPTH: usize = 10;

const TRANSFORMER: [&str; 10] = [
    "attn1.to_q",
    "attn1.to_k",
    "attn1.to_v",
    "attn1.to_out.0",
    "attn2.to_q",
    "attn2.to_k",
    "attn2.to_v",
    "attn2.to_out.0",
    "ff.net.0.proj",
    "ff.net.2",
];

const OUTSIDE: [(&str, &str); 4] = [
    ("time_embed.0", "time_embedding.linear_1"),
    ("time_embed.2", "time_embedding.linear_2"),
    ("label_emb.0.0", "add_embedding.linear_1"),
    ("label_emb.0.2", "add_embedding.linear_2"),
];

pub(super) fn groups() -> Vec<Group> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    for block in 0..3 {
        for at in 0..2 {
            let number = 3 * block + at + 1;
            pairs.push(resnet(
                &format!("input_blocks.{number}.0"),
                &format!("down_blocks.{block}.resnets.{at}"),
            ));
            if block > 0 {
                let path = format!("down_blocks.{block}.attentions.{at}");
                pairs.extend(attention(&format!("input_blocks.{number}.1"), &path));
            }
        }
        for at in 0..3 {
            let number = 3 * block + at;
            pairs.push(resnet(
                &format!("output_blocks.{number}.0"),
                &format!("up_blocks.{block}.resnets.{at}"),
            ));
            if block < 2 {
                let path = format!("up_blocks.{block}.attentions.{at}");
                pairs.extend(attention(&format!("output_blocks.{number}.1"), &path));
            }
        }
    }
    pairs.extend(attention("middle_block.1", "mid_block.attentions.0"));
    pairs.push(resnet("middle_block.0", "mid_block.resnets.0"));
    pairs.push(resnet("middle_block.2", "mid_block.resnets.1"));
    pairs.extend(OUTSIDE.map(|(original, path)| (original.to_owned(), path.to_owned())));
    let group = |(original, path)| Group {
        original,
        paths: vec![path],
    };
    pairs.into_iter().map(group).collect()
}

fn resnet(original: &str, path: &str) -> (String, String) {
    (
        format!("{original}.emb_layers.1"),
        format!("{path}.time_emb_proj"),
    )
}

fn attention(original: &str, path: &str) -> Vec<(String, String)> {
    let ends = ["proj_in".to_owned(), "proj_out".to_owned()];
    let deeper = (0..DEPTH).flat_map(|block| {
        TRANSFORMER
            .iter()
            .map(move |word| format!("transformer_blocks.{block}.{word}"))
    });
    ends.into_iter()
        .chain(deeper)
        .map(|end| (format!("{original}.{end}"), format!("{path}.{end}")))
        .collect()
}
