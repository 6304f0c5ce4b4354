//! The weights of one network: a folder with shards, or a file.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use tch::Tensor;

use crate::weights::{Part, SafeFile};
use crate::{Error, Result};

/// Names that diffusers and transformers give to the weights in a folder.
const STEMS: [&str; 2] = ["diffusion_pytorch_model", "model"];

struct Entry {
    file: usize,
    stored: String,
    part: Part,
}

/// Named tensors in one or more mapped files.
pub struct Checkpoint {
    root: PathBuf,
    files: Vec<SafeFile>,
    entries: BTreeMap<String, Entry>,
}

impl Checkpoint {
    /// The weights at `path`: a safetensors file, or a folder of diffusers or transformers with one file or with
    /// shards and an index.
    ///
    /// # Errors
    /// [`Error::Io`] and [`Error::File`], with the file: a folder without weights, a shard that is missing or torn.
    pub fn open(path: &Path) -> Result<Self> {
        let files = if path.is_dir() {
            files_of(path)?
        } else {
            vec![path.to_owned()]
        };
        let files = files
            .iter()
            .map(|file| SafeFile::open(file))
            .collect::<Result<Vec<_>>>()?;
        let mut entries = BTreeMap::new();
        for (at, file) in files.iter().enumerate() {
            for name in file.tensors().keys() {
                let entry = Entry {
                    file: at,
                    stored: name.clone(),
                    part: Part::Whole,
                };
                if entries.insert(name.clone(), entry).is_some() {
                    let got = format!("`{name}` in two files");
                    return Err(Error::file(file.path(), "each tensor once", got));
                }
            }
        }
        Ok(Self {
            root: path.to_owned(),
            files,
            entries,
        })
    }

    /// The same weights under other names: `rename` says for each stored name what the network calls it and which
    /// part of it that is; nothing where the network has no use for it.
    #[must_use]
    pub fn renamed(mut self, rename: impl Fn(&str) -> Vec<(String, Part)>) -> Self {
        let mut entries = BTreeMap::new();
        for (name, entry) in self.entries {
            for (new, part) in rename(&name) {
                let stored = entry.stored.clone();
                entries.insert(
                    new,
                    Entry {
                        file: entry.file,
                        stored,
                        part,
                    },
                );
            }
        }
        self.entries = entries;
        self
    }

    /// The folder or file.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// All names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    /// The sizes of a tensor.
    pub fn shape(&self, name: &str) -> Option<Vec<i64>> {
        let entry = self.entries.get(name)?;
        let stored = &self.files[entry.file].tensors()[&entry.stored].shape;
        entry.part.fits(stored).then(|| entry.part.shape(stored))
    }

    /// A hash of the bytes of all files: names which weights a result was computed with.
    pub fn hash(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        for file in &self.files {
            hasher.update(file.bytes());
        }
        hasher.finalize().to_hex().to_string()
    }

    /// A copy of a tensor on the processor, in the numbers of the file. The name and the part were checked by
    /// [`Self::shape`].
    pub(crate) fn tensor(&self, name: &str) -> Option<Tensor> {
        let entry = self.entries.get(name)?;
        let file = &self.files[entry.file];
        Some(entry.part.of(file.tensor(&file.tensors()[&entry.stored])))
    }
}

fn files_of(folder: &Path) -> Result<Vec<PathBuf>> {
    for stem in STEMS {
        let index = folder.join(format!("{stem}.safetensors.index.json"));
        if index.is_file() {
            return shards(folder, &index);
        }
        let single = folder.join(format!("{stem}.safetensors"));
        if single.is_file() {
            return Ok(vec![single]);
        }
    }
    let expected = format!(
        "`{}.safetensors`, `{}.safetensors` or their index",
        STEMS[0], STEMS[1]
    );
    Err(Error::file(folder, expected, "none of them"))
}

fn shards(folder: &Path, index: &Path) -> Result<Vec<PathBuf>> {
    #[derive(serde::Deserialize)]
    struct Index {
        weight_map: BTreeMap<String, String>,
    }
    let text = std::fs::read(index).map_err(|source| Error::io(index, "read", source))?;
    let parsed: Index = serde_json::from_slice(&text)
        .map_err(|error| Error::file(index, "an index with `weight_map`", error.to_string()))?;
    let names: BTreeSet<String> = parsed.weight_map.into_values().collect();
    if let Some(strange) = names.iter().find(|name| name.contains(['/', '\\'])) {
        return Err(Error::file(
            index,
            "names of files beside it",
            format!("`{strange}`"),
        ));
    }
    Ok(names.into_iter().map(|name| folder.join(name)).collect())
}
