//! What a rater's answers on items with a known answer say about the rater.

use asap_bench::stats::gold::{ChoiceAnswer, DetectionAnswer, GoldChoice};
use asap_bench::stats::sequential::{Decision, Sprt};
use serde::{Deserialize, Serialize};
use sqlx::Row as _;

use crate::db::Database;
use crate::error::{Doing as _, Error, Result};
use crate::id::{CampaignId, RaterId};
use crate::item::{self, Gold, Known};
use crate::vote::Mark;

/// The grade that shows attention: an error that nobody who looks can miss. Harder ones measure skill.
const ATTENTION_GRADE: u8 = 1;
/// An attentive rater is right with .92, one who clicks at random with .5; an attentive one is flagged once in a hundred,
/// a clicker passes once in twenty.
const TEST: Sprt = Sprt {
    p_attentive: 0.92,
    p_careless: 0.5,
    alpha: 0.01,
    beta: 0.05,
};

/// How a rater stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Attention {
    /// Looks at the images.
    Clear,
    /// Not known yet.
    Undecided,
    /// Answers as if at random. Whether their votes count is for a person to say.
    Flagged,
}

/// One answer on a gold item.
#[derive(Clone, Debug, PartialEq, Eq)]
struct GoldAnswer {
    rater: String,
    gold: Gold,
    mark: Mark,
}

/// How each rater of a campaign stands, by id, with the number of attention items that tells it.
///
/// # Errors
/// [`Error::Database`], [`Error::Broken`].
pub async fn attention(db: &Database, campaign: &CampaignId) -> Result<Vec<(RaterId, Attention, u32)>> {
    let raters: Vec<String> = sqlx::query_scalar("SELECT id FROM raters WHERE campaign = $1 ORDER BY id")
        .bind(campaign.as_str())
        .fetch_all(db.pool())
        .await
        .doing("list the raters")?;
    let answers = answers(db, campaign).await?;
    let state = |rater: String| {
        let marks: Vec<bool> = answers
            .iter()
            .filter(|answer| answer.rater == rater && answer.gold.grade <= ATTENTION_GRADE)
            .map(|answer| answer.mark == Mark::Right)
            .collect();
        let n_marks = u32::try_from(marks.len()).unwrap_or(u32::MAX);
        (RaterId::of(&rater), follow(&marks), n_marks)
    };
    Ok(raters.into_iter().map(state).collect())
}

/// Tests until the rater is flagged. A rater who was cleared is tested again from the next answer on: one who stops
/// looking is found, at the price of another chance in a hundred for each new test of an attentive one.
fn follow(marks: &[bool]) -> Attention {
    let (mut state, mut rest) = (Attention::Undecided, marks);
    loop {
        match TEST.run(rest) {
            Decision::Careless { .. } => return Attention::Flagged,
            Decision::Undecided => return state,
            Decision::Attentive { after } => {
                state = Attention::Clear;
                rest = &rest[after..];
            }
        }
    }
}

/// Answers on pairs with a known answer, for [`asap_bench::stats::gold::choice_skills`].
///
/// # Errors
/// [`Error::Database`], [`Error::Broken`].
pub async fn choice_answers(db: &Database, campaign: &CampaignId) -> Result<Vec<ChoiceAnswer>> {
    let choice = |answer: GoldAnswer| {
        matches!(answer.gold.known, Known::FirstBetter | Known::SecondBetter).then_some(ChoiceAnswer {
            rater: answer.rater,
            grade: answer.gold.grade,
            choice: match answer.mark {
                Mark::Right => GoldChoice::Better,
                Mark::Neither => GoldChoice::Tie,
                Mark::Wrong => GoldChoice::Worse,
            },
        })
    };
    Ok(answers(db, campaign)
        .await?
        .into_iter()
        .filter_map(choice)
        .collect())
}

/// Answers on images with a known answer, for [`asap_bench::stats::gold::detection_skills`]. Who was not sure did not
/// answer.
///
/// # Errors
/// [`Error::Database`], [`Error::Broken`].
pub async fn detection_answers(db: &Database, campaign: &CampaignId) -> Result<Vec<DetectionAnswer>> {
    let detection = |answer: GoldAnswer| {
        let has_error = match answer.gold.known {
            Known::Pass => false,
            Known::Fail => true,
            Known::FirstBetter | Known::SecondBetter => return None,
        };
        (answer.mark != Mark::Neither).then_some(DetectionAnswer {
            rater: answer.rater,
            grade: answer.gold.grade,
            has_error,
            said_error: has_error == (answer.mark == Mark::Right),
        })
    };
    Ok(answers(db, campaign)
        .await?
        .into_iter()
        .filter_map(detection)
        .collect())
}

/// First answers on gold items, oldest first: a correction may follow what others said.
async fn answers(db: &Database, campaign: &CampaignId) -> Result<Vec<GoldAnswer>> {
    let rows = sqlx::query(
        "SELECT v.rater, v.gold, i.spec FROM votes v JOIN items i ON i.id = v.item \
         WHERE v.campaign = $1 AND v.gold <> '' AND v.revision = 0 ORDER BY v.at_ms, v.ballot",
    )
    .bind(campaign.as_str())
    .fetch_all(db.pool())
    .await
    .doing("list the answers on gold items")?;
    let answer = |row: &sqlx::any::AnyRow| {
        let text = |column| {
            row.try_get::<String, _>(column)
                .doing("read an answer on a gold item")
        };
        let mark = match text("gold")?.as_str() {
            "right" => Mark::Right,
            "neither" => Mark::Neither,
            "wrong" => Mark::Wrong,
            other => return Err(broken(other)),
        };
        let Some(gold) = item::parse(&text("spec")?)?.gold else {
            return Err(broken("an item without a known answer"));
        };
        Ok(GoldAnswer {
            rater: text("rater")?,
            gold,
            mark,
        })
    };
    rows.iter().map(answer).collect()
}

fn broken(got: &str) -> Error {
    Error::Broken {
        what: "mark of a gold item",
        got: got.to_owned(),
        expected: "`right`, `neither` or `wrong`",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_stops_looking_is_found_after_being_cleared() {
        assert_eq!(follow(&[]), Attention::Undecided);
        assert_eq!(follow(&[true; 5]), Attention::Clear);
        assert_eq!(follow(&[false; 3]), Attention::Flagged);
        let mut marks = vec![true; 40];
        assert_eq!(follow(&marks), Attention::Clear);
        marks.extend([false; 3]);
        assert_eq!(follow(&marks), Attention::Flagged);
        marks.extend([true; 40]);
        assert_eq!(follow(&marks), Attention::Flagged);
    }
}
