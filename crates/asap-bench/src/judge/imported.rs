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

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use asap_core::judgement::Order;
use asap_core::{Choice, Comparison, Judge, Judgement, PromptId, Sha256, UnscoredReason, Verdict};
use serde::Deserialize;

use super::export::{VerdictRow, row_line};
use super::question::comparable;
use super::{Runs, csv, judge_slug, read_rows};
use crate::protocol::{Kind, Protocol};
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
        ImportedJudge::Known(_) => known_rows(runs, path, protocol)?,
        ImportedJudge::Human(_) if is_csv => votes_of_csv(runs, path, protocol)?,
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
    let rows: Vec<VerdictRow> = rows.into_iter().map(|(_, row)| row).collect();
    let text: String = rows.iter().map(|row| row_line(row) + "\n").collect();
    jsonl::write_whole(&place(runs, judge, protocol), text.as_bytes())?;
    Ok(rows)
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

/// A line of known answers.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Label {
    image_sha256: Sha256,
    verdict: LabelWord,
    prompt_id: Option<PromptId>,
    seed: Option<u64>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum LabelWord {
    Pass,
    Fail,
}

/// Known answers by image, with their lines.
type Labels = BTreeMap<Sha256, (usize, LabelWord)>;

fn labels(path: &Path, run: &Run) -> Result<Labels> {
    let mut labels = Labels::new();
    for (line, label) in jsonl::read_rows::<Label>(path)? {
        if let (Some(prompt_id), Some(seed)) = (&label.prompt_id, label.seed)
            && run.prompt(prompt_id).is_none()
        {
            return Err(refused(
                path,
                line,
                format!("the run has no prompt `{prompt_id}` (seed {seed})"),
            ));
        }
        match labels.insert(label.image_sha256, (line, label.verdict)) {
            Some((first, word)) if word != label.verdict => {
                let message = format!("line {first} has the other verdict on the same image");
                return Err(refused(path, line, message));
            }
            _ => {}
        }
    }
    Ok(labels)
}

fn known_rows(runs: Runs<'_>, path: &Path, protocol: &Protocol) -> Result<Vec<(usize, VerdictRow)>> {
    let labels = labels(path, runs.run)?;
    let mut rows = Vec::new();
    let mut without: Vec<String> = Vec::new();
    let seeds = runs.baseline.map(|baseline| &baseline.manifest().seeds);
    for (prompt_id, seed) in runs
        .run
        .samples()
        .filter(|(_, seed)| seeds.is_none_or(|seeds| seeds.contains(seed)))
    {
        let mut label = |run: &Run| {
            let image = run.image(prompt_id, seed)?;
            let label = labels.get(&image.sha256).copied();
            if label.is_none() {
                without.push(format!("`{}`", run.image_path(image).display()));
            }
            label
        };
        let ours = label(runs.run);
        match runs.baseline {
            None => rows.push(known_image(runs.run, protocol, prompt_id, seed, ours)),
            Some(baseline) => {
                let theirs = label(baseline);
                rows.extend(Order::BOTH.map(|order| {
                    let labels = [ours, theirs];
                    known_pair(runs.run, baseline, protocol, (prompt_id, seed, order), labels)
                }));
            }
        }
    }
    if let Some(first) = without.first() {
        let message = format!("no known answer for {first}, {} images in all", without.len());
        return Err(Error::File {
            path: path.to_owned(),
            message,
        });
    }
    Ok(rows)
}

fn known_image(
    run: &Run,
    protocol: &Protocol,
    prompt_id: &PromptId,
    seed: u64,
    label: Option<(usize, LabelWord)>,
) -> (usize, VerdictRow) {
    let verdict = match label {
        Some((_, LabelWord::Pass)) => Verdict::Pass,
        Some((_, LabelWord::Fail)) => Verdict::Fail,
        None => Verdict::Unscored {
            reason: UnscoredReason::NoImage,
        },
    };
    let row = image_row(run, protocol, Judge::Known, (prompt_id, seed, 0), verdict);
    (label.map_or(0, |(line, _)| line), VerdictRow::Image(row))
}

fn known_pair(
    run: &Run,
    baseline: &Run,
    protocol: &Protocol,
    (prompt_id, seed, order): (&PromptId, u64, Order),
    labels: [Option<(usize, LabelWord)>; 2],
) -> (usize, VerdictRow) {
    let first_is_ours = order == Order::ModelFirst;
    let choice = match labels {
        [Some((_, ours)), Some((_, theirs))] if ours == theirs => Choice::Tie,
        [Some((_, ours)), Some(_)] if (ours == LabelWord::Pass) == first_is_ours => Choice::First,
        [Some(_), Some(_)] => Choice::Second,
        _ => Choice::Unscored {
            reason: UnscoredReason::NoImage,
        },
    };
    let row = pair_row(
        [run, baseline],
        protocol,
        Judge::Known,
        (prompt_id, seed, order, 0),
        choice,
    );
    (labels[0].map_or(0, |(line, _)| line), VerdictRow::Pair(row))
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

/// The columns of a table of votes: what must be there, and what may be.
const IMAGE_COLUMNS: (&[&str], &[&str]) = (
    &["rater", "prompt_id", "seed", "verdict"],
    &["image_sha256", "repeat"],
);
const PAIR_COLUMNS: (&[&str], &[&str]) = (
    &["rater", "prompt_id", "seed", "order", "choice"],
    &["model_sha256", "baseline_sha256", "repeat"],
);

fn votes_of_csv(runs: Runs<'_>, path: &Path, protocol: &Protocol) -> Result<Vec<(usize, VerdictRow)>> {
    let text = jsonl::read_text(path)?;
    let (required, optional) = match protocol.file.kind {
        Kind::Image => IMAGE_COLUMNS,
        Kind::Pair => PAIR_COLUMNS,
    };
    let table =
        csv::parse(&text, required, optional).map_err(|(line, message)| refused(path, line, message))?;
    table
        .iter()
        .map(|row| {
            let vote = vote(runs, protocol, row).map_err(|message| refused(path, row.line(), message))?;
            Ok((row.line(), vote))
        })
        .collect()
}

fn vote(runs: Runs<'_>, protocol: &Protocol, row: &csv::Row<'_>) -> std::result::Result<VerdictRow, String> {
    let prompt_id: PromptId = row.parse("prompt_id", "a prompt's id")?;
    let seed: u64 = row.parse("seed", "a whole number")?;
    if runs.run.prompt(&prompt_id).is_none() {
        return Err(format!("the run has no prompt `{prompt_id}`"));
    }
    let repeat = row.parse_filled("repeat", "a whole number")?.unwrap_or(0);
    let judge = Judge::Human(row.get("rater").to_owned());
    let unscored = UnscoredReason::Declined;
    if let Some(baseline) = runs.baseline {
        let order = row.word(
            "order",
            &[
                ("model_first", Order::ModelFirst),
                ("baseline_first", Order::BaselineFirst),
            ],
        )?;
        let words = [
            ("first", Choice::First),
            ("second", Choice::Second),
            ("tie", Choice::Tie),
            ("declined", Choice::Unscored { reason: unscored }),
        ];
        let choice = row.word("choice", &words)?;
        let mut vote = pair_row(
            [runs.run, baseline],
            protocol,
            judge,
            (&prompt_id, seed, order, repeat),
            choice,
        );
        for (hash, column) in vote
            .images_sha256
            .iter_mut()
            .zip(["model_sha256", "baseline_sha256"])
        {
            *hash = row.parse_filled(column, "a SHA-256")?.or(*hash);
        }
        return Ok(VerdictRow::Pair(vote));
    }
    let words = [
        ("pass", Verdict::Pass),
        ("fail", Verdict::Fail),
        ("declined", Verdict::Unscored { reason: unscored }),
    ];
    let verdict = row.word("verdict", &words)?;
    let mut vote = image_row(runs.run, protocol, judge, (&prompt_id, seed, repeat), verdict);
    vote.image_sha256 = row
        .parse_filled("image_sha256", "a SHA-256")?
        .or(vote.image_sha256);
    Ok(VerdictRow::Image(vote))
}

fn refused(path: &Path, line: usize, message: String) -> Error {
    Error::Row {
        path: path.to_owned(),
        line,
        message,
    }
}
