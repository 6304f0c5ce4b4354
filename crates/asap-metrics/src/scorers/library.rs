//! Scorers by name, from a folder of weights.

use std::path::{Path, PathBuf};

use super::aesthetic::Aesthetic;
use super::clip::{PromptScorer, PromptScorerFiles, PromptScorerKind};
use super::placement::{Placement, Precision};
use super::preprocess::Antialias;
use super::{Scorer, ScorerInfo, hpsv2, pickscore};
use crate::weights::{Fault, Pins};
use crate::{Error, Result};

/// Where the tokenizer of all CLIP networks lies: `tokenizer.json`, or `vocab.json` and `merges.txt`.
const CLIP_TOKENIZER: &str = "clip-tokenizer";

/// A scorer that can be loaded.
struct Entry {
    name: &'static str,
    profile: &'static str,
    scale: &'static str,
    needs_prompt: bool,
    /// Weights files; the first one is that of the trunk.
    weights: &'static [&'static str],
    /// Folders besides.
    folders: &'static [&'static str],
    load: fn(&Scorers, ScorerInfo) -> Result<Box<dyn Scorer>>,
}

/// All scorers.
const ENTRIES: [Entry; 4] = [
    Entry {
        name: "aesthetic",
        profile: "aesthetic/sac+logos+ava1-l14-linearMSE+pillow11-center224/v1",
        scale: "affine map of the image embedding, about 1 to 10",
        needs_prompt: false,
        weights: &["clip-vit-l-14.safetensors", "aesthetic.safetensors"],
        folders: &[],
        load: load_aesthetic,
    },
    Entry {
        name: "pickscore",
        profile: "pickscore/v1+pillow11-center224/v1",
        scale: "exp(logit_scale) * cosine, about 19 to 24",
        needs_prompt: true,
        weights: &["pickscore.safetensors"],
        folders: &[CLIP_TOKENIZER],
        load: |scorers, info| scorers.load_prompt_scorer(info, "pickscore", pickscore::KIND),
    },
    Entry {
        name: "hpsv2.1",
        profile: "hpsv2.1/letterbox224-torchvision0.16/v1",
        scale: "cosine, about 0.2 to 0.35",
        needs_prompt: true,
        weights: &["hpsv2.1.safetensors"],
        folders: &[CLIP_TOKENIZER],
        load: |scorers, info| scorers.load_prompt_scorer(info, "hpsv2.1", hpsv2::kind(Antialias::Off)),
    },
    Entry {
        name: "hpsv2.1-antialias",
        profile: "hpsv2.1/letterbox224-torchvision0.17/v1",
        scale: "cosine, about 0.2 to 0.35",
        needs_prompt: true,
        weights: &["hpsv2.1.safetensors"],
        folders: &[CLIP_TOKENIZER],
        load: |scorers, info| scorers.load_prompt_scorer(info, "hpsv2.1", hpsv2::kind(Antialias::On)),
    },
];

/// A folder of weights, from which scorers are loaded by name.
///
/// | scorer | files of the folder |
/// | --- | --- |
/// | `aesthetic` | `clip-vit-l-14.safetensors`, `aesthetic.safetensors` |
/// | `pickscore` | `pickscore.safetensors`, `clip-tokenizer/` |
/// | `hpsv2.1`, `hpsv2.1-antialias` | `hpsv2.1.safetensors`, `clip-tokenizer/` |
///
/// `clip-tokenizer/` holds `tokenizer.json`, or `vocab.json` and `merges.txt`, of any CLIP network. A network's
/// configuration may lie beside it under its name, as `pickscore.config.json`; networks of the published sizes
/// need none.
///
/// The two HPSv2.1 differ in how torchvision resizes floats: up to 0.16 it took four neighbours of each pixel, and
/// since 0.17 (January 2024) it takes all of them. HPSv2.1 is older than that, so its published numbers are to be
/// compared with `hpsv2.1`; who installs the reference today gets `hpsv2.1-antialias`.
pub struct Scorers {
    dir: PathBuf,
    placement: Placement,
}

impl Scorers {
    /// Opens a folder of weights.
    ///
    /// # Errors
    /// [`Error::Weights`] when there is no such folder; [`Error::Network`] when there is no device.
    pub fn open(dir: &Path, precision: Precision) -> Result<Self> {
        if !dir.is_dir() {
            let what = "expected a folder of weights".to_owned();
            return Err(Error::weights(dir, Fault::Unfit { what }));
        }
        Ok(Self {
            dir: dir.to_owned(),
            placement: Placement::new(precision)?,
        })
    }

    /// The names of all scorers.
    pub fn names() -> impl ExactSizeIterator<Item = &'static str> {
        ENTRIES.iter().map(|entry| entry.name)
    }

    /// What a scorer needs and the folder lacks.
    ///
    /// # Errors
    /// [`Error::UnknownScorer`].
    pub fn missing(&self, name: &str) -> Result<Vec<PathBuf>> {
        let entry = find(name)?;
        let files = entry
            .weights
            .iter()
            .map(|file| self.dir.join(file))
            .filter(|path| !path.is_file());
        let folders = entry
            .folders
            .iter()
            .map(|folder| self.dir.join(folder))
            .filter(|path| !path.is_dir());
        Ok(files.chain(folders).collect())
    }

    /// Loads a scorer, hashing its weights on the way.
    ///
    /// A file that is pinned in the folder must have the pinned hash.
    ///
    /// # Errors
    /// [`Error::UnknownScorer`]; [`Error::Weights`] when a file is missing, or is that of another network.
    pub fn load(&self, name: &str) -> Result<Box<dyn Scorer>> {
        let entry = find(name)?;
        let info = ScorerInfo {
            name: entry.name,
            profile: entry.profile,
            scale: entry.scale,
            needs_prompt: entry.needs_prompt,
            dtype: self.placement.precision().name(),
            weights_sha256: Vec::new(),
        };
        let scorer = (entry.load)(self, info)?;
        let pins = Pins::read(&self.dir)?;
        for (file, sha256) in &scorer.info().weights_sha256 {
            pins.check(&self.dir.join(file), sha256)?;
        }
        Ok(scorer)
    }

    fn load_prompt_scorer(
        &self,
        info: ScorerInfo,
        stem: &str,
        kind: PromptScorerKind,
    ) -> Result<Box<dyn Scorer>> {
        let files = PromptScorerFiles {
            weights: &self.weights(stem),
            config: &self.config(stem),
            tokenizer: &self.dir.join(CLIP_TOKENIZER),
        };
        Ok(Box::new(PromptScorer::load(info, kind, files, &self.placement)?))
    }

    fn weights(&self, stem: &str) -> PathBuf {
        self.dir.join(format!("{stem}.safetensors"))
    }

    fn config(&self, stem: &str) -> PathBuf {
        self.dir.join(format!("{stem}.config.json"))
    }
}

fn load_aesthetic(scorers: &Scorers, info: ScorerInfo) -> Result<Box<dyn Scorer>> {
    const TOWER: &str = "clip-vit-l-14";
    Ok(Box::new(Aesthetic::load(
        info,
        &scorers.weights(TOWER),
        &scorers.config(TOWER),
        &scorers.weights("aesthetic"),
        &scorers.placement,
    )?))
}

fn find(name: &str) -> Result<&'static Entry> {
    ENTRIES
        .iter()
        .find(|entry| entry.name == name)
        .ok_or_else(|| Error::UnknownScorer {
            name: name.to_owned(),
            known: Scorers::names().collect::<Vec<_>>().join("`, `"),
        })
}
