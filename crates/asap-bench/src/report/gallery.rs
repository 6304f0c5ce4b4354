//! Which images a report shows: where judge and people disagree, and each model's worst and best.

use std::collections::{BTreeMap, BTreeSet};

use asap_core::{Comparison, Judgement, Outcome, PromptId, Sha256, Verdict};
use serde::{Deserialize, Serialize};

use super::config::{Options, Who};
use super::log::Log;
use crate::Result;
use crate::stats::human::{SplitRule, majority};
use crate::stats::position::items;

/// The most images in one row of a gallery.
const MOST_IMAGES: usize = 8;
/// The most disagreements that are shown; all of them are counted.
const MOST_DISAGREEMENTS: usize = 12;

/// An image by its names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Picture {
    /// The model.
    pub model: String,
    /// The prompt.
    pub prompt_id: PromptId,
    /// The seed.
    pub seed: u64,
    /// The bytes that were judged.
    pub sha256: Sha256,
}

/// An image with what was said of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shown {
    /// The image.
    pub picture: Picture,
    /// What was said, in a few words.
    pub caption: String,
}

/// Two images about which judge and people disagree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ShownPair {
    /// The model's and the baseline's image.
    pub pictures: [Picture; 2],
    /// What was said, in a few words.
    pub caption: String,
}

/// Everything that is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Gallery {
    /// Images on which judge and majority disagree.
    pub disputed_images: Vec<Shown>,
    /// How many there are, shown or not.
    pub n_disputed_images: usize,
    /// Pairs on which judge and majority disagree.
    pub disputed_pairs: Vec<ShownPair>,
    /// How many there are, shown or not.
    pub n_disputed_pairs: usize,
    /// By model, in the order of the tables.
    pub models: Vec<ModelGallery>,
}

/// The ends of one model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ModelGallery {
    /// The model.
    pub model: String,
    /// Failed, the clearest first.
    pub worst: Vec<Shown>,
    /// Passed, the clearest first.
    pub best: Vec<Shown>,
}

/// What was said of one image, counted.
#[derive(Default)]
struct Tally {
    sha256: Option<Sha256>,
    judge: [u64; 2],
    people: Vec<usize>,
    wins: u64,
    losses: u64,
}

/// Chooses the images. Equals are put in the order of their hashes, so no prompt is favoured by its name.
pub(super) fn gallery(log: &Log, models: &[String], options: &Options) -> Result<Gallery> {
    let tallies = tallies(log, options);
    let mut gallery = Gallery::default();
    for model in models {
        gallery.models.push(ends_of(model, &tallies));
    }
    let mut disputed: Vec<Shown> = tallies.iter().filter_map(disputed_image).collect();
    disputed.sort_by_key(|shown| shown.picture.sha256);
    gallery.n_disputed_images = disputed.len();
    disputed.truncate(MOST_DISAGREEMENTS);
    gallery.disputed_images = disputed;
    let mut pairs = disputed_pairs(log, models, options)?;
    pairs.sort_by_key(|shown| shown.pictures[0].sha256);
    gallery.n_disputed_pairs = pairs.len();
    pairs.truncate(MOST_DISAGREEMENTS);
    gallery.disputed_pairs = pairs;
    Ok(gallery)
}

impl Gallery {
    /// Every picture that is shown, each once.
    pub(super) fn pictures(&self) -> BTreeSet<&Picture> {
        let ends = self
            .models
            .iter()
            .flat_map(|model| model.worst.iter().chain(&model.best));
        let single = self
            .disputed_images
            .iter()
            .chain(ends)
            .map(|shown| &shown.picture);
        single
            .chain(self.disputed_pairs.iter().flat_map(|shown| &shown.pictures))
            .collect()
    }
}

type Key = (String, PromptId, u64);

fn tallies(log: &Log, options: &Options) -> BTreeMap<Key, Tally> {
    let mut tallies: BTreeMap<Key, Tally> = BTreeMap::new();
    let of_protocol = |row: &&Judgement| Some(&row.protocol) == options.aer_protocol.as_ref();
    for row in log.judgements.iter().filter(of_protocol) {
        let class = match row.verdict {
            Verdict::Pass => 0,
            Verdict::Fail => 1,
            Verdict::Unscored { .. } => continue,
        };
        let key = (
            row.sample.model.clone(),
            row.sample.prompt_id.clone(),
            row.sample.seed,
        );
        let tally = tallies.entry(key).or_default();
        tally.sha256 = tally.sha256.or(row.image_sha256);
        if options.judge.is(&row.judge) {
            tally.judge[class] += 1;
        } else if Who::People.is(&row.judge) {
            tally.people.push(class);
        }
    }
    for row in judged_pairs(log, options) {
        let key = (row.model.clone(), row.prompt_id.clone(), row.seed);
        if let (Some(tally), Some(outcome)) = (tallies.get_mut(&key), row.outcome()) {
            tally.wins += u64::from(outcome == Outcome::Win);
            tally.losses += u64::from(outcome == Outcome::Loss);
        }
    }
    tallies
}

fn judged_pairs<'a>(log: &'a Log, options: &'a Options) -> impl Iterator<Item = &'a Comparison> {
    log.comparisons.iter().filter(|row| {
        options.judge.is(&row.judge)
            && Some(&row.protocol) == options.rsi_protocol.as_ref()
            && Some(&row.baseline) == options.baseline.as_ref()
    })
}

fn ends_of(model: &str, tallies: &BTreeMap<Key, Tally>) -> ModelGallery {
    let of_model = || tallies.iter().filter(|(key, _)| key.0 == model);
    let pick = |class: usize| {
        let mut found: Vec<(&Key, &Tally)> = of_model()
            .filter(|(_, tally)| {
                tally.judge[class] > 0 && tally.judge[1 - class] == 0 && tally.sha256.is_some()
            })
            .collect();
        found.sort_by_key(|(_, tally)| {
            let people = tally.people.iter().filter(|said| **said == class).count();
            let against = tally.people.len() - people;
            let lost = if class == 1 { tally.losses } else { tally.wins };
            let rank = against as i64 - people as i64;
            (rank, -(lost as i64), -(tally.judge[class] as i64), tally.sha256)
        });
        found.truncate(MOST_IMAGES);
        found
            .into_iter()
            .filter_map(|(key, tally)| shown(key, tally))
            .collect()
    };
    ModelGallery {
        model: model.to_owned(),
        worst: pick(1),
        best: pick(0),
    }
}

fn shown(key: &Key, tally: &Tally) -> Option<Shown> {
    let mut words = vec![match tally.judge {
        [0, 0] => "not judged".to_owned(),
        [_, 0] => "judge: pass".to_owned(),
        [0, _] => "judge: fail".to_owned(),
        [pass, fail] => format!("judge: {fail} of {} fail", pass + fail),
    }];
    if !tally.people.is_empty() {
        let fails = tally.people.iter().filter(|class| **class == 1).count();
        words.push(format!("people: {fails} of {} fail", tally.people.len()));
    }
    if tally.wins + tally.losses > 0 {
        words.push(format!("{} won, {} lost", tally.wins, tally.losses));
    }
    Some(Shown {
        picture: Picture {
            model: key.0.clone(),
            prompt_id: key.1.clone(),
            seed: key.2,
            sha256: tally.sha256?,
        },
        caption: words.join(" · "),
    })
}

fn disputed_image((key, tally): (&Key, &Tally)) -> Option<Shown> {
    let judge = match tally.judge {
        [_, 0] => 0,
        [0, _] => 1,
        _ => return None,
    };
    let people = majority(&tally.people, 2, SplitRule::Drop)?;
    if tally.judge == [0, 0] || judge == people {
        return None;
    }
    shown(key, tally)
}

fn disputed_pairs(log: &Log, models: &[String], options: &Options) -> Result<Vec<ShownPair>> {
    if options.judge == Who::People {
        return Ok(Vec::new());
    }
    let mut disputed = Vec::new();
    for model in models {
        let of_model = |row: &Comparison| {
            row.model == *model
                && Some(&row.protocol) == options.rsi_protocol.as_ref()
                && Some(&row.baseline) == options.baseline.as_ref()
        };
        let part = |is_wanted: &dyn Fn(&Comparison) -> bool| -> Vec<Comparison> {
            log.comparisons
                .iter()
                .filter(|row| of_model(row) && is_wanted(row))
                .cloned()
                .collect()
        };
        let judge = part(&|row| options.judge.is(&row.judge));
        let people = part(&|row| Who::People.is(&row.judge));
        if !judge.is_empty() && !people.is_empty() {
            disputed.extend(disputed_of(&judge, &people)?);
        }
    }
    Ok(disputed)
}

fn disputed_of(judge: &[Comparison], people: &[Comparison]) -> Result<Vec<ShownPair>> {
    let mut votes: BTreeMap<(&PromptId, u64), Vec<usize>> = BTreeMap::new();
    for item in items(people)? {
        if let Some(outcome) = item.outcome() {
            votes
                .entry((item.prompt_id, item.seed))
                .or_default()
                .push(outcome as usize);
        }
    }
    let mut found = Vec::new();
    for item in items(judge)? {
        let (Some(outcome), Some(people)) = (item.outcome(), votes.get(&(item.prompt_id, item.seed))) else {
            continue;
        };
        let agrees = majority(people, 3, SplitRule::Class(1)) == Some(outcome as usize);
        let row = item.orders.iter().flatten().next();
        let Some((row, [Some(model), Some(baseline)])) = row.map(|row| (row, row.images_sha256)) else {
            continue;
        };
        if !agrees {
            found.push(shown_pair(row, [model, baseline], outcome, people));
        }
    }
    Ok(found)
}

fn shown_pair(row: &Comparison, sha256: [Sha256; 2], outcome: Outcome, people: &[usize]) -> ShownPair {
    let picture = |model: &String, sha256| Picture {
        model: model.clone(),
        prompt_id: row.prompt_id.clone(),
        seed: row.seed,
        sha256,
    };
    let said = match outcome {
        Outcome::Win => row.model.as_str(),
        Outcome::Tie => "a tie",
        Outcome::Loss => row.baseline.as_str(),
    };
    let count = |class: usize| people.iter().filter(|vote| **vote == class).count();
    ShownPair {
        pictures: [picture(&row.model, sha256[0]), picture(&row.baseline, sha256[1])],
        caption: format!(
            "judge: {said} · people: {} for {}, {} for {}, {} for a tie",
            count(0),
            row.model,
            count(2),
            row.baseline,
            count(1)
        ),
    }
}
