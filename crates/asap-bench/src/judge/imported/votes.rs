//! Votes of people as a table.

use std::path::Path;

use asap_core::judgement::Order;
use asap_core::{Choice, Judge, PromptId, UnscoredReason, Verdict};

use super::{csv, image_row, pair_row, refused};
use crate::judge::{Runs, VerdictRow};
use crate::protocol::{Kind, Protocol};
use crate::{Result, jsonl};

/// The columns of a table of votes: what must be there, and what may be.
const IMAGE_COLUMNS: (&[&str], &[&str]) = (
    &["rater", "prompt_id", "seed", "verdict"],
    &["image_sha256", "repeat"],
);
const PAIR_COLUMNS: (&[&str], &[&str]) = (
    &["rater", "prompt_id", "seed", "order", "choice"],
    &["model_sha256", "baseline_sha256", "repeat"],
);

pub(super) fn rows(runs: Runs<'_>, path: &Path, protocol: &Protocol) -> Result<Vec<(usize, VerdictRow)>> {
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
