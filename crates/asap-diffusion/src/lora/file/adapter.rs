//! An adapter in memory, whichever file it came from.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use tch::Kind;

use super::{Format, names::Table, read, write};
use crate::weights::{Loaded, write_safetensors};
use crate::{Array, Error, Result};

/// How many names a message lists.
const MOST_LISTED: usize = 5;

/// The network that an adapter is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Backbone {
    /// The transformer of FLUX.1.
    Flux,
    /// The UNet of SDXL.
    Sdxl,
}

impl fmt::Display for Backbone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Flux => "FLUX",
            Self::Sdxl => "SDXL",
        })
    }
}

/// The two matrices of one layer.
#[derive(Clone, Debug, PartialEq)]
pub struct LowRankArrays {
    /// A, `[rank, n_in]`.
    pub down: Array,
    /// B, `[n_out, rank]`.
    pub up: Array,
}

impl LowRankArrays {
    /// `(rank, n_in, n_out)`.
    ///
    /// # Errors
    /// What was expected and what is there, where the two matrices do not make a layer.
    pub(super) fn sizes(&self) -> std::result::Result<(usize, usize, usize), (String, String)> {
        let (&[rank, n_in], &[n_out, columns]) = (self.down.shape(), self.up.shape()) else {
            let got = format!("{:?} and {:?}", self.down.shape(), self.up.shape());
            return Err(("two matrices".to_owned(), got));
        };
        if rank != columns || rank * n_in * n_out == 0 {
            let expected = format!("B of {rank} columns, as A {:?} has rows", self.down.shape());
            return Err((expected, format!("B {:?}", self.up.shape())));
        }
        Ok((rank, n_in, n_out))
    }

    /// The pair with B times a factor.
    pub(super) fn with_up_times(self, factor: f64) -> Self {
        if factor == 1.0 {
            return self;
        }
        let shape = self.up.shape().to_vec();
        let values = self.up.into_values();
        let times = |value| (f64::from(value) * factor) as f32;
        let up = Array::new(&shape, values.into_iter().map(times).collect());
        Self {
            up: up.expect("as many values as before"),
            ..self
        }
    }
}

/// An adapter: `W + B A * alpha / rank` at every layer.
#[derive(Clone, Debug, PartialEq)]
pub struct AdapterFile {
    /// The network that it is for.
    pub backbone: Backbone,
    /// The rank that most layers have. A layer may have another; it is scaled by the same `alpha / rank`.
    pub rank: usize,
    /// Every layer is scaled by `alpha / rank`.
    pub alpha: f64,
    /// By the path of the layer in diffusers, such as `transformer_blocks.0.attn.to_q`.
    pub layers: BTreeMap<String, LowRankArrays>,
    /// Where it came from: what else stands in the header of the file.
    pub notes: BTreeMap<String, String>,
}

impl AdapterFile {
    /// Reads an adapter of any known format, told by its names.
    ///
    /// # Errors
    /// [`Error::Io`] and [`Error::File`] with the name that is wrong: a torn file, another kind of adapter (DoRA,
    /// LoHa, LoKr), a text encoder's, a layer of neither backbone or of both, A without B, wrong sizes, values that
    /// are not finite.
    pub fn read(path: &Path) -> Result<Self> {
        read::read(path)
    }

    /// As [`Self::read`], for one backbone.
    ///
    /// # Errors
    /// As [`Self::read`], and where the adapter is for the other one.
    pub fn read_for(path: &Path, backbone: Backbone) -> Result<Self> {
        let adapter = Self::read(path)?;
        if adapter.backbone == backbone {
            return Ok(adapter);
        }
        let got = format!("one for {}", adapter.backbone);
        Err(Error::file(path, format!("an adapter for {backbone}"), got))
    }

    /// Writes it whole or not at all. [`export`](crate::lora::export) also reads it back and compares.
    ///
    /// # Errors
    /// [`Error::Io`], and [`Error::File`] where a layer is wrong or has no name in the format.
    pub fn write(&self, path: &Path, format: Format) -> Result<()> {
        self.check(path)?;
        let (tensors, notes) = write::contents(self, format, path)?;
        write_safetensors(path, &tensors, &notes)
    }

    /// `alpha / rank`.
    pub fn scale(&self) -> f64 {
        self.alpha / self.rank as f64
    }

    /// What the adapter adds to a layer's weight: `alpha / rank * B A`, `[n_out, n_in]`, computed in `f64`. Nothing
    /// where there is no such layer, or its two matrices do not make one.
    pub fn delta(&self, layer: &str) -> Option<Array> {
        let pair = self.layers.get(layer)?;
        pair.sizes().ok()?;
        let LowRankArrays { down, up } = pair;
        let product = up
            .tensor()
            .to_kind(Kind::Double)
            .matmul(&down.tensor().to_kind(Kind::Double));
        Some(Array::of(&(product * self.scale())))
    }

    /// That each layer found its place in the network that was loaded with
    /// [`Attachment::of`](crate::lora::Attachment::of) this adapter.
    ///
    /// # Errors
    /// [`Error::Argument`] with the layers that the network has not, or has with other sizes.
    pub fn check_placed(&self, loaded: &Loaded) -> Result<()> {
        let is_lost = |path: &&String| !loaded.adapted.contains(path);
        let lost: Vec<&String> = self.layers.keys().filter(is_lost).collect();
        if lost.is_empty() {
            return Ok(());
        }
        let show = |path: &&&String| {
            let LowRankArrays { down, up } = &self.layers[**path];
            format!("`{path}` (A {:?}, B {:?})", down.shape(), up.shape())
        };
        let mut shown: Vec<String> = lost.iter().take(MOST_LISTED).map(|path| show(&path)).collect();
        if lost.len() > MOST_LISTED {
            shown.push(format!("{} more", lost.len() - MOST_LISTED));
        }
        Err(Error::argument(
            "the layers of an adapter",
            format!("a place in the network for all {}", self.layers.len()),
            format!("none for {}", shown.join(", ")),
        ))
    }

    /// That the layers can be computed with and are the backbone's; `path` is for the message.
    pub(super) fn check(&self, path: &Path) -> Result<()> {
        if self.rank == 0 || !(self.alpha > 0.0 && self.alpha.is_finite()) {
            let got = format!("rank {} and alpha {}", self.rank, self.alpha);
            return Err(Error::file(path, "a rank and an alpha above 0", got));
        }
        if self.layers.is_empty() {
            return Err(Error::file(path, "an adapter with layers", "none with values"));
        }
        for (name, layer) in &self.layers {
            if Table::of(self.backbone).group_of(name).is_none() {
                let expected = format!("linear layers of {}", self.backbone);
                return Err(Error::file(path, expected, format!("`{name}`")));
            }
            let wrong = |(expected, got)| Error::file(path, format!("`{name}`: {expected}"), got);
            layer.sizes().map_err(wrong)?;
            let mut values = layer.down.values().iter().chain(layer.up.values());
            if let Some(value) = values.find(|value| !value.is_finite()) {
                let expected = format!("`{name}`: finite values");
                return Err(Error::file(path, expected, value.to_string()));
            }
        }
        Ok(())
    }
}
