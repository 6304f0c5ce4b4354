//! Writing the tensors of a torch file as safetensors.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use asap_core::Reporter;
use fs_err::File;
use serde_json::{Map, Value, json};

use super::digest::{Hashing, of_file};
use super::{Fault, TensorInfo, TorchFile};
use crate::{Error, Result};

/// The header note with the hash of the file that was converted.
pub(crate) const SOURCE_SHA256: &str = "source_sha256";

/// The name under which a header has its notes.
const NOTES: &str = "__metadata__";

/// What was converted.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Converted {
    /// Tensors.
    pub n_tensors: usize,
    /// Bytes of their elements.
    pub n_bytes: u64,
    /// The SHA-256 of the torch file.
    pub source_sha256: String,
    /// The SHA-256 of the safetensors file.
    pub sha256: String,
    /// The network that it is by its tensors, if the manifest knows one.
    pub network: Option<&'static str>,
    /// Where the torch file is published, if it is known by its hash.
    pub published_at: Option<&'static str>,
}

/// Writes the tensors of the torch file `from` as the safetensors file `to`, one after the other.
///
/// Types and values stay as they are. The file is written under another name, brought to disk and renamed, so
/// `to` is either whole or not there. The same input gives the same bytes.
///
/// # Errors
/// [`Error::Weights`], naming the file that is at fault. [`Fault::Hash`] where the manifest knows the source by
/// its name and its hash is another one.
pub fn convert(from: &Path, to: &Path, reporter: &dyn Reporter) -> Result<Converted> {
    let source = TorchFile::open(from)?;
    let source_sha256 = of_file(from)?;
    let file_name = from
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    super::manifest::check_source(&file_name, &source_sha256).map_err(|fault| Error::weights(from, fault))?;
    let mut tensors = source.tensors().to_vec();
    if let Some(tensor) = tensors.iter().find(|tensor| tensor.name == NOTES) {
        let what = "safetensors files keep this name for notes".to_owned();
        let name = tensor.name.clone();
        return Err(Error::weights(from, Fault::Tensor { name, what }));
    }
    // Readers map the file into memory: the widest numbers first keeps all of them aligned.
    tensors.sort_by(|a, b| {
        let width = |tensor: &TensorInfo| std::cmp::Reverse(tensor.dtype.size_bytes());
        (width(a), &a.name).cmp(&(width(b), &b.name))
    });
    let notes = json!({ "format": "pt", SOURCE_SHA256: source_sha256 });
    reporter.start("converting tensors", tensors.len() as u64);
    let sha256 = write(&source, &tensors, notes, to, reporter)?;
    reporter.finish();
    Ok(Converted {
        n_tensors: tensors.len(),
        n_bytes: tensors.iter().map(|tensor| tensor.n_bytes() as u64).sum(),
        published_at: super::published_at(&source_sha256),
        source_sha256,
        sha256,
        network: super::identify(&tensors).map(|network| network.name.as_str()),
    })
}

fn write(
    source: &TorchFile,
    tensors: &[TensorInfo],
    notes: Value,
    to: &Path,
    reporter: &dyn Reporter,
) -> Result<String> {
    let io = |error: std::io::Error| Error::weights(to, Fault::io("write", &error));
    let part = Part::of(to);
    let mut out = Hashing::new(BufWriter::with_capacity(
        1 << 20,
        File::create(&part.path).map_err(io)?,
    ));
    let header = header(tensors, notes);
    out.write_all(&(header.len() as u64).to_le_bytes()).map_err(io)?;
    out.write_all(&header).map_err(io)?;
    for tensor in tensors {
        out.write_all(&source.read(tensor)?).map_err(io)?;
        reporter.advance(1);
    }
    let (sha256, buffer) = out.finish();
    let file = buffer.into_inner().map_err(|error| io(error.into_error()))?;
    file.sync_all().map_err(io)?;
    drop(file);
    fs_err::rename(&part.path, to).map_err(io)?;
    if cfg!(unix) {
        // The name is on disk only when the folder is.
        let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = File::open(folder.unwrap_or(Path::new("."))).map_err(io)?;
        folder.sync_all().map_err(io)?;
    }
    Ok(sha256)
}

/// The header, padded with spaces to a multiple of 8 bytes.
fn header(tensors: &[TensorInfo], notes: Value) -> Vec<u8> {
    let mut entries = Map::new();
    entries.insert(NOTES.to_owned(), notes);
    let mut end = 0;
    for tensor in tensors {
        let start = end;
        end += tensor.n_bytes();
        let entry = json!({
            "dtype": tensor.dtype.name(),
            "shape": tensor.shape,
            "data_offsets": [start, end],
        });
        entries.insert(tensor.name.clone(), entry);
    }
    let mut bytes = Value::Object(entries).to_string().into_bytes();
    bytes.resize(bytes.len().next_multiple_of(8), b' ');
    bytes
}

/// A file under a name of its own beside the one it will have; removed when it was not renamed.
struct Part {
    path: PathBuf,
}

impl Part {
    fn of(to: &Path) -> Self {
        let mut name = std::ffi::OsString::from(".");
        name.push(to.file_name().unwrap_or_default());
        name.push(format!(".part-{}", std::process::id()));
        Self {
            path: to.with_file_name(name),
        }
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // Already renamed, or an error is on its way that says more.
        _ = fs_err::remove_file(&self.path);
    }
}
