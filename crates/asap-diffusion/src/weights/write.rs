//! Writes safetensors files: all or nothing.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::io::Write as _;
use std::path::Path;

use safetensors::{Dtype, View};

use crate::{Array, Error, Result};

/// An array as the writer of the format takes it.
struct Viewed<'a>(&'a Array);

impl View for Viewed<'_> {
    fn dtype(&self) -> Dtype {
        Dtype::F32
    }

    fn shape(&self) -> &[usize] {
        self.0.shape()
    }

    fn data(&self) -> Cow<'_, [u8]> {
        self.0
            .values()
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect()
    }

    fn data_len(&self) -> usize {
        self.0.values().len() * 4
    }
}

/// Writes the tensors under a temporary name, brings them to disk, and renames: a reader sees the old file or the
/// new one, whole. `format: pt` is added to the notes, which Python's readers ask for.
///
/// # Errors
/// [`Error::Io`]; what stood there before is as it was.
pub fn write_safetensors(
    path: &Path,
    tensors: &BTreeMap<String, Array>,
    metadata: &BTreeMap<String, String>,
) -> Result<()> {
    let mut notes: HashMap<String, String> = metadata.clone().into_iter().collect();
    notes.insert("format".to_owned(), "pt".to_owned());
    let views = tensors.iter().map(|(name, array)| (name, Viewed(array)));
    let bytes = safetensors::serialize(views, Some(notes)).map_err(|error| {
        Error::file(
            path,
            "tensors that a safetensors file can hold",
            error.to_string(),
        )
    })?;
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = folder.join(format!(".{name}.{}.part", std::process::id()));
    let result = replace(path, &temporary, folder, &bytes);
    if result.is_err() {
        // The first error is the one to tell; what is left of the attempt only takes space.
        let _ = std::fs::remove_file(&temporary);
    }
    result.map_err(|source| Error::io(path, "write", source))
}

fn replace(path: &Path, temporary: &Path, folder: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = std::fs::File::create(temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(temporary, path)?;
    std::fs::File::open(folder)?.sync_all()
}
