//! The value that a prompt has on an axis of balance.

use asap_core::Prompt;
use asap_core::prompt::Framing;
use serde::{Deserialize, Serialize};

use super::words::{Phrases, Text};

/// Where the value of an axis is read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AxisSource {
    /// The key `persons`.
    Persons,
    /// The key `framing`.
    Framing,
    /// The key `hands_expected`, written `min-max`, or one number where both are equal.
    HandsExpected,
    /// The key `difficulty`.
    Difficulty,
    /// The text: a prompt has every value whose wording stands in it.
    Wording,
}

/// What the balance of a set is counted over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Axis {
    /// Its id, such as `persons` or `age`.
    pub id: String,
    /// What it says about a prompt.
    pub definition: String,
    /// Where its value is read from.
    pub source: AxisSource,
    /// Its values.
    #[serde(rename = "value")]
    pub values: Vec<AxisValue>,
}

/// One value of an axis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AxisValue {
    /// Its id; on an axis that is read from a key, what the key says.
    pub id: String,
    /// Phrases that stand for it, in the notation of the rules file; only where the source is the wording.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub wording: Vec<String>,
    /// The share of the prompts that should have it; none where any share will do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<f64>,
}

impl AxisSource {
    /// The value of a row; none for what is read from the text.
    pub fn of_row(self, prompt: &Prompt) -> Option<String> {
        Some(match self {
            Self::Persons => prompt.persons.to_string(),
            Self::Framing => framing_name(prompt.framing).to_owned(),
            Self::HandsExpected => {
                let hands = prompt.hands_expected;
                if hands.min == hands.max {
                    hands.min.to_string()
                } else {
                    format!("{}-{}", hands.min, hands.max)
                }
            }
            Self::Difficulty => prompt.difficulty.to_string(),
            Self::Wording => return None,
        })
    }
}

/// Reads the values of an axis, with its wording parsed once.
pub(super) struct AxisReader<'a> {
    axis: &'a Axis,
    /// One a value.
    wordings: Vec<Phrases>,
}

impl<'a> AxisReader<'a> {
    pub(super) fn new(axis: &'a Axis) -> Self {
        Self {
            axis,
            wordings: axis.values.iter().map(|it| Phrases::new(&it.wording)).collect(),
        }
    }

    /// Every value that a prompt has: one for a key, any number for the wording.
    pub(super) fn values_of(&self, prompt: &Prompt, text: &Text) -> Vec<String> {
        if let Some(value) = self.axis.source.of_row(prompt) {
            return vec![value];
        }
        let values = self.axis.values.iter().zip(&self.wordings);
        let named = values.filter(|(_, wording)| wording.is_in(&text.words));
        named.map(|(value, _)| value.id.clone()).collect()
    }
}

/// The name used in files.
pub(super) const fn framing_name(framing: Framing) -> &'static str {
    match framing {
        Framing::CloseUp => "close_up",
        Framing::Portrait => "portrait",
        Framing::HalfBody => "half_body",
        Framing::FullBody => "full_body",
    }
}
