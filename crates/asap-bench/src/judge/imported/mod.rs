//! Verdicts that no model gives: known answers (`known:FILE`) and votes of people (`human:FILE`).
//!
//! Known answers are JSONL, one image a line: `{"image_sha256": "...", "verdict": "pass"}`, with `prompt_id` and `seed`
//! where one likes. Of two images the one that passes is better; two alike are a tie.
//!
//! Votes are JSONL of [`asap_core::Judgement`] or [`asap_core::Comparison`] with a judge `{"human": "PSEUDONYM"}`, or
//! CSV with a head line:
//!
//! ```text
//! rater,prompt_id,seed,verdict,image_sha256,repeat              verdict: pass, fail, declined
//! rater,prompt_id,seed,order,choice,model_sha256,baseline_sha256,repeat
//!                               order: model_first, baseline_first; choice: first, second, tie, declined
//! ```
//!
//! Hashes and `repeat` may be left out; a hash that is there must be that of the run.

mod csv;
mod known;
mod votes;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use asap_core::judgement::Order;
use asap_core::{Choice, Comparison, Judge, Judgement, PromptId, Sha256, Verdict};

pub(super) use known::rows as known_rows;

use super::export::{VerdictRow, row_line};
use super::question::comparable;
use super::{Runs, judge_slug, read_rows};
use crate::protocol::Protocol;
use crate::run::Run;
use crate::{Error, Result, jsonl};

/// Where verdicts come from that no model gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImportedJudge {
    /// The answers are known by construction.
    Known(PathBuf),
    /// People voted.
    Human(PathBuf),
}

impl ImportedJudge {
    /// `known:FILE` or `human:FILE`; `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, file) = text.split_once(':')?;
        match kind {
            "known" => Some(Self::Known(file.into())),
            "human" => Some(Self::Human(file.into())),
            _ => None,
        }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        match self {
            Self::Known(path) | Self::Human(path) => path,
        }
    }
}

/// Reads verdicts, checks each against the run, and writes them into `verdicts/` of the run, in place of those that
/// an earlier import of a file of the same name wrote. Gives the rows.
///
/// # Errors
/// [`Error::Row`] with the line of a prompt, seed, model or protocol that is not the run's, of a hash that is not the
/// image's, and of a verdict that is there twice; [`Error::File`] where known answers lack an image of the run.
pub fn import(runs: Runs<'_>, judge: &ImportedJudge, protocol: &Protocol) -> Result<Vec<VerdictRow>> {
    if let Some(baseline) = runs.baseline {
        comparable(runs.run, baseline)?;
    }
    let path = judge.path();
    let is_csv = path
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
    let rows = match judge {
        ImportedJudge::Known(_) => known::rows(runs, path, protocol)?,
        ImportedJudge::Human(_) if is_csv => votes::rows(runs, path, protocol)?,
        ImportedJudge::Human(_) => read_rows(path)?,
    };
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for (line, row) in &rows {
        let refused = |message: String| refused(path, *line, message);
        check(runs, judge, protocol, row).map_err(refused)?;
        if let Some(first) = seen.insert(row.identity(), *line).filter(|first| first != line) {
            return Err(refused(format!(
                "the same judge's verdict on the same sample is in line {first} already"
            )));
        }
    }
    let rows: Vec<VerdictRow> = rows.into_iter().map(|(_, row)| completed(runs, row)).collect();
    let text: String = rows.iter().map(|row| row_line(row) + "\n").collect();
    let place = place(runs, judge, protocol);
    check_replaced(&place, &seen)?;
    jsonl::write_whole(&place, text.as_bytes())?;
    Ok(rows)
}

/// Refuses to replace an earlier import whose verdicts the new one lacks: files of one name may have other raters.
fn check_replaced(place: &Path, seen: &BTreeMap<String, usize>) -> Result<()> {
    if !place.is_file() {
        return Ok(());
    }
    let earlier = read_rows(place)?;
    let n_lost = earlier
        .iter()
        .filter(|(_, row)| !seen.contains_key(&row.identity()))
        .count();
    if n_lost == 0 {
        return Ok(());
    }
    Err(Error::File {
        path: place.to_owned(),
        message: format!(
            "has {n_lost} verdicts of an earlier file of this name that the new one lacks; \
             give the new file another name, or remove the old verdicts"
        ),
    })
}

/// The row with what the run knows better: its place in the taxonomy, and the bytes where the row does not say.
fn completed(runs: Runs<'_>, mut row: VerdictRow) -> VerdictRow {
    let listed = |run: &Run, prompt_id: &PromptId, seed| run.listed_sha256(prompt_id, seed);
    match &mut row {
        VerdictRow::Image(row) => {
            let (prompt_id, seed) = (&row.sample.prompt_id, row.sample.seed);
            row.image_sha256 = row.image_sha256.or(listed(runs.run, prompt_id, seed));
            row.topic = runs.run.topic(prompt_id).unwrap_or(row.topic.clone());
        }
        VerdictRow::Pair(row) => {
            let theirs = runs
                .baseline
                .and_then(|baseline| listed(baseline, &row.prompt_id, row.seed));
            let ours = listed(runs.run, &row.prompt_id, row.seed);
            row.images_sha256 = [row.images_sha256[0].or(ours), row.images_sha256[1].or(theirs)];
            row.topic = runs.run.topic(&row.prompt_id).unwrap_or(row.topic.clone());
        }
    }
    row
}

/// The file in the run: one for each source, protocol and baseline.
fn place(runs: Runs<'_>, judge: &ImportedJudge, protocol: &Protocol) -> PathBuf {
    let kind = match judge {
        ImportedJudge::Known(_) => "known",
        ImportedJudge::Human(_) => "human",
    };
    let stem = judge.path().file_stem().unwrap_or_default().to_string_lossy();
    let against = runs
        .baseline
        .map_or(String::new(), |baseline| format!(" against {}", baseline.model()));
    let name = judge_slug(&format!("{kind} {stem} {}{against}", protocol.id));
    runs.run.dir().join("verdicts").join(format!("{name}.jsonl"))
}

fn check(
    runs: Runs<'_>,
    judge: &ImportedJudge,
    protocol: &Protocol,
    row: &VerdictRow,
) -> std::result::Result<(), String> {
    let (row_protocol, who) = match row {
        VerdictRow::Image(row) => (&row.protocol, &row.judge),
        VerdictRow::Pair(row) => (&row.protocol, &row.judge),
    };
    if *row_protocol != protocol.id {
        return Err(format!(
            "expected a verdict under `{}`, got `{row_protocol}`",
            protocol.id
        ));
    }
    match (judge, who) {
        (ImportedJudge::Human(_), Judge::Human(name)) if !name.trim().is_empty() => {}
        (ImportedJudge::Known(_), Judge::Known) => {}
        _ => {
            return Err(format!(
                "expected a judge `{{\"human\": \"PSEUDONYM\"}}`, got {who:?}"
            ));
        }
    }
    match (row, runs.baseline) {
        (VerdictRow::Image(row), None) => {
            check_model(runs.run, &row.sample.model)?;
            check_image(runs.run, &row.sample.prompt_id, row.sample.seed, row.image_sha256)
        }
        (VerdictRow::Pair(row), Some(baseline)) => {
            check_model(runs.run, &row.model)?;
            check_model(baseline, &row.baseline)?;
            check_image(runs.run, &row.prompt_id, row.seed, row.images_sha256[0])?;
            check_image(baseline, &row.prompt_id, row.seed, row.images_sha256[1])
        }
        (VerdictRow::Image(_), Some(_)) => {
            Err("expected a comparison, got a judgement of one image".to_owned())
        }
        (VerdictRow::Pair(_), None) => Err("expected a judgement of one image, got a comparison".to_owned()),
    }
}

fn check_model(run: &Run, model: &str) -> std::result::Result<(), String> {
    if run.model() == model {
        return Ok(());
    }
    Err(format!(
        "expected the model `{}` of `{}`, got `{model}`",
        run.model(),
        run.dir().display()
    ))
}

/// A sample of the run, with the hash of the run where the row has one.
fn check_image(
    run: &Run,
    prompt_id: &PromptId,
    seed: u64,
    sha256: Option<Sha256>,
) -> std::result::Result<(), String> {
    if run.prompt(prompt_id).is_none() {
        return Err(format!("the run has no prompt `{prompt_id}`"));
    }
    if !run.manifest().seeds.contains(&seed) {
        return Err(format!(
            "expected one of the seeds {:?}, got {seed}",
            run.manifest().seeds
        ));
    }
    let listed = run.listed_sha256(prompt_id, seed);
    match (sha256, listed) {
        (Some(got), Some(listed)) if got != listed => Err(format!(
            "expected the image of `{prompt_id}` seed {seed} with SHA-256 {}, got {}",
            listed.short(),
            got.short()
        )),
        (Some(got), None) => Err(format!(
            "the run has no image of `{prompt_id}` seed {seed}, got SHA-256 {}",
            got.short()
        )),
        _ => Ok(()),
    }
}

fn image_row(
    run: &Run,
    protocol: &Protocol,
    judge: Judge,
    (prompt_id, seed, repeat): (&PromptId, u64, u32),
    verdict: Verdict,
) -> Judgement {
    Judgement {
        protocol: protocol.id.clone(),
        judge,
        sample: run.sample(prompt_id, seed),
        topic: run.topic(prompt_id).expect("the prompt was looked up before"),
        image_sha256: run.image(prompt_id, seed).map(|image| image.sha256),
        repeat,
        verdict,
    }
}

fn pair_row(
    [run, baseline]: [&Run; 2],
    protocol: &Protocol,
    judge: Judge,
    (prompt_id, seed, order, repeat): (&PromptId, u64, Order, u32),
    choice: Choice,
) -> Comparison {
    Comparison {
        protocol: protocol.id.clone(),
        judge,
        model: run.model().to_owned(),
        baseline: baseline.model().to_owned(),
        prompt_id: prompt_id.clone(),
        seed,
        topic: run.topic(prompt_id).expect("the prompt was looked up before"),
        images_sha256: [run, baseline].map(|run| run.image(prompt_id, seed).map(|image| image.sha256)),
        order,
        repeat,
        choice,
    }
}

fn refused(path: &Path, line: usize, message: String) -> Error {
    Error::Row {
        path: path.to_owned(),
        line,
        message,
    }
}
