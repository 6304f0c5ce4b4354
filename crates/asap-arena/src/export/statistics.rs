//! Votes in the words of the benchmark, so that the statistics of judges take those of people too.

use std::collections::BTreeMap;

use asap_bench::stats::agreement::Measured;
use asap_bench::stats::{Bootstrap, krippendorff};
use asap_core::{Choice, Comparison, Judge, Judgement, Order, Outcome, Sample, UnscoredReason, Verdict};

use super::replay::{Counted, Replay};
use crate::ballot::Side;
use crate::campaign::Cohort;
use crate::id::CampaignId;
use crate::vote::{Answer, ImageVerdict, PairChoice};

/// Whose votes are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Voters {
    /// Those who were invited: for a headline.
    Invited,
    /// All.
    Everyone,
}

impl Replay {
    /// RSI votes that stand, without gold items. Both good and both bad are ties; who cannot tell has declined.
    pub fn comparisons(&self, campaign: &CampaignId, voters: Voters) -> Vec<Comparison> {
        let Some(state) = self.campaigns.get(campaign) else {
            return Vec::new();
        };
        let Some(baseline) = &state.settings.baseline else {
            return Vec::new();
        };
        self.plain(campaign, voters)
            .filter_map(|counted| comparison(&counted, baseline))
            .collect()
    }

    /// AER votes that stand, without gold items. Who is not sure has declined.
    pub fn judgements(&self, campaign: &CampaignId, voters: Voters) -> Vec<Judgement> {
        self.plain(campaign, voters)
            .filter_map(|counted| judgement(&counted))
            .collect()
    }

    /// Krippendorff's alpha among the raters, over items; answers without a side are left out.
    ///
    /// # Errors
    /// [`asap_bench::stats::Error::TooFew`] where no item has two votes.
    pub fn agreement(
        &self,
        campaign: &CampaignId,
        voters: Voters,
        bootstrap: &Bootstrap,
    ) -> asap_bench::stats::Result<Measured> {
        let mut items: BTreeMap<_, Vec<usize>> = BTreeMap::new();
        for counted in self.plain(campaign, voters) {
            if let Some(class) = class(&counted) {
                items
                    .entry((counted.item_id, counted.round))
                    .or_default()
                    .push(class);
            }
        }
        let items: Vec<Vec<usize>> = items.into_values().collect();
        krippendorff::alpha(&items, N_CLASSES, bootstrap)
    }

    fn plain<'a>(&'a self, campaign: &'a CampaignId, voters: Voters) -> impl Iterator<Item = Counted<'a>> {
        self.counted(campaign).filter(move |counted| {
            let cohort = self.raters.get(counted.rater).map(|rater| rater.cohort);
            counted.item.gold.is_none() && (voters == Voters::Everyone || cohort == Some(Cohort::Invite))
        })
    }
}

/// Win, tie, loss; single images use two of them.
const N_CLASSES: usize = 3;

fn class(counted: &Counted<'_>) -> Option<usize> {
    if let Some(judgement) = judgement(counted) {
        return match judgement.verdict {
            Verdict::Pass => Some(0),
            Verdict::Fail => Some(1),
            Verdict::Unscored { .. } => None,
        };
    }
    comparison(counted, "")?.outcome().map(|outcome| match outcome {
        Outcome::Win => 0,
        Outcome::Tie => 1,
        Outcome::Loss => 2,
    })
}

fn comparison(counted: &Counted<'_>, baseline: &str) -> Option<Comparison> {
    let Answer::Rsi(choice) = &counted.vote.answer else {
        return None;
    };
    let [model_image, baseline_image] = counted.item.images[..] else {
        return None;
    };
    Some(Comparison {
        protocol: "rsi.v1".to_owned(),
        judge: Judge::Human(counted.rater.as_str().to_owned()),
        model: counted.item.model.clone(),
        baseline: baseline.to_owned(),
        prompt_id: counted.item.prompt_id.clone(),
        seed: counted.item.seed,
        topic: counted.item.topic.clone(),
        images_sha256: [Some(model_image), Some(baseline_image)],
        order: match counted.side {
            Side::Left => Order::ModelFirst,
            Side::Right => Order::BaselineFirst,
        },
        repeat: counted.round,
        choice: match choice {
            PairChoice::Left => Choice::First,
            PairChoice::Right => Choice::Second,
            PairChoice::BothGood | PairChoice::BothBad => Choice::Tie,
            PairChoice::CantTell => Choice::Unscored {
                reason: UnscoredReason::Declined,
            },
        },
    })
}

fn judgement(counted: &Counted<'_>) -> Option<Judgement> {
    let Answer::Aer(answer) = &counted.vote.answer else {
        return None;
    };
    Some(Judgement {
        protocol: "aer.v1".to_owned(),
        judge: Judge::Human(counted.rater.as_str().to_owned()),
        sample: Sample {
            model: counted.item.model.clone(),
            prompt_id: counted.item.prompt_id.clone(),
            seed: counted.item.seed,
        },
        topic: counted.item.topic.clone(),
        image_sha256: counted.item.images.first().copied(),
        repeat: counted.round,
        verdict: match answer.verdict {
            ImageVerdict::Pass => Verdict::Pass,
            ImageVerdict::Fail => Verdict::Fail,
            ImageVerdict::Unsure => Verdict::Unscored {
                reason: UnscoredReason::Declined,
            },
        },
    })
}
