//! Scorers by name, from a folder of weights.

use std::path::{Path, PathBuf};

use super::aesthetic::Aesthetic;
use super::clip::{PromptScorer, PromptScorerFiles, PromptScorerKind};
use super::hpsv3::{self, Hpsv3};
use super::image_reward::{self, ImageReward};
use super::placement::{Placement, Precision};
use super::preprocess::Antialias;
use super::{Scorer, ScorerInfo, hpsv2, pickscore};
use crate::weights::{Fault, Pins};
use crate::{Error, Result};

/// Where the tokenizer of all CLIP networks lies: `tokenizer.json`, or `vocab.json` and `merges.txt`.
pub(super) const CLIP_TOKENIZER: &str = "clip-tokenizer";
/// Where the tokenizer of BERT lies: `tokenizer.json` or `vocab.txt`.
pub(super) const BERT_TOKENIZER: &str = "bert-tokenizer";
/// Where the tokenizer of Qwen2-VL lies.
const HPSV3_TOKENIZER: &str = "hpsv3/tokenizer.json";
/// Where HPSv3's instruction lies.
const HPSV3_INSTRUCTION: &str = "hpsv3/instruction.txt";

/// A scorer that can be loaded.
struct Entry {
    name: &'static str,
    profile: &'static str,
    scale: &'static str,
    needs_prompt: bool,
    /// Files; the first one is that of the trunk.
    files: &'static [&'static str],
    /// Folders besides.
    folders: &'static [&'static str],
    load: fn(&Scorers, ScorerInfo) -> Result<Box<dyn Scorer>>,
}

/// All scorers.
const ENTRIES: [Entry; 6] = [
    Entry {
        name: "aesthetic",
        profile: "aesthetic/sac+logos+ava1-l14-linearMSE+pillow11-center224/v1",
        scale: "affine map of the image embedding, about 1 to 10",
        needs_prompt: false,
        files: &["clip-vit-l-14.safetensors", "aesthetic.safetensors"],
        folders: &[],
        load: load_aesthetic,
    },
    Entry {
        name: "pickscore",
        profile: "pickscore/v1+pillow11-center224/v1",
        scale: "exp(logit_scale) * cosine, about 19 to 24",
        needs_prompt: true,
        files: &["pickscore.safetensors"],
        folders: &[CLIP_TOKENIZER],
        load: |scorers, info| scorers.load_prompt_scorer(info, "pickscore", pickscore::KIND),
    },
    Entry {
        name: "hpsv2.1",
        profile: "hpsv2.1/letterbox224-torchvision0.16/v1",
        scale: "cosine, about 0.2 to 0.35",
        needs_prompt: true,
        files: &["hpsv2.1.safetensors"],
        folders: &[CLIP_TOKENIZER],
        load: |scorers, info| scorers.load_prompt_scorer(info, "hpsv2.1", hpsv2::kind(Antialias::Off)),
    },
    Entry {
        name: "hpsv2.1-antialias",
        profile: "hpsv2.1/letterbox224-torchvision0.17/v1",
        scale: "cosine, about 0.2 to 0.35",
        needs_prompt: true,
        files: &["hpsv2.1.safetensors"],
        folders: &[CLIP_TOKENIZER],
        load: |scorers, info| scorers.load_prompt_scorer(info, "hpsv2.1", hpsv2::kind(Antialias::On)),
    },
    Entry {
        name: "imagereward",
        profile: "imagereward/v1.0+pillow11-center224+bert35/v1",
        scale: "normalised reward, about -2.5 to 2",
        needs_prompt: true,
        files: &["imagereward.safetensors"],
        folders: &[BERT_TOKENIZER],
        load: load_image_reward,
    },
    Entry {
        name: "hpsv3",
        profile: "hpsv3/7b+pillow11-smart200704+chat-template1/v1",
        scale: "mean of the preference, unbounded, about 0 to 15",
        needs_prompt: true,
        files: &["hpsv3.safetensors", HPSV3_TOKENIZER, HPSV3_INSTRUCTION],
        folders: &[],
        load: load_hpsv3,
    },
];

/// A folder of weights, from which scorers are loaded by name.
///
/// | scorer | files of the folder |
/// | --- | --- |
/// | `aesthetic` | `clip-vit-l-14.safetensors`, `aesthetic.safetensors` |
/// | `pickscore` | `pickscore.safetensors`, `clip-tokenizer/` |
/// | `hpsv2.1`, `hpsv2.1-antialias` | `hpsv2.1.safetensors`, `clip-tokenizer/` |
/// | `imagereward` | `imagereward.safetensors`, `bert-tokenizer/` |
/// | `hpsv3` | `hpsv3.safetensors`, `hpsv3/tokenizer.json`, `hpsv3/instruction.txt` |
///
/// `clip-tokenizer/` holds `tokenizer.json`, or `vocab.json` and `merges.txt`, of any CLIP network;
/// `bert-tokenizer/` holds `tokenizer.json` or `vocab.txt` of bert-base-uncased;
/// `hpsv3/tokenizer.json` is that of Qwen2-VL-7B-Instruct, and `hpsv3/instruction.txt` holds the text `INSTRUCTION +
/// prompt_with_special_token` of `hpsv3/dataset/data_collator_qwen.py` in the package `hpsv3` 1.0.0, to the last blank:
/// it belongs to that project and is not part of this one. A network's
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
            .files
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

fn load_image_reward(scorers: &Scorers, info: ScorerInfo) -> Result<Box<dyn Scorer>> {
    const STEM: &str = "imagereward";
    let files = image_reward::Files {
        weights: &scorers.weights(STEM),
        config: &scorers.config(STEM),
        tokenizer: &scorers.dir.join(BERT_TOKENIZER),
    };
    Ok(Box::new(ImageReward::load(info, files, &scorers.placement)?))
}

fn load_hpsv3(scorers: &Scorers, info: ScorerInfo) -> Result<Box<dyn Scorer>> {
    const STEM: &str = "hpsv3";
    let files = hpsv3::Files {
        weights: &scorers.weights(STEM),
        config: &scorers.config(STEM),
        tokenizer: &scorers.dir.join(HPSV3_TOKENIZER),
        instruction: &scorers.dir.join(HPSV3_INSTRUCTION),
    };
    Ok(Box::new(Hpsv3::load(info, files, &scorers.placement)?))
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
