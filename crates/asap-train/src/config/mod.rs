//! What a run is told: typed settings out of layers of TOML, where a later layer wins over an earlier one.
//!
//! The layers are preset < file < flags. A key that no section knows is refused with the most similar names, a
//! wrong value is refused with the layer that said it, and settings that contradict each other are refused before
//! a network is loaded. There is no default in code: the presets are complete files.
//!
//! ```
//! use asap_train::config::{Layer, Settings};
//!
//! let layers = [Layer::preset("flux-asap")?, Layer::flag("objective.tau", "0.003")?];
//! let settings = Settings::resolve(&layers)?;
//! assert_eq!(settings.objective.tau, Some(0.003));
//! # Ok::<(), asap_train::config::Error>(())
//! ```

mod check;
mod choices;
mod error;
mod layer;
mod nearest;
mod places;
mod preset;
mod sections;
#[cfg(test)]
mod tests;
mod value;

pub use choices::{
    Backbone, Backward, Decision, Estimator, Init, Kind, MaskGrid, MaskSource, Normalise, Precision,
    ReferenceCache, Residual, Schedule, SigmaRounding, Timesteps, VaeNoise,
};
pub use error::Error;
pub use layer::{Layer, Origin};
pub use places::{Checkpointing, Device, Targets};
pub use preset::{PRESETS, text as preset_text};
pub use sections::{Data, Lora, Model, Noise, Objective, Optimiser, Run, Settings};

/// What the functions of this module return.
pub type Result<T> = std::result::Result<T, Error>;

/// A setting that differs between two runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Section and key, such as `objective.tau`.
    pub key: &'static str,
    /// Its first value, as TOML.
    pub first: String,
    /// Its second value, as TOML.
    pub second: String,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "`{}` was {}, is {}", self.key, self.first, self.second)
    }
}

/// The settings that differ, in the order of the sections: what a resumed run must look at.
pub fn diff(first: &Settings, second: &Settings) -> Vec<Difference> {
    let pairs = first.entries().into_iter().zip(second.entries());
    pairs
        .filter(|((_, first), (_, second))| first != second)
        .map(|((key, first), (_, second))| Difference { key, first, second })
        .collect()
}

impl Settings {
    /// Lays the layers over each other, the first at the bottom, and checks what comes out.
    ///
    /// # Errors
    /// [`Error`] for an unknown or missing key, for a wrong value and for values that contradict each other.
    pub fn resolve(layers: &[Layer]) -> Result<Self> {
        let values = layer::Values::over(layers)?;
        let settings = Self::read(&values)?;
        check::check(&settings, &values)?;
        Ok(settings)
    }

    /// All values as TOML without comments, sections and keys in the order of their documentation. Two settings
    /// that say the same give the same text, and [`Layer::text`] reads it back.
    pub fn to_toml(&self) -> String {
        let mut text = String::new();
        let mut section = "";
        for (key, value) in self.entries() {
            let (title, name) = key.split_once('.').unwrap_or(("", key));
            if title != section {
                text.push_str(&format!(
                    "{}[{title}]\n",
                    if section.is_empty() { "" } else { "\n" }
                ));
                section = title;
            }
            text.push_str(&format!("{name} = {value}\n"));
        }
        text
    }
}
