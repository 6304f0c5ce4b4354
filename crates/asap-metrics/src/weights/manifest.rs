//! The networks that this toolkit can use, and how their weights are told apart.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::{Fault, TensorInfo};

const TEXT: &str = include_str!("manifest.toml");

/// The weights of one network.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Network {
    /// Its name: `lpips-alex`.
    pub name: String,
    /// What it is for, in a few words.
    pub serves: String,
    /// The name of its file in a folder of weights.
    pub file: String,
    /// Where the weights are published; the first is the usual one.
    pub sources: Vec<Source>,
    /// The licence of the weights as their publisher states it.
    pub licence: String,
    /// Tensors that it must have, with their shapes. Enough to tell it from the others, not always all.
    pub tensors: Vec<(String, Vec<usize>)>,
}

/// A published file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// The repository or folder.
    pub at: String,
    /// The file there.
    pub file: String,
    /// The SHA-256 of that file, or as many of its first digits as the publisher gives; `None` where none are
    /// known: then nothing is pinned.
    #[serde(default)]
    pub sha256: Option<String>,
}

impl Network {
    /// Whether the tensors are there with their shapes.
    pub fn fits(&self, tensors: &[TensorInfo]) -> bool {
        self.tensors.iter().all(|(name, shape)| {
            tensors
                .iter()
                .any(|tensor| tensor.name == *name && tensor.shape == *shape)
        })
    }
}

/// All networks, in the order of the manifest.
pub fn networks() -> &'static [Network] {
    static NETWORKS: LazyLock<Vec<Network>> = LazyLock::new(|| {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Manifest {
            networks: Vec<Network>,
        }
        let manifest: Manifest = toml::from_str(TEXT).expect("a test reads the built-in manifest");
        manifest.networks
    });
    &NETWORKS
}

/// The network of that name.
pub fn network(name: &str) -> Option<&'static Network> {
    networks().iter().find(|network| network.name == name)
}

/// The network that has these tensors.
pub fn identify(tensors: &[TensorInfo]) -> Option<&'static Network> {
    networks().iter().find(|network| network.fits(tensors))
}

/// Where a file of this content is published, if it is known by its hash.
pub fn published_at(sha256: &str) -> Option<&'static str> {
    let mut sources = networks().iter().flat_map(|network| &network.sources);
    let is_same = |source: &&Source| {
        source
            .sha256
            .as_ref()
            .is_some_and(|digits| sha256.starts_with(digits))
    };
    sources.find(is_same).map(|source| source.at.as_str())
}

/// Refuses a published file whose name has the first digits of its hash, and whose content has another one.
pub(crate) fn check_source(file_name: &str, sha256: &str) -> Result<(), Fault> {
    for source in networks().iter().flat_map(|network| &network.sources) {
        if let Some(digits) = &source.sha256
            && source.file == file_name
            && file_name.contains(digits.as_str())
            && !sha256.starts_with(digits.as_str())
        {
            return Err(Fault::Hash {
                expected: format!("{digits}..."),
                got: sha256.to_owned(),
                by: format!("the name that {} gives the file", source.at),
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::weights::Dtype;

    fn infos(network: &Network) -> Vec<TensorInfo> {
        let each = network.tensors.iter().map(|(name, shape)| TensorInfo {
            name: name.clone(),
            dtype: Dtype::F32,
            shape: shape.clone(),
        });
        each.collect()
    }

    #[test]
    fn the_manifest_is_complete_and_names_are_unique() {
        let mut names = BTreeSet::new();
        let mut files = BTreeSet::new();
        for network in networks() {
            assert!(names.insert(&network.name), "{}", network.name);
            assert!(files.insert(&network.file), "{}", network.file);
            assert!(network.file.ends_with(".safetensors"), "{}", network.file);
            assert!(!network.sources.is_empty() && !network.tensors.is_empty());
            for digits in network.sources.iter().filter_map(|source| source.sha256.as_ref()) {
                assert!((8..=64).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_hexdigit()));
            }
        }
    }

    #[test]
    fn networks_are_told_apart_by_their_tensors() {
        for network in networks() {
            assert_eq!(identify(&infos(network)), Some(network));
        }
        let mut other = infos(&networks()[0]);
        other[0].shape.push(1);
        assert_eq!(identify(&other), None);
    }

    #[test]
    fn a_published_file_of_known_name_must_have_its_hash() {
        let good = format!("397923af{}", "0".repeat(56));
        assert_eq!(check_source("vgg16-397923af.pth", &good), Ok(()));
        let bad = "1".repeat(64);
        assert!(matches!(
            check_source("vgg16-397923af.pth", &bad),
            Err(Fault::Hash { .. })
        ));
        assert_eq!(check_source("something-else.pth", &bad), Ok(()));
        assert_eq!(published_at(&good), Some("https://download.pytorch.org/models"));
        assert_eq!(published_at(&bad), None);
    }
}
