//! Reads an adapter of any known format.
//!
//! | names | where from |
//! | --- | --- |
//! | `transformer.PATH.lora_A.weight`, `unet.PATH.…` | diffusers, PEFT; `.alpha` beside it or in the header |
//! | `lora_unet_ORIGINAL.lora_down.weight` | sd-scripts; original names with underscores |
//! | `lora_unet_PATH.…`, `lora_transformer_PATH.…` | diffusers' conversion, OneTrainer; paths with underscores |
//! | `diffusion_model.ORIGINAL.…` | ComfyUI; original names with dots |

use std::collections::BTreeMap;
use std::path::Path;

use super::names::{Group, Table, flat};
use super::peft::{KEY, Peft};
use super::write::OWN_NOTES;
use super::{AdapterFile, Backbone, LowRankArrays, fuse};
use crate::weights::SafeFile;
use crate::{Array, Error, Result};

const DOWN: [&str; 3] = [".lora_A.weight", ".lora_down.weight", ".lora.down.weight"];
const UP: [&str; 3] = [".lora_B.weight", ".lora_up.weight", ".lora.up.weight"];

/// What is known of other kinds of adapters: a part of their names.
const OTHERS: [(&str, &str); 8] = [
    ("dora_scale", "DoRA"),
    ("lora_magnitude_vector", "DoRA"),
    ("hada_", "LoHa"),
    ("lokr_", "LoKr"),
    ("lora_mid", "a Tucker decomposition"),
    (".oft_", "OFT"),
    ("lora_B.bias", "LoRA with a bias"),
    (".diff", "a whole difference"),
];

/// Where the tensors of a module belong.
enum Place {
    Layer(Backbone, String),
    Group(Backbone, &'static Group),
}

#[derive(Default)]
struct Module {
    down: Option<Array>,
    up: Option<Array>,
    alpha: Option<f64>,
}

/// A layer and its own `alpha / rank`.
type Scaled = (LowRankArrays, f64);

pub(super) fn read(path: &Path) -> Result<AdapterFile> {
    let file = SafeFile::open(path)?;
    let peft = file
        .metadata()
        .get(KEY)
        .map(|note| Peft::parse(note, path))
        .transpose()?;
    let mut found: Option<(Backbone, String)> = None;
    let mut layers: BTreeMap<String, Scaled> = BTreeMap::new();
    for (name, module) in modules(&file)? {
        let place = place(&name).ok_or_else(|| unplaced(path, &name))?;
        let (Place::Layer(backbone, _) | Place::Group(backbone, _)) = place;
        let (first, first_name) = found.get_or_insert_with(|| (backbone, name.clone()));
        if *first != backbone {
            let got = format!("`{first_name}` of {first} and `{name}` of {backbone}");
            return Err(Error::file(path, "layers of one backbone", got));
        }
        for (layer, scaled) in take_apart(path, &name, module, place, peft.as_ref())? {
            if layers.insert(layer.clone(), scaled).is_some() {
                return Err(Error::file(path, format!("`{layer}` once"), "two names for it"));
            }
        }
    }
    let Some((backbone, _)) = found else {
        return Err(Error::file(path, "an adapter", "a file without tensors"));
    };
    let adapter = gather(backbone, layers, notes(&file));
    adapter.check(path)?;
    Ok(adapter)
}

/// The tensors by what stands before their last words.
fn modules(file: &SafeFile) -> Result<BTreeMap<String, Module>> {
    let mut modules: BTreeMap<String, Module> = BTreeMap::new();
    for name in file.tensors().keys() {
        let base = |ends: &[&str]| ends.iter().find_map(|end| name.strip_suffix(end));
        if let Some(base) = base(&DOWN) {
            modules.entry(base.to_owned()).or_default().down = Some(matrix(file, name)?);
        } else if let Some(base) = base(&UP) {
            modules.entry(base.to_owned()).or_default().up = Some(matrix(file, name)?);
        } else if let Some(base) = base(&[".alpha"]) {
            modules.entry(base.to_owned()).or_default().alpha = Some(alpha(file, name)?);
        } else {
            return Err(unknown(file.path(), name));
        }
    }
    Ok(modules)
}

/// A 1x1 convolution is a matrix too: older trainers store it so.
fn matrix(file: &SafeFile, name: &str) -> Result<Array> {
    let (shape, values) = file.values(name)?;
    let [n_out, n_in, rest @ ..] = shape.as_slice() else {
        return Err(Error::file(
            file.path(),
            format!("`{name}`: a matrix"),
            format!("{shape:?}"),
        ));
    };
    if rest.iter().any(|&n| n != 1) {
        let expected = format!("`{name}`: a linear layer, as convolutions are not adapted here");
        return Err(Error::file(file.path(), expected, format!("{shape:?}")));
    }
    let size = |n: i64| usize::try_from(n).unwrap_or_default();
    Array::new(&[size(*n_out), size(*n_in)], values)
}

fn alpha(file: &SafeFile, name: &str) -> Result<f64> {
    let (shape, values) = file.values(name)?;
    match values[..] {
        [alpha] if alpha > 0.0 && alpha.is_finite() => Ok(f64::from(alpha)),
        [alpha] => Err(Error::file(
            file.path(),
            format!("`{name}` above 0"),
            alpha.to_string(),
        )),
        _ => Err(Error::file(
            file.path(),
            format!("`{name}`: one number"),
            format!("{shape:?}"),
        )),
    }
}

fn unknown(path: &Path, name: &str) -> Error {
    let kind = OTHERS.iter().find(|(part, _)| name.contains(part));
    let got = kind.map_or_else(
        || format!("`{name}`"),
        |(_, kind)| format!("`{name}`, which is {kind}"),
    );
    Error::file(
        path,
        "LoRA alone: `lora_A`, `lora_B` (or down, up) and `alpha`",
        got,
    )
}

fn place(module: &str) -> Option<Place> {
    let (flux, sdxl) = (Table::of(Backbone::Flux), Table::of(Backbone::Sdxl));
    let known = |backbone, path: &str| {
        let known = Table::of(backbone).group_of(path).is_some();
        known.then(|| Place::Layer(backbone, path.to_owned()))
    };
    let original = |name: &str| {
        let of_flux = flux
            .group_named(name)
            .map(|group| Place::Group(Backbone::Flux, group));
        of_flux.or_else(|| {
            sdxl.group_named(name)
                .map(|group| Place::Group(Backbone::Sdxl, group))
        })
    };
    let layer = |backbone, name: &str| {
        let path = Table::of(backbone).path_named(name);
        path.map(|path| Place::Layer(backbone, path.to_owned()))
    };
    if let Some(path) = module.strip_prefix("transformer.") {
        known(Backbone::Flux, path)
    } else if let Some(path) = module.strip_prefix("unet.") {
        known(Backbone::Sdxl, path)
    } else if let Some(name) = module.strip_prefix("diffusion_model.") {
        original(&flat(name))
    } else if let Some(name) = module.strip_prefix("lora_transformer_") {
        layer(Backbone::Flux, name)
    } else {
        let name = module.strip_prefix("lora_unet_")?;
        original(name).or_else(|| layer(Backbone::Sdxl, name))
    }
}

fn unplaced(path: &Path, module: &str) -> Error {
    let is_text = module.starts_with("text_encoder") || module.starts_with("lora_te");
    let got = if is_text {
        format!("`{module}` of a text encoder")
    } else {
        format!("`{module}`")
    };
    Error::file(path, "linear layers of FLUX's transformer or SDXL's UNet", got)
}

/// The layers of one module, each with its scale. Without an alpha anywhere the scale is 1, as in PEFT's loaders.
fn take_apart(
    path: &Path,
    name: &str,
    module: Module,
    place: Place,
    peft: Option<&Peft>,
) -> Result<Vec<(String, Scaled)>> {
    let wrong = |(expected, got)| Error::file(path, format!("`{name}`: {expected}"), got);
    let (down, up) = match (module.down, module.up) {
        (Some(down), Some(up)) => (down, up),
        (Some(_), None) => return Err(wrong(("B beside A".to_owned(), "A alone".to_owned()))),
        (None, Some(_)) => return Err(wrong(("A beside B".to_owned(), "B alone".to_owned()))),
        (None, None) => return Err(wrong(("A and B".to_owned(), "alpha alone".to_owned()))),
    };
    let pair = LowRankArrays { down, up };
    let (rank, _, _) = pair.sizes().map_err(wrong)?;
    let own_scale = module.alpha.map(|alpha| alpha / rank as f64);
    match place {
        Place::Layer(backbone, layer) => {
            if peft.is_some_and(|peft| peft.is_dora(backbone)) {
                return Err(wrong(("LoRA".to_owned(), "DoRA".to_owned())));
            }
            let noted = || peft.and_then(|peft| peft.scale(backbone, &layer, rank));
            let scale = own_scale.or_else(noted).unwrap_or(1.0);
            Ok(vec![(layer, (pair, scale))])
        }
        Place::Group(_, group) if group.paths.len() == 1 => {
            Ok(vec![(group.paths[0].clone(), (pair, own_scale.unwrap_or(1.0)))])
        }
        Place::Group(_, group) => {
            let scaled = |(layer, pair): (&str, _)| (layer.to_owned(), (pair, own_scale.unwrap_or(1.0)));
            let layers = fuse::split(group, &pair).map_err(wrong)?;
            Ok(layers.into_iter().map(scaled).collect())
        }
    }
}

/// One scale for all: a layer with another has the quotient in its B.
fn gather(
    backbone: Backbone,
    layers: BTreeMap<String, Scaled>,
    notes: BTreeMap<String, String>,
) -> AdapterFile {
    let rank = most_frequent(layers.values().map(|(pair, _)| pair.down.shape()[0]));
    let scale = f64::from_bits(most_frequent(layers.values().map(|(_, scale)| scale.to_bits())));
    let common = |(path, (pair, own)): (String, Scaled)| (path, pair.with_up_times(own / scale));
    AdapterFile {
        backbone,
        rank,
        alpha: whole(scale * rank as f64),
        layers: layers.into_iter().map(common).collect(),
        notes,
    }
}

fn most_frequent<T: Ord + Copy + Default>(values: impl Iterator<Item = T>) -> T {
    let mut counts: BTreeMap<T, usize> = BTreeMap::new();
    for value in values {
        *counts.entry(value).or_default() += 1;
    }
    let most = counts.into_iter().max_by_key(|&(_, count)| count);
    most.map_or_else(T::default, |(value, _)| value)
}

/// The whole number that a product was meant to be.
fn whole(value: f64) -> f64 {
    let near = value.round();
    if (value - near).abs() <= 1e-12 * near.abs() {
        near
    } else {
        value
    }
}

fn notes(file: &SafeFile) -> BTreeMap<String, String> {
    let mut notes = file.metadata().clone();
    notes.retain(|name, _| !OWN_NOTES.contains(&name.as_str()));
    notes
}
