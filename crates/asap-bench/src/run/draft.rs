//! A run that is being drawn: what is there is checked and kept, what is missing is named, what comes is added.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use asap_core::chat::ImageBytes;
use asap_core::{Prompt, PromptId};
use rayon::prelude::*;

use super::adopt::entry;
use super::check::{problems, size_px};
use super::{
    Depth, ImageEntry, Problem, Run, RunManifest, RunPrompts, Severity, read_manifest, write_manifest,
};
use crate::{Error, Result, jsonl};

/// The manifest is written anew after so many images. Those after it are found in the folder again.
const IMAGES_PER_WRITE: usize = 25;
const EXTENSIONS: [&str; 4] = ["png", "jpg", "jpeg", "webp"];

/// Settings of a generator by name.
type Settings = BTreeMap<String, serde_json::Value>;

/// A run that is being drawn.
#[derive(Debug)]
pub struct RunDraft {
    dir: PathBuf,
    manifest: RunManifest,
    prompts: RunPrompts,
    images: BTreeMap<(usize, u64), ImageEntry>,
    n_unwritten: usize,
}

impl RunDraft {
    /// Begins a run, or goes on with one: `manifest` says how it is drawn and has no images.
    ///
    /// Seeds that an earlier command drew stay. Images that are there are checked against their hashes; those that an
    /// interrupted command left without an entry are taken over.
    ///
    /// # Errors
    /// [`Error::File`] where the folder holds a run that was drawn otherwise; [`Error::Run`] for images that were
    /// changed or do not decode.
    pub fn open(dir: &Path, mut manifest: RunManifest, prompts: RunPrompts) -> Result<Self> {
        let mut listed = Vec::new();
        if dir.join("run.json").exists() {
            let before = read_manifest(dir)?;
            check_same(dir, &before, &manifest)?;
            manifest.seeds.extend(&before.seeds);
            manifest.seeds.sort_unstable();
            manifest.seeds.dedup();
            listed = before.images;
        }
        manifest.images = listed;
        let mut draft = Self {
            dir: dir.to_owned(),
            manifest,
            prompts,
            images: BTreeMap::new(),
            n_unwritten: 0,
        };
        draft.take_stock()?;
        jsonl::write_whole(&dir.join("prompts.jsonl"), draft.prompts.bytes())?;
        draft.write()?;
        Ok(draft)
    }

    /// Checks what is listed and finds what is not.
    fn take_stock(&mut self) -> Result<()> {
        let found = problems(&self.dir, &self.manifest, &self.prompts, Depth::Bytes);
        let (broken, gaps): (Vec<Problem>, Vec<Problem>) = found
            .into_iter()
            .partition(|problem| problem.severity() == Severity::Broken);
        if !broken.is_empty() {
            return Err(self.refused(broken));
        }
        let missing: Vec<&str> = gaps.iter().filter_map(Problem::file).collect();
        let listed = std::mem::take(&mut self.manifest.images);
        for image in listed
            .into_iter()
            .filter(|image| !missing.contains(&image.file.as_str()))
        {
            self.insert(image);
        }
        let unlisted: Vec<(PromptId, u64, String)> = self
            .missing()
            .into_iter()
            .filter_map(|(prompt, seed)| Some((prompt.id.clone(), seed, self.file_of(&prompt.id, seed)?)))
            .collect();
        let read: Vec<std::result::Result<ImageEntry, Problem>> = unlisted
            .par_iter()
            .map(|(id, seed, file)| entry(&self.dir, id, *seed, file))
            .collect();
        let mut broken = Vec::new();
        for result in read {
            match result {
                Ok(image) => self.insert(image),
                Err(problem) => broken.push(problem),
            }
        }
        if broken.is_empty() {
            Ok(())
        } else {
            Err(self.refused(broken))
        }
    }

    /// The samples that have no image yet, seed by seed, so that a run that ends early has whole seeds.
    pub fn missing(&self) -> Vec<(&Prompt, u64)> {
        let prompts = self.prompts.prompts();
        let of_seed = |seed: &u64| {
            let seed = *seed;
            let places = (0..prompts.len()).filter(move |place| !self.images.contains_key(&(*place, seed)));
            places.map(move |place| (&prompts[place], seed))
        };
        self.manifest.seeds.iter().flat_map(of_seed).collect()
    }

    /// Whether a sample has its image.
    pub fn has(&self, prompt_id: &PromptId, seed: u64) -> bool {
        let place = self
            .prompts
            .prompts()
            .iter()
            .position(|prompt| prompt.id == *prompt_id);
        place.is_some_and(|place| self.images.contains_key(&(place, seed)))
    }

    /// The images that are there.
    pub fn n_images(&self) -> usize {
        self.images.len()
    }

    /// Puts an image on the disk under its sample. A file that is there is never overwritten.
    ///
    /// # Errors
    /// [`Error::File`] for bytes that do not decode and for a file that appeared meanwhile.
    pub fn add(&mut self, prompt_id: &PromptId, seed: u64, image: &ImageBytes) -> Result<()> {
        let extension = match image.media_type {
            "image/jpeg" => "jpg",
            "image/webp" => "webp",
            _ => "png",
        };
        let file = format!("images/{prompt_id}/{seed}.{extension}");
        let path = self.dir.join(&file);
        let (width, height) = size_px(&image.bytes).map_err(|reason| Error::File {
            path: path.clone(),
            message: format!("what the server sent is not a whole image: {reason}"),
        })?;
        write_new(&path, &image.bytes)?;
        self.insert(ImageEntry {
            prompt_id: prompt_id.clone(),
            seed,
            file,
            sha256: image.sha256,
            width,
            height,
        });
        self.n_unwritten += 1;
        if self.n_unwritten >= IMAGES_PER_WRITE {
            self.write()?;
        }
        Ok(())
    }

    /// Writes the manifest and reads the run back.
    ///
    /// # Errors
    /// Those of [`Run::load`].
    pub fn finish(mut self) -> Result<Run> {
        self.write()?;
        Run::load(&self.dir, Depth::Listing)
    }

    fn write(&mut self) -> Result<()> {
        self.n_unwritten = 0;
        self.manifest.images = self.images.values().cloned().collect();
        write_manifest(&self.dir, &self.manifest)
    }

    fn insert(&mut self, image: ImageEntry) {
        let mut ids = self.prompts.prompts().iter();
        // An image without a prompt was refused when stock was taken.
        if let Some(place) = ids.position(|prompt| prompt.id == image.prompt_id) {
            self.images.insert((place, image.seed), image);
        }
    }

    fn file_of(&self, prompt_id: &PromptId, seed: u64) -> Option<String> {
        let mut names = EXTENSIONS
            .iter()
            .map(|extension| format!("images/{prompt_id}/{seed}.{extension}"));
        names.find(|name| self.dir.join(name).is_file())
    }

    fn refused(&self, problems: Vec<Problem>) -> Error {
        Error::Run {
            path: self.dir.clone(),
            problems,
        }
    }
}

/// Whether a run is drawn as it was begun.
fn check_same(dir: &Path, before: &RunManifest, now: &RunManifest) -> Result<()> {
    let prompts = |manifest: &RunManifest| manifest.benchmark.prompts_sha256.short();
    let protocol =
        |manifest: &RunManifest| format!("{} ({})", manifest.protocol.id, manifest.protocol.sha256.short());
    let (set_before, set_now) = changed_settings(&before.generator.settings, &now.generator.settings);
    let parts = [
        ("model", before.model.clone(), now.model.clone()),
        (
            "generator",
            before.generator.kind.clone(),
            now.generator.kind.clone(),
        ),
        ("settings", set_before, set_now),
        ("protocol", protocol(before), protocol(now)),
        ("prompts", prompts(before), prompts(now)),
    ];
    match parts.iter().find(|(_, before, now)| before != now) {
        None => Ok(()),
        Some((what, before, now)) => Err(Error::File {
            path: dir.join("run.json"),
            message: format!(
                "the run was begun with other {what}: {before}, now {now}; choose another folder"
            ),
        }),
    }
}

/// The settings in which two runs differ, in words.
fn changed_settings(before: &Settings, now: &Settings) -> (String, String) {
    let names: BTreeSet<&String> = before.keys().chain(now.keys()).collect();
    let changed: Vec<&String> = names
        .into_iter()
        .filter(|name| before.get(*name) != now.get(*name))
        .collect();
    let words = |settings: &Settings| {
        let word = |name: &&String| match settings.get(*name) {
            // A workflow has pages.
            Some(value) => format!(
                "{name}={}",
                value.to_string().chars().take(60).collect::<String>()
            ),
            None => format!("no {name}"),
        };
        changed.iter().map(word).collect::<Vec<_>>().join(" ")
    };
    (words(before), words(now))
}

/// Writes a file that must not be there yet, in one step.
fn write_new(path: &Path, bytes: &[u8]) -> Result<()> {
    let parent = path.parent().unwrap_or(Path::new("."));
    fs_err::create_dir_all(parent)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let part = path.with_file_name(format!(".{name}.{}.part", std::process::id()));
    let mut file = fs_err::File::create(&part)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    // A link, unlike a new name, never replaces what is there.
    let linked = fs_err::hard_link(&part, path);
    fs_err::remove_file(&part)?;
    match linked {
        Ok(()) => jsonl::sync_dir(parent),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Err(Error::File {
            path: path.to_owned(),
            message: "is there already, and images are never overwritten".to_owned(),
        }),
        Err(error) => Err(error.into()),
    }
}
