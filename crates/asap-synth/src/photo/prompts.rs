//! The distortion prompts: what a generative inpainter is asked for to make the same errors.
//!
//! An operator of this crate works without a model. For a build with one, every operator has a prompt that
//! describes its error and a negative prompt that describes the sound part, as files under
//! `prompts/distortions`, versioned and compiled in.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

/// The prompts of one operator.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Distortion {
    /// Counts up whenever a text changes.
    pub version: u32,
    /// The id of the operator.
    pub operator: String,
    /// What the result shows; `{caption}` stands for the caption of the picture.
    pub prompt: String,
    /// What it does not show.
    pub negative_prompt: String,
}

impl Distortion {
    /// The prompt for a picture.
    pub fn prompt_for(&self, caption: &str) -> String {
        self.prompt.replace("{caption}", caption)
    }
}

macro_rules! files {
    ($($id:literal),+ $(,)?) => {
        &[$(($id, include_str!(concat!("../../../../prompts/distortions/", $id, ".toml")))),+]
    };
}

/// The files by operator.
const FILES: &[(&str, &str)] = files![
    "hand.extra_finger",
    "hand.missing_finger",
    "hand.fused_fingers",
    "hand.split_finger",
    "hand.wrong_length",
    "hand.bent_back",
    "hand.wrong_thickness",
    "hand.mirrored",
    "hand.duplicate",
    "hand.twisted_wrist",
    "hand.melted",
    "hand.size",
    "hand.disconnected",
    "hand.absent",
    "face.eye_displaced",
    "face.eye_size",
    "face.third_eye",
    "face.missing_eye",
    "face.mouth_shifted",
    "face.two_mouths",
    "face.swapped_features",
    "face.flipped_features",
    "face.melt",
];

static PROMPTS: LazyLock<BTreeMap<&'static str, Distortion>> = LazyLock::new(|| {
    FILES
        .iter()
        .filter_map(|(id, text)| toml::from_str(text).ok().map(|distortion| (*id, distortion)))
        .collect()
});

/// The prompts of an operator.
pub fn distortion(operator_id: &str) -> Option<&'static Distortion> {
    PROMPTS.get(operator_id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::photo::operators::OPERATORS;

    #[test]
    fn every_operator_has_a_prompt_and_every_file_parses() {
        assert_eq!(FILES.len(), OPERATORS.len());
        for operator in OPERATORS {
            let found = distortion(operator.id).unwrap_or_else(|| panic!("`{}` has no prompt", operator.id));
            assert_eq!(found.operator, operator.id);
            assert!(found.version >= 1);
            assert!(found.prompt.starts_with("{caption}, "), "{}", found.prompt);
            assert!(!found.negative_prompt.is_empty());
            assert!(found.prompt_for("A photograph").starts_with("A photograph, "));
        }
    }
}
