//! A run: the images that one model drew for the prompts of a benchmark, as a folder that reads alone.
//!
//! ```text
//! runs/flux/
//!   run.json                    model, generator with its settings, benchmark, list of images with hashes
//!   prompts.jsonl               the prompts, byte for byte as they were when the images were drawn
//!   images/PROMPT/SEED.png      also .jpg and .webp
//!   answers/JUDGE.jsonl         what judges answered, as it came
//!   verdicts/JUDGE.jsonl        verdicts of people and of known answers
//!   scores/SCORER.jsonl         values of learned scorers
//!   judgements.jsonl            all verdicts, to publish: hashes, no images
//! ```

mod adopt;
mod check;
mod draft;
pub mod hap;
mod prompts;
mod scores;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use asap_core::chat::{ImageBytes, media_type};
use asap_core::{Prompt, PromptId, Sample, Sha256, Topic};
use sha2::Digest as _;

use crate::{Error, Result, jsonl};

pub use adopt::adopt;
pub use asap_core::manifest::{Benchmark, Generator, ImageEntry, ProtocolRef, RUN_SCHEMA, RunManifest};
pub use check::{Depth, Problem, Severity};
pub use draft::RunDraft;
pub use prompts::RunPrompts;
pub(crate) use scores::logs;
pub use scores::{ScoreLog, ScoreRow, read_scores};

/// A run that was read and checked.
#[derive(Clone, Debug)]
pub struct Run {
    dir: PathBuf,
    manifest: RunManifest,
    prompts: RunPrompts,
    gaps: Vec<Problem>,
    /// Entry of the manifest by prompt and seed.
    by_sample: BTreeMap<(PromptId, u64), usize>,
    /// Files that are missing or do not decode.
    lost: BTreeSet<String>,
}

impl Run {
    /// Reads a run and checks it as far as `depth` says.
    ///
    /// Images that are missing or do not decode are no failure here: they are [`Run::gaps`], and have no verdict.
    ///
    /// # Errors
    /// [`Error::Run`] with everything that is wrong: duplicates, images without a prompt, bytes that are not those
    /// of the manifest, prompts that were changed.
    pub fn load(dir: &Path, depth: Depth) -> Result<Self> {
        let manifest = read_manifest(dir)?;
        let prompts = RunPrompts::read(&dir.join("prompts.jsonl"))?;
        let mut problems = check::problems(dir, &manifest, &prompts, depth);
        if problems
            .iter()
            .any(|problem| problem.severity() == Severity::Broken)
        {
            return Err(Error::Run {
                path: dir.to_owned(),
                problems,
            });
        }
        problems.retain(|problem| problem.severity() == Severity::Gap);
        Ok(Self::new(dir, manifest, prompts, problems))
    }

    fn new(dir: &Path, manifest: RunManifest, prompts: RunPrompts, gaps: Vec<Problem>) -> Self {
        let lost = gaps.iter().filter_map(Problem::file).map(str::to_owned).collect();
        let entries = manifest.images.iter().enumerate();
        let by_sample = entries
            .map(|(idx, image)| ((image.prompt_id.clone(), image.seed), idx))
            .collect();
        Self {
            dir: dir.to_owned(),
            manifest,
            prompts,
            gaps,
            by_sample,
            lost,
        }
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// `run.json`.
    pub fn manifest(&self) -> &RunManifest {
        &self.manifest
    }

    /// The model's name.
    pub fn model(&self) -> &str {
        &self.manifest.model
    }

    /// The prompts, in the order of their file.
    pub fn prompts(&self) -> &[Prompt] {
        self.prompts.prompts()
    }

    /// A prompt.
    pub fn prompt(&self, id: &PromptId) -> Option<&Prompt> {
        self.prompts.get(id)
    }

    /// Where a prompt stands in the taxonomy.
    pub fn topic(&self, id: &PromptId) -> Option<Topic> {
        self.prompt(id).map(|prompt| Topic {
            category: prompt.category,
            subcategory: prompt.subcategory.clone(),
        })
    }

    /// What is missing or does not decode: these samples have no image.
    pub fn gaps(&self) -> &[Problem] {
        &self.gaps
    }

    /// Every sample that the run should have, by prompt in the order of the prompts, then by seed.
    pub fn samples(&self) -> impl Iterator<Item = (&PromptId, u64)> {
        let seeds = &self.manifest.seeds;
        self.prompts()
            .iter()
            .flat_map(move |prompt| seeds.iter().map(move |seed| (&prompt.id, *seed)))
    }

    /// The image of a sample; `None` where it is missing or does not decode.
    pub fn image(&self, prompt_id: &PromptId, seed: u64) -> Option<&ImageEntry> {
        self.listed(prompt_id, seed)
            .filter(|image| !self.lost.contains(&image.file))
    }

    /// The hash that the manifest has of a sample, whether or not the image is still there.
    pub fn listed_sha256(&self, prompt_id: &PromptId, seed: u64) -> Option<Sha256> {
        self.listed(prompt_id, seed).map(|image| image.sha256)
    }

    fn listed(&self, prompt_id: &PromptId, seed: u64) -> Option<&ImageEntry> {
        let idx = *self.by_sample.get(&(prompt_id.clone(), seed))?;
        self.manifest.images.get(idx)
    }

    /// The name of a sample.
    pub fn sample(&self, prompt_id: &PromptId, seed: u64) -> Sample {
        Sample {
            model: self.manifest.model.clone(),
            prompt_id: prompt_id.clone(),
            seed,
        }
    }

    /// The file of an image.
    pub fn image_path(&self, image: &ImageEntry) -> PathBuf {
        self.dir.join(&image.file)
    }

    /// The bytes of an image, which must still be those of the manifest.
    ///
    /// # Errors
    /// [`Error::Io`], and [`Error::File`] where the bytes changed or are no PNG, JPEG or WebP.
    pub fn image_bytes(&self, image: &ImageEntry) -> Result<ImageBytes> {
        let path = self.image_path(image);
        let bytes = fs_err::read(&path)?;
        let sha256 = sha256(&bytes);
        let message = if sha256 != image.sha256 {
            format!(
                "its bytes changed since the run was checked: expected SHA-256 {}, got {}",
                image.sha256.short(),
                sha256.short()
            )
        } else if let Some(media_type) = media_type(&bytes) {
            let bytes: Arc<[u8]> = bytes.into();
            return Ok(ImageBytes {
                media_type,
                bytes,
                sha256,
            });
        } else {
            "expected a PNG, JPEG or WebP image".to_owned()
        };
        Err(Error::File { path, message })
    }
}

/// Reads `run.json` alone.
///
/// # Errors
/// [`Error::Io`] and [`Error::File`].
pub fn read_manifest(dir: &Path) -> Result<RunManifest> {
    let path = dir.join("run.json");
    let text = jsonl::read_text(&path)?;
    let refused = |message: String| Error::File {
        path: path.clone(),
        message,
    };
    let manifest: RunManifest = serde_json::from_str(&text).map_err(|error| refused(error.to_string()))?;
    if manifest.schema != RUN_SCHEMA {
        return Err(refused(format!(
            "expected schema {RUN_SCHEMA}, got {}",
            manifest.schema
        )));
    }
    Ok(manifest)
}

/// Writes `run.json` in one step.
///
/// # Errors
/// [`Error::Io`].
pub fn write_manifest(dir: &Path, manifest: &RunManifest) -> Result<()> {
    let path = dir.join("run.json");
    let mut text = serde_json::to_string_pretty(manifest).map_err(|error| Error::File {
        path: path.clone(),
        message: error.to_string(),
    })?;
    text.push('\n');
    jsonl::write_whole(&path, text.as_bytes())
}

/// SHA-256 of some bytes.
pub fn sha256(bytes: &[u8]) -> Sha256 {
    Sha256::from_bytes(sha2::Sha256::digest(bytes).into())
}

/// Whether a file of the manifest lies in the run: no absolute path, no `..`.
fn is_inside(file: &str) -> bool {
    let path = Path::new(file);
    !file.is_empty() && path.components().all(|part| matches!(part, Component::Normal(_)))
}
