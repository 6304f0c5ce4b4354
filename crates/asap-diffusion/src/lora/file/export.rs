//! Writes an adapter for another program and proves that the file holds it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use asap_core::Stream;
use tch::{Kind, Tensor};

use super::{AdapterFile, Format, LowRankArrays};
use crate::guard::guard;
use crate::{Error, Result};

/// The largest relative error of a layer: rounding of alpha to `f32`, and nothing else.
const TOLERANCE: f64 = 1e-6;
/// Random vectors that each layer is tried with.
const N_PROBES: usize = 4;

/// What was written and how near it is to the source.
#[derive(Clone, Debug, PartialEq)]
pub struct ExportReport {
    /// The file.
    pub path: PathBuf,
    /// Its format.
    pub format: Format,
    /// Layers of the adapter.
    pub n_layers: usize,
    /// Bytes of the file.
    pub size_bytes: u64,
    /// Largest difference of a layer's output, relative to its largest output.
    pub largest_error: f64,
    /// The layer with the largest error.
    pub worst_layer: String,
}

/// Writes the adapter under a temporary name, reads that file back, compares every layer, and renames it to `to`.
///
/// Each layer's `alpha / rank * B A` is compared by what it makes of four random vectors, in `f64`: the product
/// itself would be as large as the network.
///
/// # Errors
/// [`Error::Io`], and [`Error::File`] with the layer where the file does not hold the adapter; `to` is as it was.
pub fn export(from: &AdapterFile, format: Format, to: &Path) -> Result<ExportReport> {
    publish(from, format, to, |temporary| from.write(temporary, format))
}

fn publish(
    from: &AdapterFile,
    format: Format,
    to: &Path,
    write: impl FnOnce(&Path) -> Result<()>,
) -> Result<ExportReport> {
    let name = to.file_name().unwrap_or_default().to_string_lossy();
    let temporary = to.with_file_name(format!(".{name}.{}.check", std::process::id()));
    let attempt = || {
        write(&temporary)?;
        let back = AdapterFile::read(&temporary)?;
        let (largest_error, worst_layer) = guard("a comparison of adapters", || compare(from, &back))?;
        if largest_error > TOLERANCE {
            let expected = format!("`{worst_layer}` as in the adapter, within {TOLERANCE:e}");
            return Err(Error::file(to, expected, format!("{largest_error:e} apart")));
        }
        let failed = |source| Error::io(to, "write", source);
        let size_bytes = std::fs::metadata(&temporary).map_err(failed)?.len();
        std::fs::rename(&temporary, to).map_err(failed)?;
        let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = std::fs::File::open(folder.unwrap_or(Path::new("."))).map_err(failed)?;
        folder.sync_all().map_err(failed)?;
        Ok(ExportReport {
            path: to.to_owned(),
            format,
            n_layers: from.layers.len(),
            size_bytes,
            largest_error,
            worst_layer,
        })
    };
    let result = attempt();
    if result.is_err() {
        // The first error is the one to tell; what is left of the attempt only takes space.
        let _ = std::fs::remove_file(&temporary);
    }
    result
}

/// The largest relative error and its layer. A layer that one of the two has not counts as zero there.
fn compare(from: &AdapterFile, back: &AdapterFile) -> (f64, String) {
    let names: BTreeSet<&String> = from.layers.keys().chain(back.layers.keys()).collect();
    let mut worst = (0.0, String::new());
    for name in names {
        let error = match (output(from, name), output(back, name)) {
            _ if from.backbone != back.backbone => f64::INFINITY,
            (Some(a), Some(b)) if a.size() == b.size() => apart(&a, &b),
            (Some(a), None) => apart(&a, &a.zeros_like()),
            _ => f64::INFINITY,
        };
        if error > worst.0 || worst.1.is_empty() || error.is_nan() {
            worst = (if error.is_nan() { f64::INFINITY } else { error }, name.clone());
        }
    }
    worst
}

/// What the layer makes of random vectors, `[n_out, probes]`; the vectors depend on the layer's name alone.
fn output(adapter: &AdapterFile, name: &str) -> Option<Tensor> {
    let LowRankArrays { down, up } = adapter.layers.get(name)?;
    let n_in = down.shape()[1];
    let mut stream = Stream::new(0, &format!("lora/probe/{name}"));
    let probes: Vec<f64> = (0..n_in * N_PROBES).map(|_| stream.normal()).collect();
    let probes = Tensor::from_slice(&probes).reshape([n_in as i64, N_PROBES as i64]);
    let hidden = down.tensor().to_kind(Kind::Double).matmul(&probes);
    Some(up.tensor().to_kind(Kind::Double).matmul(&hidden) * adapter.scale())
}

fn apart(a: &Tensor, b: &Tensor) -> f64 {
    let largest = |tensor: &Tensor| tensor.abs().max().double_value(&[]);
    let difference = largest(&(a - b));
    if difference == 0.0 {
        0.0
    } else {
        difference / largest(a)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Array;
    use crate::lora::Backbone;
    use crate::lora::file::parity::adapter;

    /// What a program that writes something else would leave: an error with the layer, and no file.
    #[test]
    fn a_file_that_differs_is_not_published() {
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("adapter.safetensors");
        std::fs::write(&to, "as it was").unwrap();
        let source = adapter(Backbone::Flux);
        let layer = "single_transformer_blocks.1.attn.to_v";
        let mut changed = source.clone();
        let up = &mut changed.layers.get_mut(layer).unwrap().up;
        let mut values = up.values().to_vec();
        values[0] *= 1.001;
        *up = Array::new(up.shape(), values).unwrap();
        let mut lacking = source.clone();
        lacking.layers.remove(layer);
        for other in [changed, lacking] {
            let write = |path: &Path| other.write(path, Format::Kohya);
            let error = publish(&source, Format::Kohya, &to, write).unwrap_err();
            assert!(error.to_string().contains(layer), "{error}");
            assert_eq!(std::fs::read(&to).unwrap(), b"as it was");
            assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        }
        let report = export(&source, Format::Kohya, &to).unwrap();
        assert_eq!(report.size_bytes, std::fs::metadata(&to).unwrap().len());
    }
}
