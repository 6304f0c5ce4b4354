//! What can be made of a folder of photographs.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::ingest;
use super::job::PhotoJob;
use super::parts;
use super::poses::{self, PosedImage};
use crate::{Error, Result};

/// The arguments of a build from photographs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The seed of everything that is drawn.
    pub seed: u64,
    /// How many pairs are tried for each usable hand or face.
    pub pairs_per_part: u32,
    /// Larger photographs are scaled down to this long side first.
    pub long_side_px: Option<u32>,
}

/// A file that is not used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Its name in the folder.
    pub file: String,
    /// Why, and the way out.
    pub reason: String,
}

/// What is to be built, and what is not.
#[derive(Clone, Debug)]
pub struct Plan {
    /// One job a usable photograph, by file name.
    pub jobs: Vec<PhotoJob>,
    /// The others, by file name.
    pub refused: Vec<Refusal>,
}

/// Files that lie beside photographs and are none.
const SIDE_FILES: [&str; 5] = ["json", "txt", "md", "csv", "toml"];

/// Looks through a folder: which photographs can be used, with which seeds, and why the others cannot.
///
/// `poses` is a file as [`poses`](super::poses) describes it. Headers are read, pixels are not: a
/// photograph whose pixels turn out to be broken is refused by [`build`](super::build).
///
/// # Errors
/// For a folder that cannot be read or holds no photograph, a pose file that does not parse, and settings
/// out of range.
pub fn plan(dir: &Path, poses: Option<&Path>, options: &Options) -> Result<Plan> {
    check(options)?;
    let known = match poses {
        Some(path) => poses::read(path)?,
        None => Vec::new(),
    };
    let files = photographs(dir, poses)?;
    let mut refused = Vec::new();
    let mut by_name: BTreeMap<String, std::result::Result<PosedImage, String>> = BTreeMap::new();
    for (name, entry) in known {
        match by_name.entry(name) {
            Entry::Occupied(entry) => refused.push(Refusal {
                file: entry.key().clone(),
                reason: "the pose file lists it twice; the first entry is used".to_owned(),
            }),
            Entry::Vacant(vacant) => {
                vacant.insert(entry);
            }
        }
    }
    let present: BTreeSet<&String> = files.keys().collect();
    let absent = by_name.keys().filter(|name| !present.contains(name));
    refused.extend(absent.map(|name| Refusal {
        file: name.clone(),
        reason: format!("the pose file lists it, but it is not in `{}`", dir.display()),
    }));
    let mut jobs = Vec::new();
    for (name, path) in files {
        match job(&name, path, by_name.remove(&name), options) {
            Ok(job) => jobs.push(job),
            Err(reason) => refused.push(Refusal { file: name, reason }),
        }
    }
    refused.sort_by(|a, b| a.file.cmp(&b.file));
    Ok(Plan { jobs, refused })
}

fn check(options: &Options) -> Result<()> {
    if !(1..=1000).contains(&options.pairs_per_part) {
        return Err(Error::Setting {
            name: "pairs_per_part",
            got: options.pairs_per_part.to_string(),
            expected: "1 to 1000",
        });
    }
    if let Some(side) = options
        .long_side_px
        .filter(|side| !(64..=ingest::MAX_SIDE_PX).contains(side))
    {
        return Err(Error::Setting {
            name: "long_side_px",
            got: side.to_string(),
            expected: "64 to 16384",
        });
    }
    Ok(())
}

/// The files of a folder that may be photographs, by name.
fn photographs(dir: &Path, poses: Option<&Path>) -> Result<BTreeMap<String, PathBuf>> {
    let read = |source| Error::Read {
        path: dir.to_owned(),
        source,
    };
    let pose_file = poses.and_then(|path| path.canonicalize().ok());
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(dir).map_err(read)? {
        let path = entry.map_err(read)?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let extension = path
            .extension()
            .map(|e| e.to_string_lossy().to_lowercase())
            .unwrap_or_default();
        let is_pose_file = pose_file.is_some() && path.canonicalize().ok() == pose_file;
        if path.is_dir() || name.starts_with('.') || is_pose_file || SIDE_FILES.contains(&extension.as_str())
        {
            continue;
        }
        files.insert(name, path);
    }
    if files.is_empty() {
        return Err(Error::Image {
            path: dir.to_owned(),
            reason: "the folder holds no photograph; expected PNG, JPEG, WebP or GIF files in it".to_owned(),
        });
    }
    Ok(files)
}

fn job(
    name: &str,
    path: PathBuf,
    posed: Option<std::result::Result<PosedImage, String>>,
    options: &Options,
) -> std::result::Result<PhotoJob, String> {
    let inspected = ingest::inspect(&path).map_err(|error| reason_of(&error))?;
    let posed = posed.ok_or(
        "no keypoints and no boxes are known for it; list it in the file that is given with `--poses`",
    )??;
    let (width, height) = (inspected.width, inspected.height);
    if let Some((w, h)) = posed.size.filter(|size| *size != (width, height)) {
        return Err(format!(
            "its poses are for {w}x{h} pixels, but upright it has {width}x{height}; make them anew"
        ));
    }
    let factor = options.long_side_px.map_or(1.0, |side| {
        (f64::from(side) / f64::from(width.max(height))).min(1.0)
    });
    let scaled = |side: u32| (f64::from(side) * factor).round() as u32;
    let posed = posed.scaled(factor);
    let (parts, reasons) = parts::usable(&posed, scaled(width), scaled(height));
    if parts.is_empty() {
        return Err(reasons.join("; "));
    }
    Ok(PhotoJob::new(
        name,
        path,
        &inspected.sha256,
        posed,
        parts,
        options,
    ))
}

/// The reason alone: the file stands beside it.
fn reason_of(error: &Error) -> String {
    match error {
        Error::Image { reason, .. } => reason.clone(),
        Error::Read { source, .. } => format!("it cannot be read: {source}"),
        other => other.to_string(),
    }
}
