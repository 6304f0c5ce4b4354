//! What can be wrong with a run, all of it found in one pass.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use asap_core::chat::media_type;
use asap_core::{PromptId, Sha256};
use rayon::prelude::*;

use super::{ImageEntry, RunManifest, RunPrompts, is_inside, sha256};

/// How deep a run is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// The manifest against the prompts, and whether the files are there.
    Listing,
    /// Also the hash of every file.
    Bytes,
    /// Also that every image decodes, to the size that the manifest says.
    Pixels,
}

/// What a problem means for the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The run contradicts itself: nothing may be computed from it.
    Broken,
    /// A sample has no image: it is unscored, and everything else is fine.
    Gap,
}

/// One thing that is wrong with a run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// A sample that is not in the manifest.
    #[error("no image of `{prompt_id}` with seed {seed}")]
    NotListed {
        /// The prompt.
        prompt_id: PromptId,
        /// The seed.
        seed: u64,
    },
    /// A file of the manifest that is not there.
    #[error("`{file}` is missing")]
    Missing {
        /// The file.
        file: String,
    },
    /// A file that does not decode.
    #[error("`{file}` is not a whole PNG, JPEG or WebP image: {reason}")]
    Undecodable {
        /// The file.
        file: String,
        /// What the decoder says.
        reason: String,
    },
    /// A file that cannot be read.
    #[error("`{file}` cannot be read: {reason}")]
    Unreadable {
        /// The file.
        file: String,
        /// What the system says.
        reason: String,
    },
    /// A file that is not the one that was drawn.
    #[error(
        "`{file}` was changed: expected SHA-256 {}, got {}", expected.short(), got.short()
    )]
    Changed {
        /// The file.
        file: String,
        /// The hash of the manifest.
        expected: Sha256,
        /// The hash of the file.
        got: Sha256,
    },
    /// A picture of another size than the manifest says.
    #[error(
        "`{file}`: expected {}x{} pixels as in run.json, got {}x{}", expected.0, expected.1, got.0, got.1
    )]
    Size {
        /// The file.
        file: String,
        /// Columns and rows of the manifest.
        expected: (u32, u32),
        /// Columns and rows of the file.
        got: (u32, u32),
    },
    /// A sample that is listed twice.
    #[error("two images of `{prompt_id}` with seed {seed}: `{first}` and `{second}`")]
    Duplicate {
        /// The prompt.
        prompt_id: PromptId,
        /// The seed.
        seed: u64,
        /// One file.
        first: String,
        /// The other.
        second: String,
    },
    /// A file that stands for two samples.
    #[error("`{file}` is listed for two samples")]
    SharedFile {
        /// The file.
        file: String,
    },
    /// An image of a prompt that the run does not have.
    #[error("`{file}` is of `{prompt_id}`, which prompts.jsonl does not have")]
    UnknownPrompt {
        /// The file.
        file: String,
        /// The prompt.
        prompt_id: PromptId,
    },
    /// A seed that is not one of the run.
    #[error("`{file}` is of seed {seed}, and the run has the seeds {seeds:?}")]
    UnknownSeed {
        /// The file.
        file: String,
        /// The seed.
        seed: u64,
        /// The run's.
        seeds: Vec<u64>,
    },
    /// A file name that leads out of the run.
    #[error("`{file}` does not lie in the folder of the run")]
    Outside {
        /// The name.
        file: String,
    },
    /// A name in the folder that is not `PROMPT/SEED.png`.
    #[error("`{file}`: expected PROMPT/SEED.png, .jpg or .webp with a prompt's id and a whole number")]
    Name {
        /// The name.
        file: String,
    },
    /// Prompts that are not those that the images were drawn for.
    #[error(
        "prompts.jsonl was changed: expected SHA-256 {} as in run.json, got {}", expected.short(), got.short()
    )]
    PromptsChanged {
        /// The hash of the manifest.
        expected: Sha256,
        /// The hash of the file.
        got: Sha256,
    },
}

impl Problem {
    /// What it means for the run.
    pub const fn severity(&self) -> Severity {
        match self {
            Self::NotListed { .. } | Self::Missing { .. } | Self::Undecodable { .. } => Severity::Gap,
            _ => Severity::Broken,
        }
    }

    /// The file that it is about, where there is one.
    pub fn file(&self) -> Option<&str> {
        match self {
            Self::NotListed { .. } | Self::PromptsChanged { .. } => None,
            Self::Duplicate { second, .. } => Some(second),
            Self::Missing { file }
            | Self::Undecodable { file, .. }
            | Self::Unreadable { file, .. }
            | Self::Changed { file, .. }
            | Self::Size { file, .. }
            | Self::SharedFile { file }
            | Self::UnknownPrompt { file, .. }
            | Self::UnknownSeed { file, .. }
            | Self::Outside { file }
            | Self::Name { file } => Some(file),
        }
    }
}

/// Everything that is wrong, in the order of the manifest, then samples that it lacks.
pub(super) fn problems(
    dir: &Path,
    manifest: &RunManifest,
    prompts: &RunPrompts,
    depth: Depth,
) -> Vec<Problem> {
    let mut found = Vec::new();
    if prompts.sha256() != manifest.benchmark.prompts_sha256 {
        found.push(Problem::PromptsChanged {
            expected: manifest.benchmark.prompts_sha256,
            got: prompts.sha256(),
        });
    }
    listing(manifest, prompts, &mut found);
    let in_files: Vec<Option<Problem>> = manifest
        .images
        .par_iter()
        .map(|image| {
            is_inside(&image.file)
                .then(|| in_file(dir, image, depth))
                .flatten()
        })
        .collect();
    found.extend(in_files.into_iter().flatten());
    found.extend(not_listed(manifest, prompts));
    found
}

fn listing(manifest: &RunManifest, prompts: &RunPrompts, found: &mut Vec<Problem>) {
    let mut samples: BTreeMap<(&PromptId, u64), &str> = BTreeMap::new();
    let mut files = BTreeSet::new();
    for ImageEntry {
        prompt_id,
        seed,
        file,
        ..
    } in &manifest.images
    {
        if !is_inside(file) {
            found.push(Problem::Outside { file: file.clone() });
        }
        if !files.insert(file) {
            found.push(Problem::SharedFile { file: file.clone() });
        }
        if prompts.get(prompt_id).is_none() {
            let prompt_id = prompt_id.clone();
            found.push(Problem::UnknownPrompt {
                file: file.clone(),
                prompt_id,
            });
        }
        if !manifest.seeds.contains(seed) {
            let seeds = manifest.seeds.clone();
            found.push(Problem::UnknownSeed {
                file: file.clone(),
                seed: *seed,
                seeds,
            });
        }
        if let Some(first) = samples.insert((prompt_id, *seed), file) {
            found.push(Problem::Duplicate {
                prompt_id: prompt_id.clone(),
                seed: *seed,
                first: first.to_owned(),
                second: file.to_owned(),
            });
        }
    }
}

fn not_listed(manifest: &RunManifest, prompts: &RunPrompts) -> Vec<Problem> {
    let listed: BTreeSet<(&PromptId, u64)> = manifest
        .images
        .iter()
        .map(|image| (&image.prompt_id, image.seed))
        .collect();
    let mut found = Vec::new();
    for prompt in prompts.prompts() {
        for seed in &manifest.seeds {
            if !listed.contains(&(&prompt.id, *seed)) {
                found.push(Problem::NotListed {
                    prompt_id: prompt.id.clone(),
                    seed: *seed,
                });
            }
        }
    }
    found
}

fn in_file(dir: &Path, image: &ImageEntry, depth: Depth) -> Option<Problem> {
    let path = dir.join(&image.file);
    let file = image.file.clone();
    if !path.is_file() {
        return Some(Problem::Missing { file });
    }
    if depth == Depth::Listing {
        return None;
    }
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) => {
            let reason = error.to_string();
            return Some(Problem::Unreadable { file, reason });
        }
    };
    let got = sha256(&bytes);
    if got != image.sha256 {
        let expected = image.sha256;
        return Some(Problem::Changed { file, expected, got });
    }
    if depth == Depth::Bytes {
        return None;
    }
    match size_px(&bytes) {
        Err(reason) => Some(Problem::Undecodable { file, reason }),
        Ok(got) if got != (image.width, image.height) => {
            let expected = (image.width, image.height);
            Some(Problem::Size { file, expected, got })
        }
        Ok(_) => None,
    }
}

/// Decodes an image whole; gives its columns and rows.
pub(super) fn size_px(bytes: &[u8]) -> Result<(u32, u32), String> {
    if media_type(bytes).is_none() {
        return Err("its first bytes are of no such format".to_owned());
    }
    let image = image::load_from_memory(bytes).map_err(|error| error.to_string())?;
    Ok((image.width(), image.height()))
}
