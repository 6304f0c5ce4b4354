//! Attaches a new adapter, or a stored one, while a network is loaded.

use asap_core::Stream;
use tch::{Device, Kind, Tensor};

use crate::lora::{AdapterFile, Init, LoraSpec, LowRank};

/// Where the adapters of a network come from.
pub enum Attachment<'a> {
    /// New ones.
    New(LoraSpec),
    /// Those of an adapter file of any format. Once the network is loaded, [`AdapterFile::check_placed`] says which
    /// found no place.
    File(&'a AdapterFile),
}

impl<'a> Attachment<'a> {
    /// The adapters of a file.
    pub fn of(file: &'a AdapterFile) -> Self {
        Self::File(file)
    }

    /// The adapter of the layer at `path`, where it gets one.
    pub(crate) fn low_rank(&self, path: &str, n_in: i64, n_out: i64, device: Device) -> Option<LowRank> {
        match self {
            Self::New(spec) => spec.takes(path).then(|| begin(spec, path, n_in, n_out, device)),
            Self::File(file) => {
                let pair = file.layers.get(path)?;
                let (down, up) = (pair.down.tensor(), pair.up.tensor());
                // One of other sizes gets no place; `check_placed` names it.
                let fits = matches!(down.size()[..], [_, n] if n == n_in)
                    && matches!(up.size()[..], [n, _] if n == n_out);
                fits.then(|| LowRank::new(&down.to_device(device), &up.to_device(device), file.scale()))
            }
        }
    }
}

fn begin(spec: &LoraSpec, path: &str, n_in: i64, n_out: i64, device: Device) -> LowRank {
    let rank = spec.rank as i64;
    let mut stream = Stream::new(spec.seed, &format!("lora/{path}"));
    let n = spec.rank * usize::try_from(n_in).unwrap_or_default();
    let bound = 1.0 / (n_in as f64).sqrt();
    let values: Vec<f32> = (0..n)
        .map(|_| match spec.init {
            Init::Gaussian => (stream.normal() / spec.rank as f64) as f32,
            Init::Kaiming => stream.between(-bound, bound) as f32,
        })
        .collect();
    let down = Tensor::from_slice(&values)
        .reshape([rank, n_in])
        .to_device(device);
    let up = Tensor::zeros([n_out, rank], (Kind::Float, device));
    LowRank::new(&down, &up, spec.alpha / spec.rank as f64)
}
