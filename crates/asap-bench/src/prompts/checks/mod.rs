//! The checks: each a small function over the whole set, listed once with its id, severity and way out.

mod balance;
mod counts;
mod duplicates;
mod leakage;
mod length;
mod names;
mod template;
mod visibility;
mod wording;

use std::collections::BTreeSet;

use asap_core::Prompt;

use super::finding::{Finding, Hit, Severity};
use super::tokens::Tokenizers;
use super::words::Text;
use super::{PromptSet, Rules};

/// What the checks look at.
pub(super) struct Subject<'a> {
    pub(super) set: &'a PromptSet,
    /// One a prompt, in the order of the set.
    pub(super) texts: Vec<Text>,
    pub(super) rules: &'a Rules,
    pub(super) tokenizers: &'a Tokenizers<'a>,
    /// Training captions, each once; none where nothing is compared with.
    pub(super) captions: &'a BTreeSet<String>,
}

impl Subject<'_> {
    /// Each prompt with its text.
    pub(super) fn rows(&self) -> impl Iterator<Item = (&Prompt, &Text)> {
        self.set.prompts().iter().zip(&self.texts)
    }
}

/// A check as the table below has it.
pub(super) struct Check {
    pub(super) id: &'static str,
    pub(super) severity: Severity,
    /// What is wrong where it hits.
    pub(super) what: &'static str,
    /// What to do about it.
    pub(super) way_out: &'static str,
    pub(super) run: fn(&Subject<'_>) -> Vec<Hit>,
}

const fn error(
    id: &'static str,
    what: &'static str,
    way_out: &'static str,
    run: fn(&Subject<'_>) -> Vec<Hit>,
) -> Check {
    Check {
        id,
        severity: Severity::Error,
        what,
        way_out,
        run,
    }
}

const fn warning(
    id: &'static str,
    what: &'static str,
    way_out: &'static str,
    run: fn(&Subject<'_>) -> Vec<Hit>,
) -> Check {
    Check {
        id,
        severity: Severity::Warning,
        what,
        way_out,
        run,
    }
}

/// Every check, in the order of the report.
pub(super) const CHECKS: &[Check] = &[
    error(
        "duplicate.exact",
        "same text as another prompt",
        "drop one of them",
        duplicates::exact,
    ),
    error(
        "duplicate.normalised",
        "differs from another prompt in case, punctuation or typography only",
        "drop one of them",
        duplicates::normalised,
    ),
    error(
        "duplicate.near",
        "nearly the words of another prompt",
        "write one of them anew",
        duplicates::near,
    ),
    error(
        "length.words",
        "too short or too long in words",
        "say one scene in one or two sentences",
        length::words,
    ),
    error(
        "length.characters",
        "too many characters",
        "shorten it",
        length::characters,
    ),
    error("length.clip", "CLIP cuts off the end", "shorten it", length::clip),
    warning(
        "length.bert",
        "ImageReward cuts off the end",
        "shorten it, or report ImageReward with its count of cut prompts",
        length::bert,
    ),
    error(
        "text.characters",
        "a character that is neither printable ASCII nor allowed",
        "replace it",
        length::odd_characters,
    ),
    error(
        "text.spacing",
        "spaces at an end or two in a row, or a word twice in a row",
        "take one away",
        length::spacing,
    ),
    error(
        "visible.part",
        "a part in `regions` that the text neither names nor implies",
        "say it in the text, or take it out of `regions`",
        visibility::unnamed_parts,
    ),
    error(
        "visible.hidden",
        "words that take a claimed part out of sight",
        "show the part, or name the factor that explains it",
        visibility::hidden_parts,
    ),
    warning(
        "visible.unclaimed",
        "the text names hands, and `regions` lacks `hands`",
        "add it to `regions` with `hands_expected`",
        visibility::unclaimed_hands,
    ),
    error(
        "ambiguous.quantity",
        "a vague word",
        "say the number or the thing",
        wording::vague,
    ),
    error(
        "ambiguous.choice",
        "leaves a choice",
        "choose one",
        wording::choice,
    ),
    error(
        "ambiguous.pronoun",
        "a pronoun before any person or thing that it could stand for",
        "name the person first",
        wording::pronouns,
    ),
    error(
        "count.parts",
        "more parts of the body than the persons have",
        "correct the number or `persons`",
        counts::parts,
    ),
    error(
        "count.fingers",
        "more fingers than the hands have",
        "correct the number or `hands_expected`",
        counts::fingers,
    ),
    error(
        "count.persons",
        "other persons than `persons` says",
        "make the text and `persons` agree",
        counts::persons,
    ),
    error(
        "count.hands",
        "other hands than `hands_expected` allows",
        "make the text and `hands_expected` agree",
        counts::hands,
    ),
    error(
        "wording.negation",
        "a negation, which text encoders pass over",
        "say what is there",
        wording::negations,
    ),
    error(
        "wording.style",
        "a word of style or praise",
        "take it out: the benchmark asks for photographs",
        wording::style,
    ),
    error(
        "wording.implausible",
        "what no camera has seen",
        "ask for something that a person can do",
        wording::implausible,
    ),
    error(
        "template.opening",
        "an opening that too many prompts share",
        "begin most of them differently",
        template::opening,
    ),
    warning(
        "template.skeleton",
        "a sentence pattern that too many prompts share",
        "build most of them differently",
        template::skeleton,
    ),
    error(
        "name.person",
        "capitalised words that read as a name",
        "describe the person instead, or allow the words in the rules",
        names::persons,
    ),
    error("name.brand", "a brand", "name the kind of thing", names::brands),
    error(
        "safety.unsafe",
        "a word that safety filters refuse",
        "choose another scene",
        wording::not_safe,
    ),
    error(
        "safety.minor",
        "a minor in a sensitive context",
        "make the person an adult or change the context",
        wording::sensitive_minors,
    ),
    error(
        "balance.subcategory",
        "more or fewer prompts than the taxonomy says",
        "move, write or drop prompts",
        balance::subcategories,
    ),
    error(
        "balance.share",
        "a share far from its target",
        "change prompts, or the target if it was wrong",
        balance::shares,
    ),
    error(
        "balance.value",
        "a value that the axis does not list",
        "correct the row, or list the value",
        balance::values,
    ),
    warning(
        "balance.factor",
        "a factor that no prompt has",
        "write a prompt with it, or drop it",
        balance::factors,
    ),
    error(
        "leak.ngram",
        "a run of words of a training caption",
        "write it anew",
        leakage::ngrams,
    ),
    error(
        "leak.near",
        "nearly the words of a training caption",
        "write it anew",
        leakage::near,
    ),
];

impl Check {
    /// Runs the check and words what it found.
    pub(super) fn findings(&self, subject: &Subject<'_>) -> Vec<Finding> {
        let hits = (self.run)(subject).into_iter();
        hits.map(|hit| self.finding(subject.set, hit)).collect()
    }

    fn finding(&self, set: &PromptSet, hit: Hit) -> Finding {
        let place = hit
            .prompt
            .as_ref()
            .map_or_else(|| format!("`{}`", set.name()), |id| format!("`{id}`"));
        Finding {
            check: self.id,
            severity: self.severity,
            line: hit.prompt.as_ref().and_then(|id| set.line(id)),
            prompt: hit.prompt,
            others: hit.others,
            message: format!("{place}: {}: {}; {}", self.what, hit.evidence, self.way_out),
            evidence: hit.evidence,
        }
    }
}
