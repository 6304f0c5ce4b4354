//! Makes a run out of a folder of images that something else drew.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use asap_core::PromptId;
use rayon::prelude::*;

use super::check::size_px;
use super::{
    Generator, ImageEntry, Problem, ProtocolRef, RUN_SCHEMA, Run, RunManifest, RunPrompts, Severity, sha256,
    write_manifest,
};
use crate::{Error, Result, jsonl};

/// Writes `run.json` and `prompts.jsonl` into a folder of `PROMPT/SEED.png`, with or without `images/` above.
///
/// The seeds of the run are all that occur. A picture that a prompt lacks is a gap of the run.
///
/// # Errors
/// [`Error::Run`] with every file whose name or prompt is not known, every sample that is there twice and every file
/// that does not decode; [`Error::File`] where the folder is a run already or holds no image.
pub fn adopt(
    dir: &Path,
    model: &str,
    generator: Generator,
    protocol: ProtocolRef,
    prompts: &RunPrompts,
) -> Result<Run> {
    let refused = |message: &str| Error::File {
        path: dir.to_owned(),
        message: message.to_owned(),
    };
    if dir.join("run.json").exists() {
        return Err(refused("is a run already, it has a run.json"));
    }
    let mut problems = Vec::new();
    let found = find(dir, prompts, &mut problems)?;
    let (images, mut undecodable) = read_all(dir, &found);
    problems.append(&mut undecodable);
    // What does not decode is a gap of a run, but nothing to take over without a word.
    if !problems.is_empty() {
        return Err(Error::Run {
            path: dir.to_owned(),
            problems,
        });
    }
    if images.is_empty() {
        return Err(refused(
            "expected images named PROMPT/SEED.png, .jpg or .webp, found none",
        ));
    }
    let seeds: BTreeSet<u64> = images.iter().map(|image| image.seed).collect();
    let manifest = RunManifest {
        schema: RUN_SCHEMA,
        model: model.to_owned(),
        generator,
        protocol,
        benchmark: prompts.benchmark(),
        seeds: seeds.into_iter().collect(),
        images,
    };
    let mut gaps = super::check::problems(dir, &manifest, prompts, super::Depth::Listing);
    if gaps.iter().any(|problem| problem.severity() == Severity::Broken) {
        return Err(Error::Run {
            path: dir.to_owned(),
            problems: gaps,
        });
    }
    gaps.retain(|problem| problem.severity() == Severity::Gap);
    jsonl::write_whole(&dir.join("prompts.jsonl"), prompts.bytes())?;
    write_manifest(dir, &manifest)?;
    Ok(Run::new(dir, manifest, prompts.clone(), gaps))
}

/// A file that has the name of a sample.
struct Found {
    prompt_id: PromptId,
    seed: u64,
    file: String,
}

/// Every image below the folder, in the order of the prompts, then of the seeds.
fn find(dir: &Path, prompts: &RunPrompts, problems: &mut Vec<Problem>) -> Result<Vec<Found>> {
    let has_images = dir.join("images").is_dir();
    let (root, prefix) = if has_images {
        (dir.join("images"), "images/")
    } else {
        (dir.to_owned(), "")
    };
    let mut found: Vec<Found> = Vec::new();
    for folder in sorted(&root)? {
        if !folder.is_dir() {
            continue;
        }
        let folder_name = name_of(&folder);
        for path in sorted(&folder)? {
            let file = format!("{prefix}{folder_name}/{}", name_of(&path));
            match sample_of(&folder_name, &path) {
                Some((prompt_id, _)) if prompts.get(&prompt_id).is_none() => {
                    problems.push(Problem::UnknownPrompt { file, prompt_id });
                }
                Some((prompt_id, seed)) => found.push(Found {
                    prompt_id,
                    seed,
                    file,
                }),
                None => problems.push(Problem::Name { file }),
            }
        }
    }
    let place = |id: &PromptId| prompts.prompts().iter().position(|prompt| prompt.id == *id);
    found.sort_by_cached_key(|image| (place(&image.prompt_id), image.seed));
    Ok(found)
}

fn sample_of(folder: &str, path: &Path) -> Option<(PromptId, u64)> {
    let extension = path.extension()?.to_str()?;
    let is_image = ["png", "jpg", "jpeg", "webp"].contains(&extension.to_ascii_lowercase().as_str());
    let stem = path.file_stem()?.to_str()?;
    (is_image && path.is_file()).then_some(())?;
    Some((folder.parse().ok()?, stem.parse().ok()?))
}

fn read_all(dir: &Path, found: &[Found]) -> (Vec<ImageEntry>, Vec<Problem>) {
    let read: Vec<std::result::Result<ImageEntry, Problem>> = found
        .par_iter()
        .map(|found| entry(dir, &found.prompt_id, found.seed, &found.file))
        .collect();
    let mut images = Vec::new();
    let mut problems = Vec::new();
    for result in read {
        match result {
            Ok(image) => images.push(image),
            Err(problem) => problems.push(problem),
        }
    }
    (images, problems)
}

/// Reads, hashes and decodes one image that is to be listed.
pub(super) fn entry(
    dir: &Path,
    prompt_id: &PromptId,
    seed: u64,
    file: &str,
) -> std::result::Result<ImageEntry, Problem> {
    let bytes = std::fs::read(dir.join(file)).map_err(|error| Problem::Unreadable {
        file: file.to_owned(),
        reason: error.to_string(),
    })?;
    let (width, height) = size_px(&bytes).map_err(|reason| Problem::Undecodable {
        file: file.to_owned(),
        reason,
    })?;
    Ok(ImageEntry {
        prompt_id: prompt_id.clone(),
        seed,
        file: file.to_owned(),
        sha256: sha256(&bytes),
        width,
        height,
    })
}

fn sorted(dir: &Path) -> Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for item in fs_err::read_dir(dir)? {
        paths.push(item?.path());
    }
    paths.sort();
    // Such as `.DS_Store`, and the answers of judges beside the images.
    paths.retain(|path| !name_of(path).starts_with('.'));
    Ok(paths)
}

fn name_of(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}
