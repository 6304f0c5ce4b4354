//! The folder of images, in the layout that `asap bench` judges: `run.json`, `prompts.jsonl`,
//! `images/PROMPT/SEED.png`.
//!
//! An image has its name only when it is whole and on the disk, so what is there need not be drawn again, whatever
//! ended the process before. `run.json` says the same for any order, any shards and any number of starts.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use asap_core::manifest::{ImageEntry, RUN_SCHEMA, RunManifest};
use asap_core::{Prompt, PromptId};

use super::prompts::{Prompts, sha256};
use crate::folder::write_whole;

const RUN: &str = "run.json";

/// A folder of images that is being filled.
pub(super) struct Easel {
    root: PathBuf,
    manifest: RunManifest,
    prompts: Vec<Prompt>,
}

impl Easel {
    /// Begins a folder, or goes on with one that was begun in the same way; seeds that were drawn before stay.
    pub(super) fn open(root: &Path, mut manifest: RunManifest, prompts: &Prompts) -> anyhow::Result<Self> {
        let path = root.join(RUN);
        if path.exists() {
            let before = read(&path)?;
            check_same(&path, &before, &manifest)?;
            manifest.seeds.extend(before.seeds);
            manifest.images = before.images;
        }
        manifest.seeds.sort_unstable();
        manifest.seeds.dedup();
        let mut easel = Self {
            root: root.to_owned(),
            manifest,
            prompts: prompts.all.clone(),
        };
        easel.take_stock()?;
        write_whole(&root.join("prompts.jsonl"), &prompts.bytes)?;
        easel.write()?;
        Ok(easel)
    }

    /// Every sample of the folder, seed by seed, so that one that ends early has whole seeds.
    pub(super) fn samples(&self) -> Vec<(&Prompt, u64)> {
        let of_seed = |seed: &u64| {
            let seed = *seed;
            self.prompts.iter().map(move |prompt| (prompt, seed))
        };
        self.manifest.seeds.iter().flat_map(of_seed).collect()
    }

    /// Whether the image of a sample is there.
    pub(super) fn has(&self, prompt_id: &PromptId, seed: u64) -> bool {
        self.root.join(file_of(prompt_id, seed)).is_file()
    }

    /// Puts an image on the disk.
    pub(super) fn add(&self, prompt_id: &PromptId, seed: u64, png: &[u8]) -> anyhow::Result<()> {
        Ok(write_whole(&self.root.join(file_of(prompt_id, seed)), png)?)
    }

    /// Lists what is there now, by all processes, and gives the number of images and of those that are missing.
    pub(super) fn finish(mut self) -> anyhow::Result<(usize, usize)> {
        self.take_stock()?;
        self.write()?;
        let n_images = self.manifest.images.len();
        let n_missing = self.prompts.len() * self.manifest.seeds.len() - n_images;
        if n_missing == 0 {
            self.sweep()?;
        }
        Ok((n_images, n_missing))
    }

    /// Finds the images that are there; one that is not as it was drawn is refused.
    fn take_stock(&mut self) -> anyhow::Result<()> {
        let listed: BTreeMap<String, ImageEntry> = std::mem::take(&mut self.manifest.images)
            .into_iter()
            .map(|image| (image.file.clone(), image))
            .collect();
        let mut images = Vec::new();
        for prompt in &self.prompts {
            for &seed in &self.manifest.seeds {
                let file = file_of(&prompt.id, seed);
                let path = self.root.join(&file);
                if !path.is_file() {
                    continue;
                }
                let bytes = fs_err::read(&path)?;
                let sha256 = sha256(&bytes);
                let image = match listed.get(&file) {
                    Some(before) if before.sha256 == sha256 => before.clone(),
                    Some(before) => bail!(
                        "`{}` was changed: expected SHA-256 {}, got {}; remove it to have it drawn again",
                        path.display(),
                        before.sha256.short(),
                        sha256.short()
                    ),
                    None => {
                        let image = image::load_from_memory(&bytes).with_context(|| {
                            format!(
                                "`{}` is no whole image; remove it to have it drawn again",
                                path.display()
                            )
                        })?;
                        ImageEntry {
                            prompt_id: prompt.id.clone(),
                            seed,
                            file,
                            sha256,
                            width: image.width(),
                            height: image.height(),
                        }
                    }
                };
                images.push(image);
            }
        }
        self.manifest.images = images;
        Ok(())
    }

    fn write(&self) -> anyhow::Result<()> {
        let mut text = serde_json::to_string_pretty(&self.manifest)?;
        text.push('\n');
        Ok(write_whole(&self.root.join(RUN), text.as_bytes())?)
    }

    /// Removes what killed processes left half written. Nobody writes any more when all images are there.
    fn sweep(&self) -> anyhow::Result<()> {
        for prompt in &self.prompts {
            for entry in fs_err::read_dir(self.root.join("images").join(prompt.id.as_str()))? {
                let entry = entry?;
                if entry.file_name().to_string_lossy().ends_with(".part") {
                    fs_err::remove_file(entry.path())?;
                }
            }
        }
        Ok(())
    }
}

fn file_of(prompt_id: &PromptId, seed: u64) -> String {
    format!("images/{prompt_id}/{seed}.png")
}

fn read(path: &Path) -> anyhow::Result<RunManifest> {
    let bytes = fs_err::read(path)?;
    let manifest: RunManifest = serde_json::from_slice(&bytes).with_context(|| {
        format!(
            "`{}` is not that of a folder of images; choose another folder",
            path.display()
        )
    })?;
    if manifest.schema != RUN_SCHEMA {
        bail!(
            "`{}`: expected schema {RUN_SCHEMA}, got {}",
            path.display(),
            manifest.schema
        );
    }
    Ok(manifest)
}

/// Whether the folder was begun in the way in which it is gone on with.
fn check_same(path: &Path, before: &RunManifest, now: &RunManifest) -> anyhow::Result<()> {
    let mut parts = vec![
        ("model".to_owned(), before.model.clone(), now.model.clone()),
        (
            "generator".to_owned(),
            before.generator.kind.clone(),
            now.generator.kind.clone(),
        ),
        (
            "prompts".to_owned(),
            before.benchmark.prompts_sha256.short(),
            now.benchmark.prompts_sha256.short(),
        ),
        (
            "protocol".to_owned(),
            before.protocol.sha256.short(),
            now.protocol.sha256.short(),
        ),
    ];
    let (was, is) = (&before.generator.settings, &now.generator.settings);
    let names: BTreeSet<&String> = was.keys().chain(is.keys()).collect();
    let shown = |value: Option<&serde_json::Value>| value.map_or("none".to_owned(), ToString::to_string);
    parts.extend(
        names
            .into_iter()
            .map(|name| (name.clone(), shown(was.get(name)), shown(is.get(name)))),
    );
    match parts.into_iter().find(|(_, before, now)| before != now) {
        None => Ok(()),
        Some((what, before, now)) => bail!(
            "`{}` was begun with `{what}` {before}: expected the same, got {now}; choose another `--out`",
            path.display()
        ),
    }
}
