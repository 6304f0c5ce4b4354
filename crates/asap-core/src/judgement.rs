//! Judgements: who said what about which image, or about which two.

use serde::{Deserialize, Serialize};

use crate::id::Sha256;
use crate::prompt::{Category, PromptId};
use crate::score::{Choice, Verdict};

/// Names one image of a run: the `seed`-th picture of a prompt by a model.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Sample {
    /// The model's name, as its run has it.
    pub model: String,
    /// The prompt.
    pub prompt_id: PromptId,
    /// The seed that the image was drawn with. Two models are compared at equal seeds.
    pub seed: u64,
}

/// Where a prompt stands in the taxonomy, repeated in each judgement so that a log can be read alone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Topic {
    /// Category.
    pub category: Category,
    /// Subcategory.
    pub subcategory: String,
}

/// Who judged.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Judge {
    /// A model under a versioned protocol: `gemini:gemini-3.1-pro-preview`.
    Model(String),
    /// A person, under a pseudonym.
    Human(String),
    /// The construction of the images: the answer is known.
    Known,
}

/// One judge's verdict on one image (AER).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judgement {
    /// Protocol id with version: `aer.v1`.
    pub protocol: String,
    /// Who judged.
    pub judge: Judge,
    /// Which image.
    pub sample: Sample,
    /// Its place in the taxonomy.
    pub topic: Topic,
    /// The bytes that were judged; `None` only where the image is missing.
    pub image_sha256: Option<Sha256>,
    /// 0 for the first time, counting up where a judge is asked again on purpose.
    pub repeat: u32,
    /// What was said.
    pub verdict: Verdict,
}

/// Which of two models is shown first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// The model is Image 1, the baseline Image 2.
    ModelFirst,
    /// The baseline is Image 1.
    BaselineFirst,
}

impl Order {
    /// Both orders.
    pub const BOTH: [Self; 2] = [Self::ModelFirst, Self::BaselineFirst];
}

/// One judge's choice between two images in one order (RSI).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// Protocol id with version: `rsi.v1`.
    pub protocol: String,
    /// Who judged.
    pub judge: Judge,
    /// The model that wins or loses.
    pub model: String,
    /// What it is compared with.
    pub baseline: String,
    /// The prompt of both images.
    pub prompt_id: PromptId,
    /// The seed of both images.
    pub seed: u64,
    /// Their place in the taxonomy.
    pub topic: Topic,
    /// The bytes of the model's and of the baseline's image; `None` where one is missing.
    pub images_sha256: [Option<Sha256>; 2],
    /// Which was shown first.
    pub order: Order,
    /// 0 for the first time.
    pub repeat: u32,
    /// What was said about Image 1 and Image 2.
    pub choice: Choice,
}

/// What a comparison says about the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The model's image is better.
    Win,
    /// No clear difference.
    Tie,
    /// The baseline's image is better.
    Loss,
}

impl Outcome {
    /// The same seen from the baseline.
    pub const fn reversed(self) -> Self {
        match self {
            Self::Win => Self::Loss,
            Self::Tie => Self::Tie,
            Self::Loss => Self::Win,
        }
    }
}

impl Comparison {
    /// The choice as the model's outcome; `None` when unscored.
    pub const fn outcome(&self) -> Option<Outcome> {
        match (&self.choice, self.order) {
            (Choice::Tie, _) => Some(Outcome::Tie),
            (Choice::First, Order::ModelFirst) | (Choice::Second, Order::BaselineFirst) => Some(Outcome::Win),
            (Choice::Second, Order::ModelFirst) | (Choice::First, Order::BaselineFirst) => {
                Some(Outcome::Loss)
            }
            (Choice::Unscored { .. }, _) => None,
        }
    }
}
