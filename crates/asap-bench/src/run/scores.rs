//! Values of learned scorers on the images of a run: `scores/SCORER.jsonl`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use asap_core::{PromptId, Sha256};
use serde::{Deserialize, Serialize};

use super::Run;
use crate::jsonl::{self, Journal, TornLine};
use crate::{Error, Result};

/// What a scorer says of one image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScoreRow {
    /// The prompt.
    pub prompt_id: PromptId,
    /// The seed.
    pub seed: u64,
    /// The bytes that were scored.
    pub image_sha256: Sha256,
    /// `pickscore`, `hpsv2.1`, `imagereward`, `aesthetic`, `hpsv3`.
    pub scorer: String,
    /// How the image was prepared, with version.
    pub profile: String,
    /// What the value's unit is: `logit`, `cosine`, `reward`.
    pub scale: String,
    /// The number type that was computed in: `f32`, `bf16`.
    pub dtype: String,
    /// The weights.
    pub weights_sha256: Sha256,
    /// The value.
    pub value: f64,
    /// Its standard deviation, of scorers that give one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sigma: Option<f64>,
    /// Whether the prompt was cut to the scorer's limit of tokens.
    pub is_truncated: bool,
}

/// A scorer's log that is open for appending. Each row is on the disk before [`ScoreLog::append`] returns.
#[derive(Debug)]
pub struct ScoreLog {
    journal: Journal,
    done: BTreeMap<Key, f64>,
    torn: Option<TornLine>,
}

/// What makes two values comparable.
type Key = (PromptId, u64, Sha256, String, String, Sha256);

impl ScoreLog {
    /// Opens or makes the log of a scorer.
    ///
    /// # Errors
    /// [`Error::Row`] for a line that is no row, [`Error::Locked`] while another process writes it.
    pub fn open(run: &Run, scorer: &str) -> Result<Self> {
        let path = path(run, scorer);
        fs_err::create_dir_all(run.dir().join("scores"))?;
        let (journal, rows, torn) = Journal::open::<ScoreRow>(&path)?;
        let done = rows.into_iter().map(|(_, row)| (key(&row), row.value)).collect();
        Ok(Self { journal, done, torn })
    }

    /// The last line, where it was torn and cut off.
    pub fn torn(&self) -> Option<&TornLine> {
        self.torn.as_ref()
    }

    /// Whether this very image was scored with these weights, this profile and this number type.
    pub fn has(&self, row: &ScoreRow) -> bool {
        self.done.contains_key(&key(row))
    }

    /// Appends a row.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::File`] for a value that is not finite, which JSON cannot hold.
    pub fn append(&mut self, row: &ScoreRow) -> Result<()> {
        if !row.value.is_finite() {
            return Err(Error::File {
                path: PathBuf::from(&row.scorer),
                message: format!(
                    "`{}` seed {}: the score is {}",
                    row.prompt_id, row.seed, row.value
                ),
            });
        }
        self.journal.append(row)?;
        self.done.insert(key(row), row.value);
        Ok(())
    }
}

/// The scores of a run that belong to the images as they are now, by scorer, prompt and seed. A later row replaces an earlier one of the same image, weights, profile and number type.
///
/// # Errors
/// [`Error::Row`] for a line that is no row.
pub fn read_scores(run: &Run) -> Result<Vec<ScoreRow>> {
    let dir = run.dir().join("scores");
    let mut rows: BTreeMap<(String, Key), ScoreRow> = BTreeMap::new();
    for path in logs(&dir)? {
        let (found, _) = jsonl::read_log::<ScoreRow>(&path)?;
        for (_, row) in found {
            let image = run.image(&row.prompt_id, row.seed);
            if image.is_some_and(|image| image.sha256 == row.image_sha256) {
                rows.insert((row.scorer.clone(), key(&row)), row);
            }
        }
    }
    Ok(rows.into_values().collect())
}

/// The `.jsonl` files of a folder, by name; none where there is no folder.
pub(crate) fn logs(dir: &Path) -> Result<Vec<PathBuf>> {
    if !dir.is_dir() {
        return Ok(Vec::new());
    }
    let mut paths = Vec::new();
    for item in fs_err::read_dir(dir)? {
        paths.push(item?.path());
    }
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
    paths.sort();
    Ok(paths)
}

fn path(run: &Run, scorer: &str) -> PathBuf {
    run.dir().join("scores").join(format!("{scorer}.jsonl"))
}

fn key(row: &ScoreRow) -> Key {
    (
        row.prompt_id.clone(),
        row.seed,
        row.image_sha256,
        row.profile.clone(),
        row.dtype.clone(),
        row.weights_sha256,
    )
}
