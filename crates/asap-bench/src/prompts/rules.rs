//! The rules file: read, checked, turned into what the checks use.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use asap_core::prompt::VisiblePart;
use serde::Deserialize;

use super::words::Phrases;
use super::{Error, Result};

/// The rules that hold when no file is given, with the reason for each.
pub const EMBEDDED_RULES: &str = include_str!("rules.toml");

const VISIBLE_PARTS: [VisiblePart; 6] = [
    VisiblePart::Hands,
    VisiblePart::Face,
    VisiblePart::Arms,
    VisiblePart::Legs,
    VisiblePart::Feet,
    VisiblePart::Torso,
];

/// Thresholds and lexicon of the checks. What each key means stands in [`EMBEDDED_RULES`]; there is no
/// default in code.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    pub(super) duplicates: Duplicates,
    pub(super) length: Length,
    pub(super) tokens: Tokens,
    pub(super) characters: Characters,
    pub(super) template: Template,
    pub(super) balance: Balance,
    pub(super) leakage: Leakage,
    pub(super) visible: BTreeMap<VisiblePart, Lexicon>,
    pub(super) hidden: Hidden,
    pub(super) wording: Wording,
    pub(super) names: Names,
    pub(super) persons: Persons,
    pub(super) classes: BTreeMap<String, Lexicon>,
    pub(super) stop: Stop,
}

/// Phrases, parsed once.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(from = "Vec<String>")]
pub(super) struct Lexicon(pub(super) Phrases);

impl From<Vec<String>> for Lexicon {
    fn from(texts: Vec<String>) -> Self {
        Self(Phrases::new(&texts))
    }
}

impl std::ops::Deref for Lexicon {
    type Target = Phrases;

    fn deref(&self) -> &Phrases {
        &self.0
    }
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Duplicates {
    pub(super) near_jaccard_max: f64,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Length {
    pub(super) words_min: usize,
    pub(super) words_max: usize,
    pub(super) characters_max: usize,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tokens {
    pub(super) clip_max: usize,
    pub(super) bert_max: usize,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Characters {
    pub(super) allowed: String,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Template {
    pub(super) opening_words: usize,
    pub(super) opening_share_max: f64,
    pub(super) skeleton_words: usize,
    pub(super) skeleton_share_max: f64,
    pub(super) repeats_min: usize,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Balance {
    pub(super) share_tolerance: f64,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Leakage {
    pub(super) ngram_words: usize,
    pub(super) near_jaccard_max: f64,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Hidden {
    pub(super) explained_by: BTreeSet<String>,
    pub(super) hands: Lexicon,
    pub(super) face: Lexicon,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wording {
    pub(super) vague: Lexicon,
    pub(super) choice: Lexicon,
    pub(super) negation: Lexicon,
    pub(super) style: Lexicon,
    pub(super) implausible: Lexicon,
    #[serde(rename = "unsafe")]
    pub(super) not_safe: Lexicon,
    pub(super) minors: Lexicon,
    pub(super) sensitive: Lexicon,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Names {
    pub(super) allowed: BTreeSet<String>,
    pub(super) brands: Lexicon,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Persons {
    pub(super) one: Lexicon,
    pub(super) two: Lexicon,
    pub(super) groups: Lexicon,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Stop {
    pub(super) words: BTreeSet<String>,
}

impl Rules {
    /// What [`EMBEDDED_RULES`] says.
    pub fn embedded() -> Self {
        Self::parse(EMBEDDED_RULES, Path::new("rules.toml")).expect("a test parses the embedded file")
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`Error::Read`], [`Error::Toml`] for an unknown or missing key, [`Error::Rule`] for a value out of its
    /// range.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|source| Error::Read {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(&text, path)
    }

    /// Parses the text of a file; `path` is for messages.
    ///
    /// # Errors
    /// As [`Rules::read`].
    pub fn parse(text: &str, path: &Path) -> Result<Self> {
        let rules: Self = toml::from_str(text).map_err(|error| Error::Toml {
            path: path.to_owned(),
            reason: error.to_string().trim_end().to_owned(),
        })?;
        rules.check(path)?;
        Ok(rules)
    }

    fn check(&self, path: &Path) -> Result<()> {
        let rule = |name: &str, expected, got: String| {
            Err(Error::Rule {
                path: path.to_owned(),
                name: name.to_owned(),
                expected,
                got,
            })
        };
        let shares = [
            ("duplicates.near_jaccard_max", self.duplicates.near_jaccard_max),
            ("balance.share_tolerance", self.balance.share_tolerance),
            ("leakage.near_jaccard_max", self.leakage.near_jaccard_max),
            ("template.opening_share_max", self.template.opening_share_max),
            ("template.skeleton_share_max", self.template.skeleton_share_max),
        ];
        for (name, value) in shares {
            if !(0.0..=1.0).contains(&value) {
                return rule(name, "a share between 0 and 1", value.to_string());
            }
        }
        let lengths = [
            ("template.opening_words", self.template.opening_words),
            ("template.skeleton_words", self.template.skeleton_words),
            ("leakage.ngram_words", self.leakage.ngram_words),
        ];
        for (name, value) in lengths {
            if value == 0 {
                return rule(name, "at least 1", value.to_string());
            }
        }
        for part in VISIBLE_PARTS {
            if !self.visible.contains_key(&part) {
                return rule("visible", "a list for every part", format!("none for {part:?}"));
            }
        }
        if self.length.words_min > self.length.words_max {
            return rule(
                "length.words_min",
                "at most `length.words_max`",
                self.length.words_min.to_string(),
            );
        }
        Ok(())
    }
}
