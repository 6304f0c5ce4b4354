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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::Array;
    use crate::device::{Place, Precision};
    use crate::lora::{Backbone, LowRankArrays};
    use crate::nn::Linear;
    use crate::run::Adapter;
    use crate::testing::{Golden, weight, write_weights};
    use crate::weights::Loader;

    /// The layer of `tests/golden/layers.py`, with its adapter from a file of any format.
    #[test]
    fn a_layer_with_an_adapter_of_a_file_is_that_of_peft() {
        let golden = Golden::read("layers");
        let folder = tempfile::tempdir().unwrap();
        write_weights(&folder.path().join("model.safetensors"), &golden.shapes("/keys"));
        let array = |name: &str, shape: &[usize]| Array::new(shape, weight(name, shape)).unwrap();
        let pair = LowRankArrays {
            down: array("to_q.lora_A.weight", &[4, 12]),
            up: array("to_q.lora_B.weight", &[10, 4]),
        };
        let file = AdapterFile {
            backbone: Backbone::Flux,
            rank: 4,
            alpha: 8.0,
            layers: BTreeMap::from([("to_q".to_owned(), pair)]),
            notes: BTreeMap::new(),
        };
        let base = Checkpoint::open(folder.path()).unwrap();
        let attachment = Attachment::of(&file);
        let loader = Loader::new(&base, Place::Cpu, Precision::F32).with_adapters(&attachment);
        let layer = Linear::load(&loader.root().at("to_q"), 12, 10);
        let (layer, loaded) = loader.finish(layer).unwrap();
        file.check_placed(&loaded).unwrap();
        let x = Golden::input("x", &[2, 3, 12], 1.5);
        golden.check("adapted", &layer.forward(&x, Adapter::On));
    }
}
