//! Prompts of HAF-Bench: one row is one prompt, its place in the taxonomy and what it asks to be seen.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The five categories of HAF-Bench (§5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    /// Hands, faces and limbs at rest.
    BasicAnatomy,
    /// Gestures that mean something.
    SemanticGestures,
    /// A person touching their own body.
    SelfInteraction,
    /// A person holding or using a thing.
    ObjectInteraction,
    /// The whole body in a pose or in motion.
    FullBody,
}

impl Category {
    /// All of them, in the paper's order.
    pub const ALL: [Self; 5] = [
        Self::BasicAnatomy,
        Self::SemanticGestures,
        Self::SelfInteraction,
        Self::ObjectInteraction,
        Self::FullBody,
    ];

    /// The name used in files: `basic_anatomy`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::BasicAnatomy => "basic_anatomy",
            Self::SemanticGestures => "semantic_gestures",
            Self::SelfInteraction => "self_interaction",
            Self::ObjectInteraction => "object_interaction",
            Self::FullBody => "full_body",
        }
    }

    /// The three letters inside prompt ids: `haf-bas-0001`.
    pub const fn code(self) -> &'static str {
        match self {
            Self::BasicAnatomy => "bas",
            Self::SemanticGestures => "ges",
            Self::SelfInteraction => "slf",
            Self::ObjectInteraction => "obj",
            Self::FullBody => "bod",
        }
    }

    /// The paper's name, for people.
    pub const fn title(self) -> &'static str {
        crate::paper::HAF_BENCH_CATEGORIES[self as usize]
    }
}

/// A text that cannot name a prompt.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a prompt id: expected 1 to 64 of the characters a-z, 0-9, `-` and `_`")]
pub struct ParsePromptIdError {
    /// The text that was read.
    pub text: String,
}

/// Names a prompt for all versions of the benchmark: `haf-obj-0042`. Also a file name, so the alphabet is small.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PromptId(String);

impl PromptId {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for PromptId {
    type Error = ParsePromptIdError;

    fn try_from(text: String) -> Result<Self, ParsePromptIdError> {
        let is_fine = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
        if (1..=64).contains(&text.len()) && text.bytes().all(is_fine) {
            return Ok(Self(text));
        }
        Err(ParsePromptIdError {
            text: text.chars().take(80).collect(),
        })
    }
}

impl std::str::FromStr for PromptId {
    type Err = ParsePromptIdError;

    fn from_str(text: &str) -> Result<Self, ParsePromptIdError> {
        text.to_owned().try_into()
    }
}

impl From<PromptId> for String {
    fn from(id: PromptId) -> Self {
        id.0
    }
}

impl fmt::Display for PromptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for PromptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PromptId({})", self.0)
    }
}

/// A part of the body that the wording of a prompt makes visible.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VisiblePart {
    /// One or more hands.
    Hands,
    /// One or more faces.
    Face,
    /// Arms.
    Arms,
    /// Legs.
    Legs,
    /// Bare or shod feet.
    Feet,
    /// Chest, belly, back.
    Torso,
}

/// How much of the body the picture shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Framing {
    /// Hands or face fill the picture.
    CloseUp,
    /// Head and shoulders, or one arm.
    Portrait,
    /// From the hips up.
    HalfBody,
    /// Head to feet.
    FullBody,
}

/// The smallest and the largest count, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CountRange {
    /// At least.
    pub min: u32,
    /// At most.
    pub max: u32,
}

/// Who or what wrote a prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PromptSource {
    /// A language model.
    Llm,
    /// A person.
    Human,
    /// A program, from parts that people wrote.
    Template,
}

/// One prompt of a benchmark: a line of `data/prompts.jsonl`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prompt {
    /// Never reused.
    pub id: PromptId,
    /// Category.
    pub category: Category,
    /// Subcategory, an id of the taxonomy.
    pub subcategory: String,
    /// Factors of difficulty, ids of the taxonomy, sorted.
    pub factors: Vec<String>,
    /// The text that a model is given.
    pub prompt: String,
    /// Parts that the wording makes visible, sorted.
    pub regions: Vec<VisiblePart>,
    /// Persons in the picture.
    pub persons: u32,
    /// Hands that must be seen, and that may be.
    pub hands_expected: CountRange,
    /// How much of the body is shown.
    pub framing: Framing,
    /// 1 (models mostly succeed) to 3 (models mostly fail), as judged by the author.
    pub difficulty: u8,
    /// ISO 639-1 code of the language.
    pub lang: String,
    /// Who wrote it.
    pub source: PromptSource,
    /// SPDX licence id.
    pub license: String,
    /// The version of the benchmark that it came with.
    pub added: String,
}

/// `1.10.2` as numbers that compare; `None` for anything else.
pub fn version_key(text: &str) -> Option<[u64; 3]> {
    let mut numbers = text.split('.').map(|part| {
        let is_number = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| part.parse().ok()).flatten()
    });
    let key = [numbers.next()??, numbers.next()??, numbers.next()??];
    numbers.next().is_none().then_some(key)
}

/// The newest version that a prompt came with; empty without prompts.
pub fn latest_version(prompts: &[Prompt]) -> String {
    let latest = prompts.iter().max_by_key(|prompt| version_key(&prompt.added));
    latest.map(|prompt| prompt.added.clone()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_safe_as_a_file_name() {
        assert!("haf-obj-0042".parse::<PromptId>().is_ok());
        for bad in ["", "../x", "Haf", "a b", "a/b", &"x".repeat(65)] {
            assert!(bad.parse::<PromptId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn titles_are_the_papers() {
        let titles = Category::ALL.map(Category::title);
        assert_eq!(titles, crate::paper::HAF_BENCH_CATEGORIES);
    }
}
