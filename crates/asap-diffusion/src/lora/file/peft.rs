//! What PEFT notes about an adapter, as diffusers keeps it in the header of a file.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::{AdapterFile, Backbone};
use crate::{Error, Result};

/// The name of the note.
pub(super) const KEY: &str = "lora_adapter_metadata";

/// The note's prefix and that of the layers.
pub(super) fn component(backbone: Backbone) -> &'static str {
    match backbone {
        Backbone::Flux => "transformer",
        Backbone::Sdxl => "unet",
    }
}

/// The parsed note of one component.
pub(super) struct Peft {
    facts: Map<String, Value>,
}

impl Peft {
    pub(super) fn parse(note: &str, path: &Path) -> Result<Self> {
        let facts = serde_json::from_str(note)
            .map_err(|error| Error::file(path, format!("JSON in `{KEY}`"), error.to_string()))?;
        Ok(Self { facts })
    }

    fn fact(&self, backbone: Backbone, name: &str) -> Option<&Value> {
        self.facts.get(&format!("{}.{name}", component(backbone)))
    }

    fn is_set(&self, backbone: Backbone, name: &str) -> bool {
        self.fact(backbone, name).and_then(Value::as_bool) == Some(true)
    }

    /// The scale of a layer of this rank, where the note tells an alpha.
    pub(super) fn scale(&self, backbone: Backbone, layer: &str, rank: usize) -> Option<f64> {
        let patterns = self.fact(backbone, "alpha_pattern").and_then(Value::as_object);
        let special = patterns
            .into_iter()
            .flatten()
            .find(|(pattern, _)| matches(pattern, layer))
            .map(|(_, alpha)| alpha);
        let alpha = special.or_else(|| self.fact(backbone, "lora_alpha"))?.as_f64()?;
        let rank = rank as f64;
        if self.is_set(backbone, "use_rslora") {
            Some(alpha / rank.sqrt())
        } else {
            Some(alpha / rank)
        }
    }

    /// Whether the layers compute something else than a low-rank sum.
    pub(super) fn is_dora(&self, backbone: Backbone) -> bool {
        self.is_set(backbone, "use_dora")
    }
}

/// PEFT's patterns are whole paths or their last words; diffusers writes whole paths after a `^`.
fn matches(pattern: &str, layer: &str) -> bool {
    match pattern.strip_prefix('^') {
        Some(whole) => whole == layer,
        None => layer
            .strip_suffix(pattern)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.')),
    }
}

/// The note for an adapter; `lora_alpha` and `r` are those of most layers, the patterns tell the others.
pub(super) fn note(adapter: &AdapterFile) -> String {
    let component = component(adapter.backbone);
    let mut ranks = Map::new();
    let mut alphas = Map::new();
    for (path, layer) in &adapter.layers {
        let rank = layer.down.shape()[0];
        if rank != adapter.rank {
            ranks.insert(format!("^{path}"), json!(rank));
            alphas.insert(format!("^{path}"), number(adapter.scale() * rank as f64));
        }
    }
    let targets: Vec<&String> = adapter.layers.keys().collect();
    let facts = json!({
        format!("{component}.r"): adapter.rank,
        format!("{component}.lora_alpha"): number(adapter.alpha),
        format!("{component}.rank_pattern"): ranks,
        format!("{component}.alpha_pattern"): alphas,
        format!("{component}.target_modules"): targets,
        format!("{component}.peft_type"): "LORA",
        format!("{component}.bias"): "none",
    });
    facts.to_string()
}

/// A whole number without a point, as PEFT has it.
fn number(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() < 1e9 {
        json!(value as i64)
    } else {
        json!(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_is_that_of_the_nearest_note() {
        let parse = |note: &str| Peft::parse(note, Path::new("a")).unwrap();
        let flux = |peft: &Peft, layer: &str| peft.scale(Backbone::Flux, layer, 4);
        let peft = parse(
            r#"{"transformer.lora_alpha": 2, "transformer.alpha_pattern": {"attn.to_q": 8, "^proj_out": 16}}"#,
        );
        assert_eq!(flux(&peft, "transformer_blocks.0.attn.to_k"), Some(0.5));
        assert_eq!(flux(&peft, "transformer_blocks.0.attn.to_q"), Some(2.0));
        assert_eq!(flux(&peft, "proj_out"), Some(4.0));
        assert_eq!(flux(&peft, "single_transformer_blocks.0.proj_out"), Some(0.5));
        assert_eq!(peft.scale(Backbone::Sdxl, "mid_block", 4), None);
        assert!(!peft.is_dora(Backbone::Flux));

        let peft = parse(r#"{"unet.lora_alpha": 2, "unet.use_rslora": true, "unet.use_dora": true}"#);
        assert_eq!(peft.scale(Backbone::Sdxl, "mid_block", 4), Some(1.0));
        assert!(peft.is_dora(Backbone::Sdxl));
    }
}
