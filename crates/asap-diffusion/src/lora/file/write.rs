//! Writes an adapter in the formats that other programs read.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::names::{Group, Table, flat};
use super::{AdapterFile, Backbone, LowRankArrays, fuse, peft};
use crate::{Array, Error, Result};

/// Whose file.
#[derive(Clone, Copy, Debug, Eq, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// diffusers and PEFT: `transformer.PATH.lora_A.weight` or `unet.PATH.…`; rank and alpha in the header.
    ///
    /// Source: diffusers, `loaders/lora_base.py`, `_save_lora_weights`.
    Diffusers,
    /// sd-scripts: `lora_unet_ORIGINAL.lora_down.weight`, `lora_up`, `alpha`, where layers that the original
    /// checkpoint stores as one are one layer of the sum of their ranks.
    ///
    /// Source: sd-scripts, `networks/convert_flux_lora.py` and `library/sdxl_model_util.py`.
    Kohya,
    /// ComfyUI, which reads no header. For FLUX: `transformer.PATH.lora_A.weight` with `transformer.PATH.alpha`, so
    /// that no rank is tripled; for SDXL: `lora_unet_PATH.lora_down.weight` with `alpha`. diffusers reads both.
    ///
    /// Source: ComfyUI, `comfy/lora.py`, `model_lora_keys_unet`; `comfy/weight_adapter/lora.py`.
    ComfyUi,
}

/// Notes of the formats themselves; the rest belong to the user.
pub(super) const OWN_NOTES: [&str; 5] = [
    "format",
    peft::KEY,
    "ss_network_module",
    "ss_network_dim",
    "ss_network_alpha",
];

/// A format's names for the two matrices.
#[derive(Clone, Copy)]
enum Words {
    Peft,
    Kohya,
}

type Tensors = BTreeMap<String, Array>;
type Contents = (Tensors, BTreeMap<String, String>);

/// Tensors and notes of the file. The adapter was checked; `path` is for the message.
pub(super) fn contents(adapter: &AdapterFile, format: Format, path: &Path) -> Result<Contents> {
    let mut notes = adapter.notes.clone();
    let mut tensors = Tensors::new();
    let component = peft::component(adapter.backbone);
    match format {
        Format::Diffusers => {
            notes.insert(peft::KEY.to_owned(), peft::note(adapter));
            for (layer, pair) in &adapter.layers {
                insert(
                    &mut tensors,
                    &format!("{component}.{layer}"),
                    Words::Peft,
                    pair.clone(),
                );
            }
        }
        Format::ComfyUi if adapter.backbone == Backbone::Flux => {
            for (layer, pair) in &adapter.layers {
                let name = format!("{component}.{layer}");
                insert_alpha(&mut tensors, &name, own_alpha(adapter, pair))?;
                insert(&mut tensors, &name, Words::Peft, pair.clone());
            }
        }
        Format::ComfyUi => {
            for (layer, pair) in &adapter.layers {
                insert_kohya(&mut tensors, &flat(layer), adapter, pair.clone())?;
            }
        }
        Format::Kohya => {
            notes.extend(kohya_notes(adapter));
            for group in groups(adapter, path)? {
                let pair = match &group.paths[..] {
                    [layer] => adapter.layers[layer].clone(),
                    _ => fuse::fuse(group, |layer| adapter.layers.get(layer))?,
                };
                insert_kohya(&mut tensors, &flat(&group.original), adapter, pair)?;
            }
        }
    }
    Ok((tensors, notes))
}

/// The groups that the adapter has a part of, each once.
fn groups(adapter: &AdapterFile, path: &Path) -> Result<Vec<&'static Group>> {
    let table = Table::of(adapter.backbone);
    let mut seen = BTreeSet::new();
    let mut groups = Vec::new();
    for layer in adapter.layers.keys() {
        let group = table.group_of(layer).ok_or_else(|| {
            Error::file(
                path,
                "layers with a name in the original checkpoint",
                format!("`{layer}`"),
            )
        })?;
        if seen.insert(group.original.as_str()) {
            groups.push(group);
        }
    }
    Ok(groups)
}

fn insert(tensors: &mut Tensors, name: &str, words: Words, pair: LowRankArrays) {
    let (down, up) = match words {
        Words::Peft => ("lora_A", "lora_B"),
        Words::Kohya => ("lora_down", "lora_up"),
    };
    tensors.insert(format!("{name}.{down}.weight"), pair.down);
    tensors.insert(format!("{name}.{up}.weight"), pair.up);
}

/// One layer of kohya's. For SDXL every alpha is the adapter's, and a layer of another rank has the quotient in its B:
/// diffusers 0.42 loses the alphas of attention layers that are not the most frequent one.
fn insert_kohya(tensors: &mut Tensors, flat: &str, adapter: &AdapterFile, pair: LowRankArrays) -> Result<()> {
    let name = format!("lora_unet_{flat}");
    let own = own_alpha(adapter, &pair);
    let (alpha, pair) = match adapter.backbone {
        Backbone::Flux => (own, pair),
        Backbone::Sdxl => (adapter.alpha, pair.with_up_times(own / adapter.alpha)),
    };
    insert_alpha(tensors, &name, alpha)?;
    insert(tensors, &name, Words::Kohya, pair);
    Ok(())
}

/// The alpha that gives the pair, whatever its rank, the adapter's scale.
fn own_alpha(adapter: &AdapterFile, pair: &LowRankArrays) -> f64 {
    adapter.alpha * pair.down.shape()[0] as f64 / adapter.rank as f64
}

fn insert_alpha(tensors: &mut Tensors, name: &str, alpha: f64) -> Result<()> {
    tensors.insert(format!("{name}.alpha"), Array::new(&[], vec![alpha as f32])?);
    Ok(())
}

fn kohya_notes(adapter: &AdapterFile) -> [(String, String); 3] {
    let module = match adapter.backbone {
        Backbone::Flux => "networks.lora_flux",
        Backbone::Sdxl => "networks.lora",
    };
    [
        ("ss_network_module", module.to_owned()),
        ("ss_network_dim", adapter.rank.to_string()),
        ("ss_network_alpha", adapter.alpha.to_string()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
}
