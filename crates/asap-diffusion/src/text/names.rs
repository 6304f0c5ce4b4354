//! Names of the text encoders in SDXL's original single file as the names of transformers.

use crate::weights::Part;

/// The first encoder has the names of transformers already.
pub(super) fn first_of_sdxl(name: &str) -> Vec<(String, Part)> {
    name.strip_prefix("conditioner.embedders.0.transformer.")
        .map(|name| (name.to_owned(), Part::Whole))
        .into_iter()
        .collect()
}

/// The second encoder has the names of OpenCLIP; `width` is its `hidden_size`.
pub(super) fn second_of_sdxl(name: &str, width: i64) -> Vec<(String, Part)> {
    let Some(name) = name.strip_prefix("conditioner.embedders.1.model.") else {
        return Vec::new();
    };
    let whole = |name: String| vec![(name, Part::Whole)];
    match name {
        // Of the training with images.
        "logit_scale" => Vec::new(),
        "text_projection" => vec![("text_projection.weight".to_owned(), Part::Transposed)],
        "positional_embedding" => whole("text_model.embeddings.position_embedding.weight".to_owned()),
        "token_embedding.weight" => whole("text_model.embeddings.token_embedding.weight".to_owned()),
        "ln_final.weight" | "ln_final.bias" => whole(name.replace("ln_final", "text_model.final_layer_norm")),
        name => layer(name, width).unwrap_or_else(|| whole(name.to_owned())),
    }
}

fn layer(name: &str, width: i64) -> Option<Vec<(String, Part)>> {
    let (at, rest) = name.strip_prefix("transformer.resblocks.")?.split_once('.')?;
    let path = format!("text_model.encoder.layers.{at}");
    if let Some(last) = rest.strip_prefix("attn.in_proj_") {
        let part = |(word, start)| {
            let rows = Part::Rows { start, n: width };
            (format!("{path}.self_attn.{word}.{last}"), rows)
        };
        let parts = [("q_proj", 0), ("k_proj", width), ("v_proj", 2 * width)];
        return Some(parts.map(part).to_vec());
    }
    let rest = [
        ("ln_1.", "layer_norm1."),
        ("ln_2.", "layer_norm2."),
        ("mlp.c_fc.", "mlp.fc1."),
        ("mlp.c_proj.", "mlp.fc2."),
        ("attn.out_proj.", "self_attn.out_proj."),
    ]
    .iter()
    .find_map(|(old, new)| rest.strip_prefix(old).map(|last| format!("{new}{last}")))?;
    Some(vec![(format!("{path}.{rest}"), Part::Whole)])
}
