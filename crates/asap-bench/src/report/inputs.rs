//! What a report is made from: runs with their verdicts and scores, and votes of people from a file.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use asap_core::{Comparison, Judge, Judgement, Sha256};

use super::config::{FileHash, Identity, Options, RunRecord, Who};
use super::gallery::Picture;
use super::images::said;
use super::log::{CallRow, Log, ModelScore};
use crate::judge::{Judged, VerdictRow, Verdicts, read_rows, verdicts};
use crate::run::{Run, ScoreRow, read_scores, sha256};
use crate::stats::Bootstrap;
use crate::stats::aer::HeadlinePolicy;
use crate::stats::position::PositionPolicy;
use crate::{Error, Result};

/// A run with all that was said about it.
#[derive(Clone, Debug)]
pub struct RunInputs {
    /// The run.
    pub run: Run,
    /// Verdicts of all judges.
    pub verdicts: Verdicts,
    /// Values of learned scorers.
    pub scores: Vec<ScoreRow>,
    /// SHA-256 of `run.json`.
    pub manifest_sha256: Sha256,
}

impl RunInputs {
    /// Reads everything that belongs to a run.
    ///
    /// # Errors
    /// Those of [`verdicts`] and [`read_scores`].
    pub fn read(run: Run) -> Result<Self> {
        Ok(Self {
            verdicts: verdicts(&run)?,
            scores: read_scores(&run)?,
            manifest_sha256: sha256(&fs_err::read(run.dir().join("run.json"))?),
            run,
        })
    }
}

/// Everything that a report is made from.
#[derive(Clone, Debug)]
pub struct Inputs {
    /// The runs, in the order of the tables.
    pub runs: Vec<RunInputs>,
    /// Votes of people from a file.
    pub votes: Vec<VerdictRow>,
    /// The file.
    pub human: Option<FileHash>,
}

/// What the user asked for; what is `None` is settled from what there is.
#[derive(Clone, Debug)]
pub struct Wishes {
    /// The model that the others are compared with.
    pub baseline: Option<String>,
    /// The judge: its name, `known` or `people`.
    pub judge: Option<String>,
    /// Protocols, at most one of each kind.
    pub protocols: Vec<String>,
    /// What is done with rates of which too few images were scored.
    pub headline: HeadlinePolicy,
    /// What answers in two orders count as.
    pub position: PositionPolicy,
    /// Seed, replicates and level.
    pub bootstrap: Bootstrap,
    /// A date to print.
    pub date: Option<String>,
}

impl Inputs {
    /// Puts runs and votes together.
    ///
    /// # Errors
    /// [`Error::NotComparable`] for two runs of one model; [`Error::Row`] for a vote about a model without a run.
    pub fn new(runs: Vec<RunInputs>, human: Option<&Path>) -> Result<Self> {
        let mut models = BTreeSet::new();
        for inputs in &runs {
            if !models.insert(inputs.run.model()) {
                return Err(Error::NotComparable {
                    model: inputs.run.model().to_owned(),
                    baseline: inputs.run.model().to_owned(),
                    message: "two runs have this model's name; give each model its own".to_owned(),
                });
            }
        }
        let mut votes = Vec::new();
        for (line, row) in human.map(read_rows).transpose()?.unwrap_or_default() {
            let (model, judge) = match &row {
                VerdictRow::Image(row) => (&row.sample.model, &row.judge),
                VerdictRow::Pair(row) => (&row.model, &row.judge),
            };
            let refused = |message: String| Error::Row {
                path: human.map(Path::to_owned).unwrap_or_default(),
                line,
                message,
            };
            if !models.contains(model.as_str()) {
                let known: Vec<&str> = models.iter().copied().collect();
                return Err(refused(format!(
                    "`{model}` is none of the models of this report: {}",
                    known.join(", ")
                )));
            }
            if !Who::People.is(judge) {
                return Err(refused(
                    "expected a vote with `\"judge\":{\"human\":...}`, got another judge".to_owned(),
                ));
            }
            votes.push(row);
        }
        let human = human.map(|path| {
            Ok::<_, Error>(FileHash {
                file: path
                    .file_name()
                    .unwrap_or_default()
                    .to_string_lossy()
                    .into_owned(),
                sha256: sha256(&fs_err::read(path)?),
            })
        });
        Ok(Self {
            human: human.transpose()?,
            runs,
            votes,
        })
    }

    /// The models, in the order of the tables.
    pub fn models(&self) -> Vec<String> {
        self.runs
            .iter()
            .map(|inputs| inputs.run.model().to_owned())
            .collect()
    }

    /// The run of a model.
    pub fn run(&self, model: &str) -> Option<&Run> {
        self.runs
            .iter()
            .map(|inputs| &inputs.run)
            .find(|run| run.model() == model)
    }

    fn images(&self) -> impl Iterator<Item = &Judged<Judgement>> {
        self.runs.iter().flat_map(|inputs| &inputs.verdicts.images)
    }

    fn pairs(&self) -> impl Iterator<Item = &Judged<Comparison>> {
        self.runs.iter().flat_map(|inputs| &inputs.verdicts.pairs)
    }

    /// Turns wishes into options, from what the runs have.
    ///
    /// # Errors
    /// [`Error::Report`] where a choice is open, or names what is not there; the message lists what there is.
    pub fn settle(&self, wishes: Wishes) -> Result<Options> {
        let judge = self.judge(wishes.judge.as_deref())?;
        let is_judge = |row: &Judge| judge.is(row);
        let of_images = self.images().filter(|judged| is_judge(&judged.row.judge));
        let mut aer: BTreeSet<String> = of_images.map(|judged| judged.row.protocol.clone()).collect();
        let of_pairs = || self.pairs().filter(|judged| is_judge(&judged.row.judge));
        let mut rsi: BTreeSet<String> = of_pairs().map(|judged| judged.row.protocol.clone()).collect();
        if judge == Who::People {
            for vote in &self.votes {
                match vote {
                    VerdictRow::Image(row) => aer.insert(row.protocol.clone()),
                    VerdictRow::Pair(row) => rsi.insert(row.protocol.clone()),
                };
            }
        }
        for wish in &wishes.protocols {
            if !aer.contains(wish) && !rsi.contains(wish) {
                let known: Vec<&str> = aer.iter().chain(&rsi).map(String::as_str).collect();
                return Err(Error::Report {
                    message: format!(
                        "no verdicts of {} under protocol `{wish}`; there are {}",
                        judge.title(),
                        listed(&known)
                    ),
                });
            }
        }
        let baseline = self.baseline(wishes.baseline, of_pairs().map(|judged| &judged.row))?;
        Ok(Options {
            baseline,
            aer_protocol: one_protocol(&aer, &wishes.protocols)?,
            rsi_protocol: one_protocol(&rsi, &wishes.protocols)?,
            judge,
            headline: wishes.headline,
            position: wishes.position,
            bootstrap: wishes.bootstrap,
            date: wishes.date,
        })
    }

    /// The judge that was named; else the only model, else known answers, else people.
    fn judge(&self, wish: Option<&str>) -> Result<Who> {
        let judges = self.images().map(|judged| &judged.row.judge);
        let judges = judges.chain(self.pairs().map(|judged| &judged.row.judge));
        let mut models = BTreeSet::new();
        let mut others = BTreeSet::new();
        for judge in judges {
            match judge {
                Judge::Model(name) => models.insert(name.as_str()),
                Judge::Known => others.insert("known"),
                Judge::Human(_) => others.insert("people"),
            };
        }
        if !self.votes.is_empty() {
            others.insert("people");
        }
        let there: Vec<&str> = models.iter().chain(&others).copied().collect();
        let refused = |message: String| Err(Error::Report { message });
        match wish {
            Some(wish) if !there.contains(&wish) => refused(format!(
                "no verdicts of judge `{wish}`; there are those of {}",
                listed(&there)
            )),
            Some("known") => Ok(Who::Known),
            Some("people") => Ok(Who::People),
            Some(name) => Ok(Who::Model(name.to_owned())),
            None if models.len() > 1 => refused(format!(
                "verdicts of several judges: {}; choose one with `--judge`",
                listed(&there)
            )),
            None => match (
                models.first(),
                others.contains("known"),
                others.contains("people"),
            ) {
                (Some(name), _, _) => Ok(Who::Model((*name).to_owned())),
                (None, true, _) => Ok(Who::Known),
                (None, false, true) => Ok(Who::People),
                (None, false, false) => {
                    refused("no verdicts in these runs: `asap bench judge` makes them".to_owned())
                }
            },
        }
    }

    /// The baseline that was named; else the only one that pairs were compared with, else the last of several runs.
    fn baseline<'a>(
        &self,
        wish: Option<String>,
        pairs: impl Iterator<Item = &'a Comparison>,
    ) -> Result<Option<String>> {
        let models = self.models();
        let compared: BTreeSet<String> = pairs.map(|row| row.baseline.clone()).collect();
        if let Some(wish) = wish {
            if models.contains(&wish) || compared.contains(&wish) {
                return Ok(Some(wish));
            }
            let others = compared.iter().filter(|name| !models.contains(name));
            let known: Vec<&str> = models.iter().chain(others).map(String::as_str).collect();
            return Err(Error::Report {
                message: format!("no model `{wish}` to compare with; there are {}", listed(&known)),
            });
        }
        if let [only] = compared.iter().collect::<Vec<_>>().as_slice() {
            return Ok(Some((*only).clone()));
        }
        Ok(models.last().filter(|_| models.len() > 1).cloned())
    }

    /// The logs of a report: the judge's verdicts and people's, scores and calls.
    pub fn log(&self, options: &Options) -> Log {
        let is_kept = |judge: &Judge| options.judge.is(judge) || Who::People.is(judge);
        let images = self.images().map(|judged| &judged.row);
        let pairs = self.pairs().map(|judged| &judged.row);
        let mut log = Log {
            judgements: images.filter(|row| is_kept(&row.judge)).cloned().collect(),
            comparisons: pairs.filter(|row| is_kept(&row.judge)).cloned().collect(),
            ..Log::default()
        };
        for vote in &self.votes {
            match vote {
                VerdictRow::Image(row) => log.judgements.push(row.clone()),
                VerdictRow::Pair(row) => log.comparisons.push(row.clone()),
            }
        }
        for inputs in &self.runs {
            let model = inputs.run.model();
            log.scores.extend(inputs.scores.iter().map(|score| ModelScore {
                model: model.to_owned(),
                score: score.clone(),
            }));
            let calls = inputs.verdicts.calls.iter();
            let of_judge = calls.filter(|((_, judge), _)| options.judge.is(&Judge::Model(judge.clone())));
            log.calls
                .extend(of_judge.map(|(key, totals)| CallRow::new(model, key, totals)));
        }
        log.sort();
        log
    }

    /// The runs as the report records them.
    pub fn records(&self) -> Vec<RunRecord> {
        let record = |inputs: &RunInputs| {
            let run = &inputs.run;
            let manifest = run.manifest();
            RunRecord {
                model: run.model().to_owned(),
                manifest_sha256: inputs.manifest_sha256,
                generator: manifest.generator.clone(),
                benchmark: manifest.benchmark.clone(),
                seeds: manifest.seeds.clone(),
                n_prompts: run.prompts().len() as u64,
                n_images: run
                    .samples()
                    .filter(|(id, seed)| run.image(id, *seed).is_some())
                    .count() as u64,
                n_samples: run.samples().count() as u64,
            }
        };
        self.runs.iter().map(record).collect()
    }

    /// The protocols and models behind the judge's verdicts.
    pub fn identities(&self, options: &Options) -> Vec<Identity> {
        let mut counts: BTreeMap<(String, Option<Sha256>, Option<String>), u64> = BTreeMap::new();
        let mut add = |judge: &Judge, protocol: &str, sha256: Option<Sha256>, version: &Option<String>| {
            if options.judge.is(judge) {
                let key = (protocol.to_owned(), sha256, version.clone());
                *counts.entry(key).or_default() += 1;
            }
        };
        for judged in self.images() {
            let row = &judged.row;
            add(
                &row.judge,
                &row.protocol,
                judged.protocol_sha256,
                &judged.model_version,
            );
        }
        for judged in self.pairs() {
            let row = &judged.row;
            add(
                &row.judge,
                &row.protocol,
                judged.protocol_sha256,
                &judged.model_version,
            );
        }
        counts
            .into_iter()
            .map(|((protocol, protocol_sha256, model_version), n)| Identity {
                protocol,
                protocol_sha256,
                model_version,
                n,
            })
            .collect()
    }

    /// What the judge gave as its reason for its verdict on an image.
    pub(super) fn said(&self, picture: &Picture, options: &Options) -> Option<String> {
        let is_it = |judged: &&Judged<Judgement>| {
            let sample = &judged.row.sample;
            options.judge.is(&judged.row.judge)
                && Some(&judged.row.protocol) == options.aer_protocol.as_ref()
                && (&sample.model, &sample.prompt_id, sample.seed)
                    == (&picture.model, &picture.prompt_id, picture.seed)
        };
        self.images()
            .find(is_it)
            .and_then(|judged| said(judged.evidence.as_ref()?))
    }
}

/// The protocol that was wished for, else the only one.
fn one_protocol(there: &BTreeSet<String>, wishes: &[String]) -> Result<Option<String>> {
    let wished: Vec<&String> = there
        .iter()
        .filter(|protocol| wishes.contains(protocol))
        .collect();
    let open: Vec<&String> = if wished.is_empty() {
        there.iter().collect()
    } else {
        wished
    };
    match open.as_slice() {
        [] => Ok(None),
        [only] => Ok(Some((*only).clone())),
        several => {
            let names: Vec<&str> = several.iter().map(|name| name.as_str()).collect();
            Err(Error::Report {
                message: format!(
                    "verdicts under several protocols: {}; choose one with `--protocol`",
                    listed(&names)
                ),
            })
        }
    }
}

fn listed(names: &[&str]) -> String {
    if names.is_empty() {
        return "none".to_owned();
    }
    names
        .iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ")
}
