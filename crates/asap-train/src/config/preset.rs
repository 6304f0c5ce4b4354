//! The presets: whole files that are part of the program.

use super::{Error, Result};

/// Names of the presets; `tiny` is what runs when nothing is said.
pub const PRESETS: [&str; 7] = [
    "tiny",
    "flux-asap",
    "flux-dpo",
    "flux-sft",
    "sdxl-asap",
    "sdxl-dpo",
    "sdxl-sft",
];

/// The text of a preset, with the source of each value.
///
/// # Errors
/// [`Error::Preset`] with the names that there are.
pub fn text(name: &str) -> Result<&'static str> {
    match name {
        "tiny" => Ok(include_str!("../presets/tiny.toml")),
        "flux-asap" => Ok(include_str!("../presets/flux-asap.toml")),
        "flux-dpo" => Ok(include_str!("../presets/flux-dpo.toml")),
        "flux-sft" => Ok(include_str!("../presets/flux-sft.toml")),
        "sdxl-asap" => Ok(include_str!("../presets/sdxl-asap.toml")),
        "sdxl-dpo" => Ok(include_str!("../presets/sdxl-dpo.toml")),
        "sdxl-sft" => Ok(include_str!("../presets/sdxl-sft.toml")),
        _ => Err(Error::Preset {
            name: name.to_owned(),
            known: PRESETS.map(|name| format!("`{name}`")).join(", "),
        }),
    }
}
