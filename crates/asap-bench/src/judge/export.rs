//! Verdicts as JSONL: a line is a [`Judgement`] or a [`Comparison`], with hashes and without images.

use std::path::{Path, PathBuf};

use asap_core::{Comparison, Judgement};

use super::{Verdicts, verdicts};
use crate::run::Run;
use crate::{Error, Result, jsonl};

/// A line of a file of verdicts.
#[derive(Clone, Debug, PartialEq)]
pub enum VerdictRow {
    /// About one image.
    Image(Judgement),
    /// About two.
    Pair(Comparison),
}

impl VerdictRow {
    /// What may occur once: protocol, judge, sample, order and repeat.
    pub(super) fn identity(&self) -> String {
        match self {
            Self::Image(row) => format!("{} {:?} {:?} {}", row.protocol, row.judge, row.sample, row.repeat),
            Self::Pair(row) => format!(
                "{} {:?} {} {} {} {} {:?} {}",
                row.protocol,
                row.judge,
                row.model,
                row.baseline,
                row.prompt_id,
                row.seed,
                row.order,
                row.repeat
            ),
        }
    }
}

/// Reads a file of verdicts with the number of each line.
///
/// # Errors
/// [`Error::Row`] for a line that is neither a judgement nor a comparison.
pub fn read_rows(path: &Path) -> Result<Vec<(usize, VerdictRow)>> {
    let rows: Vec<(usize, serde_json::Value)> = jsonl::read_rows(path)?;
    rows.into_iter()
        .map(|(line, value)| {
            let row = row_of(value).map_err(|message| Error::Row {
                path: path.to_owned(),
                line,
                message,
            })?;
            Ok((line, row))
        })
        .collect()
}

fn row_of(value: serde_json::Value) -> std::result::Result<VerdictRow, String> {
    let has = |name| value.get(name).is_some();
    match (has("verdict"), has("choice")) {
        (true, false) => serde_json::from_value(value).map(VerdictRow::Image),
        (false, true) => serde_json::from_value(value).map(VerdictRow::Pair),
        _ => return Err("expected a judgement with `verdict` or a comparison with `choice`".to_owned()),
    }
    .map_err(|error| error.to_string())
}

/// One line of a file of verdicts, without the line break.
pub fn row_line(row: &VerdictRow) -> String {
    match row {
        VerdictRow::Image(row) => serde_json::to_string(row),
        VerdictRow::Pair(row) => serde_json::to_string(row),
    }
    .expect("strings, numbers and hashes are always JSON")
}

/// Writes `judgements.jsonl` of a run: every verdict of every judge, sorted, so that anybody can compute the scores
/// again. The same verdicts give the same bytes.
///
/// # Errors
/// Those of [`verdicts`].
pub fn export(run: &Run) -> Result<(PathBuf, Verdicts)> {
    let verdicts = verdicts(run)?;
    let images = verdicts.judgements().into_iter().map(VerdictRow::Image);
    let pairs = verdicts.comparisons().into_iter().map(VerdictRow::Pair);
    let mut text = String::new();
    for row in images.chain(pairs) {
        text.push_str(&row_line(&row));
        text.push('\n');
    }
    let path = run.dir().join("judgements.jsonl");
    jsonl::write_whole(&path, text.as_bytes())?;
    Ok((path, verdicts))
}
