//! A folder of weights.

use std::path::{Path, PathBuf};

use super::convert::SOURCE_SHA256;
use super::nearest::nearest;
use super::{Fault, Network, Pins, SafeFile, Weights, digest, identify, published_at};
use crate::{Error, Result};

/// A folder with the files that the manifest names, and what is pinned there.
#[derive(Clone, Debug)]
pub struct WeightsDir {
    dir: PathBuf,
    pins: Pins,
}

/// A safetensors file in a folder of weights.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Present {
    /// Its name.
    pub file: String,
    /// The network that it is by its tensors.
    pub network: Option<&'static str>,
    /// Its SHA-256.
    pub sha256: String,
    /// The SHA-256 of the torch file that it was converted from, as its header says.
    pub source_sha256: Option<String>,
    /// Where that file, or this one, is published, if it is known by its hash.
    pub published_at: Option<&'static str>,
    /// Whether the pin file names it, with this content.
    pub is_pinned: bool,
    /// What is wrong with it, if anything.
    pub fault: Option<String>,
}

impl WeightsDir {
    /// Opens a folder. The files in it need not be there.
    ///
    /// # Errors
    /// [`Error::Weights`] where there is no such folder, or its pin file cannot be understood.
    pub fn open(dir: &Path) -> Result<Self> {
        fs_err::read_dir(dir).map_err(|error| Error::weights(dir, Fault::io("open", &error)))?;
        Ok(Self {
            dir: dir.to_owned(),
            pins: Pins::read(dir)?,
        })
    }

    /// Where the file of a network is or would be.
    pub fn path_of(&self, network: &Network) -> PathBuf {
        self.dir.join(&network.file)
    }

    /// Reads the weights of a network.
    ///
    /// # Errors
    /// [`Error::Weights`] where the file is not there, is damaged, has other content than is pinned, or has the
    /// tensors of another network.
    pub fn load(&self, network: &Network) -> Result<Weights> {
        let path = self.path_of(network);
        if !path.is_file() {
            let serves = network.serves.clone();
            return Err(Error::weights(&path, Fault::Missing { serves }));
        }
        check_network(&path, network)?;
        let weights = Weights::read(&path, &network.name)?;
        self.pins.check(&path, weights.sha256())?;
        Ok(weights)
    }

    /// Looks at every safetensors file in the folder, in the order of their names.
    ///
    /// # Errors
    /// [`Error::Weights`] where the folder cannot be read. What is wrong with a file is told in its own place.
    pub fn check(&self) -> Result<Vec<Present>> {
        let io = |error: std::io::Error| Error::weights(&self.dir, Fault::io("read", &error));
        let mut paths = Vec::new();
        for entry in fs_err::read_dir(&self.dir).map_err(io)? {
            let path = entry.map_err(io)?.path();
            if path.extension().is_some_and(|end| end == "safetensors") && path.is_file() {
                paths.push(path);
            }
        }
        paths.sort_unstable();
        paths.iter().map(|path| self.look_at(path)).collect()
    }

    /// Pins the content that the files have.
    ///
    /// # Errors
    /// [`Error::Weights`] where the pin file cannot be written.
    pub fn pin(&self, files: &[Present]) -> Result<()> {
        let sound = files.iter().filter(|present| present.fault.is_none());
        let pins = Pins {
            sha256: sound
                .map(|present| (present.file.clone(), present.sha256.clone()))
                .collect(),
        };
        pins.write(&self.dir)
    }

    fn look_at(&self, path: &Path) -> Result<Present> {
        let file = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let sha256 = digest::of_file(path)?;
        let mut present = Present {
            is_pinned: self.pins.sha256.contains_key(&file),
            file,
            network: None,
            source_sha256: None,
            published_at: published_at(&sha256),
            fault: None,
            sha256,
        };
        let mut fault = self.pins.check(path, &present.sha256).err();
        match SafeFile::open(path) {
            Ok(header) => {
                present.network = identify(header.tensors()).map(|network| network.name.as_str());
                present.source_sha256 = header.notes().get(SOURCE_SHA256).cloned();
                let source = present.source_sha256.as_deref().and_then(published_at);
                present.published_at = present.published_at.or(source);
                let wanted = super::networks()
                    .iter()
                    .find(|network| network.file == present.file);
                if let Some(wanted) = wanted {
                    fault = fault.or(check_tensors(path, wanted, &header).err());
                }
            }
            Err(error) => fault = Some(error),
        }
        // The file's name stands beside it.
        present.fault = fault.map(|error| match error {
            Error::Weights { fault, .. } => fault.to_string(),
            other => other.to_string(),
        });
        Ok(present)
    }
}

/// Refuses the file of another network by its header alone.
fn check_network(path: &Path, network: &Network) -> Result<()> {
    check_tensors(path, network, &SafeFile::open(path)?)
}

fn check_tensors(path: &Path, network: &Network, file: &SafeFile) -> Result<()> {
    for (name, shape) in &network.tensors {
        let found = file.tensors().iter().find(|tensor| tensor.name == *name);
        let fault = match found {
            Some(tensor) if tensor.shape == *shape => continue,
            Some(tensor) => Fault::Shape {
                network: network.name.clone(),
                name: name.clone(),
                expected: shape.clone(),
                got: tensor.shape.clone(),
            },
            None => Fault::MissingTensor {
                network: network.name.clone(),
                name: name.clone(),
                nearest: nearest(name, file.tensors().iter().map(|tensor| tensor.name.as_str())),
            },
        };
        return Err(Error::weights(path, fault));
    }
    Ok(())
}
