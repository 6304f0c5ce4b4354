//! Votes of made-up raters, to rehearse a study and its report before people are asked.
//!
//! They follow known answers as people would: better raters and worse ones, more mistakes on harder items, ties
//! where both images are alike, a lean towards the image that is shown first. They are no votes of people, and the
//! pseudonyms say so: `simulated-01`.

use std::path::Path;

use asap_core::judgement::Order;
use asap_core::{Choice, Comparison, Judge, Judgement, Outcome, Stream, Verdict};

use super::Runs;
use super::export::{VerdictRow, row_line};
use super::imported::known_rows;
use super::question::comparable;
use crate::protocol::Protocol;
use crate::{Result, jsonl};

/// Whether a judge is a made-up rater.
pub fn is_simulated(judge: &Judge) -> bool {
    matches!(judge, Judge::Human(name) if name.starts_with(PSEUDONYM))
}

/// How a study is rehearsed.
#[derive(Clone, Copy, Debug)]
pub struct Rehearsal {
    /// Raters.
    pub n_raters: usize,
    /// Votes on each item, by as many raters; no more than there are raters.
    pub votes_per_item: usize,
    /// Seed of everything that is drawn.
    pub seed: u64,
}

/// A made-up rater.
struct Rater {
    name: String,
    /// The chance of seeing an error that is there, on items of difficulty 1.
    sensitivity: f64,
    /// The chance of seeing an error that is not there.
    false_alarm: f64,
    /// The chance of taking the first image where nothing decides.
    lean_first: f64,
}

/// How the names of made-up raters begin.
const PSEUDONYM: &str = "simulated-";

/// How much of the sensitivity each level of difficulty costs.
const LOSS_PER_LEVEL: f64 = 0.1;

impl Rater {
    fn new(seed: u64, idx: usize) -> Self {
        let name = format!("{PSEUDONYM}{:02}", idx + 1);
        let mut stream = Stream::new(seed, &format!("rehearsal/rater/{idx}"));
        Self {
            name,
            sensitivity: stream.between(0.8, 0.98),
            false_alarm: stream.between(0.02, 0.12),
            lean_first: stream.between(0.45, 0.65),
        }
    }

    /// Whether the rater takes an image for wrong.
    fn sees_error(&self, is_wrong: bool, difficulty: u8, draws: &mut Stream) -> bool {
        let lost = LOSS_PER_LEVEL * f64::from(difficulty.saturating_sub(1));
        draws.chance(if is_wrong {
            self.sensitivity - lost
        } else {
            self.false_alarm
        })
    }
}

/// Writes votes of made-up raters about the images that `known` has the answers of, as JSONL that `human:FILE` reads;
/// gives their number. The same arguments give the same bytes.
///
/// # Errors
/// Those of known answers (see [`import`](super::import)) and of writing.
pub fn rehearse(
    runs: Runs<'_>,
    known: &Path,
    protocol: &Protocol,
    rehearsal: Rehearsal,
    out: &Path,
) -> Result<usize> {
    if let Some(baseline) = runs.baseline {
        comparable(runs.run, baseline)?;
    }
    let raters: Vec<Rater> = (0..rehearsal.n_raters)
        .map(|idx| Rater::new(rehearsal.seed, idx))
        .collect();
    let mut lines = Vec::new();
    for (_, row) in known_rows(runs, known, protocol)? {
        let (prompt_id, seed) = match &row {
            VerdictRow::Image(row) => (&row.sample.prompt_id, row.sample.seed),
            // A vote draws its own order; the known answer is there in both.
            VerdictRow::Pair(row) if row.order == Order::ModelFirst => (&row.prompt_id, row.seed),
            VerdictRow::Pair(_) => continue,
        };
        let model = runs.run.model();
        let mut draws = Stream::new(
            rehearsal.seed,
            &format!("rehearsal/{model}/{}/{prompt_id}/{seed}", protocol.id),
        );
        let difficulty = runs.run.prompt(prompt_id).map_or(1, |prompt| prompt.difficulty);
        for rater in chosen(&raters, rehearsal.votes_per_item, &mut draws) {
            let vote = match &row {
                VerdictRow::Image(row) => judge(rater, row, difficulty, &mut draws).map(VerdictRow::Image),
                VerdictRow::Pair(row) => compare(rater, row, difficulty, &mut draws).map(VerdictRow::Pair),
            };
            lines.extend(vote.as_ref().map(row_line));
        }
    }
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    jsonl::write_whole(out, text.as_bytes())?;
    Ok(lines.len())
}

/// The raters of one item, in random order.
fn chosen<'a>(raters: &'a [Rater], n: usize, draws: &mut Stream) -> Vec<&'a Rater> {
    let mut raters: Vec<&Rater> = raters.iter().collect();
    draws.shuffle(&mut raters);
    raters.truncate(n);
    raters
}

/// A vote on one image; `None` where there is no image.
fn judge(rater: &Rater, known: &Judgement, difficulty: u8, draws: &mut Stream) -> Option<Judgement> {
    let is_wrong = match known.verdict {
        Verdict::Pass => false,
        Verdict::Fail => true,
        Verdict::Unscored { .. } => return None,
    };
    let verdict = match rater.sees_error(is_wrong, difficulty, draws) {
        true => Verdict::Fail,
        false => Verdict::Pass,
    };
    Some(Judgement {
        judge: Judge::Human(rater.name.clone()),
        verdict,
        ..known.clone()
    })
}

/// A vote on two images, in an order of its own; `None` where an image is missing.
fn compare(rater: &Rater, known: &Comparison, difficulty: u8, draws: &mut Stream) -> Option<Comparison> {
    let order = *draws.choose(&Order::BOTH);
    // Which of both images are wrong follows from who is better; where neither is, both count as right.
    let (ours_wrong, theirs_wrong) = match known.outcome()? {
        Outcome::Win => (false, true),
        Outcome::Tie => (false, false),
        Outcome::Loss => (true, false),
    };
    let (first_wrong, second_wrong) = match order {
        Order::ModelFirst => (ours_wrong, theirs_wrong),
        Order::BaselineFirst => (theirs_wrong, ours_wrong),
    };
    let sees_first = rater.sees_error(first_wrong, difficulty, draws);
    let sees_second = rater.sees_error(second_wrong, difficulty, draws);
    let choice = match (sees_first, sees_second) {
        (false, true) => Choice::First,
        (true, false) => Choice::Second,
        // Nothing decides: half of the raters' votes are ties, the others follow their lean.
        _ if draws.chance(0.5) => Choice::Tie,
        _ if draws.chance(rater.lean_first) => Choice::First,
        _ => Choice::Second,
    };
    Some(Comparison {
        judge: Judge::Human(rater.name.clone()),
        order,
        choice,
        ..known.clone()
    })
}
