//! One line of an answers log: the question by its names and hashes, and what came back.

use asap_core::chat::{ChatFailure, ChatReply, Sampling, Usage};
use asap_core::judgement::Order;
use asap_core::{PromptId, Sha256};
use serde::{Deserialize, Serialize};

use crate::run::ProtocolRef;

/// A line of `answers/JUDGE.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnswerRecord {
    /// Hash of everything that the answer depends on: [`super::question_key`].
    pub key: Sha256,
    /// What was asked.
    pub asked: Asked,
    /// 0 for the first call of an attempt; counts up where the answer was cut or could not be read.
    pub ask: u32,
    /// The settings of this call; the limit of tokens grows after cut answers.
    pub sampling: Sampling,
    /// When the answer came, RFC 3339, in UTC.
    pub time: String,
    /// From the question to the answer, retries and waits included.
    pub latency_ms: u64,
    /// HTTP calls made; 0 where none was needed: no image, or an answer about the same bytes that was there already.
    pub attempts: u32,
    /// What it cost; `None` where there is no price or the server did not say how many tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usd: Option<f64>,
    /// Whether it came through a batch, which has another price.
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_batch: bool,
    /// What came.
    pub event: Event,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_false(value: &bool) -> bool {
    !value
}

/// A question by its names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// The judge's name: `gemini:gemini-3.1-pro-preview`, without any address.
    pub judge: String,
    /// The protocol's id.
    pub protocol: String,
    /// SHA-256 of the protocol's file.
    pub protocol_sha256: Sha256,
    /// What was shown.
    pub subject: Subject,
    /// 0 for the first time, counting up where the judge is asked again on purpose.
    pub repeat: u32,
}

impl Asked {
    /// The protocol.
    pub fn protocol(&self) -> ProtocolRef {
        ProtocolRef {
            id: self.protocol.clone(),
            sha256: self.protocol_sha256,
        }
    }
}

/// What a judge is shown.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Subject {
    /// One image.
    Image {
        /// The model that drew it.
        model: String,
        /// The prompt.
        prompt_id: PromptId,
        /// The seed.
        seed: u64,
        /// The bytes; `None` where the image is missing.
        sha256: Option<Sha256>,
    },
    /// Two images of one prompt and seed.
    Pair {
        /// The model that wins or loses.
        model: String,
        /// What it is compared with.
        baseline: String,
        /// The prompt.
        prompt_id: PromptId,
        /// The seed.
        seed: u64,
        /// The bytes of the model's and of the baseline's image; `None` where one is missing.
        sha256: [Option<Sha256>; 2],
        /// Which is Image 1.
        order: Order,
    },
}

impl Subject {
    /// The same subject whatever the bytes are.
    pub(super) fn without_bytes(&self) -> Self {
        let mut subject = self.clone();
        match &mut subject {
            Self::Image { sha256, .. } => *sha256 = None,
            Self::Pair { sha256, .. } => *sha256 = [None, None],
        }
        subject
    }

    /// Whether there is something to show.
    pub(super) fn has_images(&self) -> bool {
        match self {
            Self::Image { sha256, .. } => sha256.is_some(),
            Self::Pair { sha256, .. } => sha256.iter().all(Option::is_some),
        }
    }

    /// The hashes in the order in which the images are shown.
    pub(super) fn shown(&self) -> Vec<Sha256> {
        match self {
            Self::Image { sha256, .. } => sha256.iter().copied().collect(),
            Self::Pair { sha256, order, .. } => {
                let mut hashes: Vec<Sha256> = sha256.iter().flatten().copied().collect();
                if *order == Order::BaselineFirst {
                    hashes.reverse();
                }
                hashes
            }
        }
    }

    /// What it is compared with.
    pub(super) fn baseline(&self) -> Option<&str> {
        match self {
            Self::Image { .. } => None,
            Self::Pair { baseline, .. } => Some(baseline),
        }
    }

    /// The prompt and the seed.
    pub fn prompt_and_seed(&self) -> (&PromptId, u64) {
        match self {
            Self::Image { prompt_id, seed, .. } | Self::Pair { prompt_id, seed, .. } => (prompt_id, *seed),
        }
    }
}

impl std::fmt::Display for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (prompt_id, seed) = self.prompt_and_seed();
        match self {
            Self::Image { model, .. } => write!(f, "`{prompt_id}` seed {seed} of `{model}`"),
            Self::Pair {
                model,
                baseline,
                order,
                ..
            } => {
                let (first, second) = match order {
                    Order::ModelFirst => (model, baseline),
                    Order::BaselineFirst => (baseline, model),
                };
                write!(f, "`{prompt_id}` seed {seed}, `{first}` before `{second}`")
            }
        }
    }
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// An answer, be it cut, blocked or refused.
    Reply(ChatReply),
    /// No answer.
    Failure(ChatFailure),
    /// Nothing was asked, for there is no image.
    NoImage,
}

impl Event {
    /// The tokens, where the server said.
    pub fn usage(&self) -> Option<Usage> {
        match self {
            Self::Reply(reply) => reply.usage,
            Self::Failure(_) | Self::NoImage => None,
        }
    }

    /// Attempts that the server may have billed without an answer that we saw.
    pub(super) fn unanswered(&self) -> u32 {
        match self {
            Self::Reply(reply) => reply.unanswered,
            Self::Failure(failure) => failure.unanswered,
            Self::NoImage => 0,
        }
    }

    /// The model that answered, as the server names it.
    pub fn model_version(&self) -> Option<&str> {
        match self {
            Self::Reply(reply) => reply.model_version.as_deref(),
            Self::Failure(_) | Self::NoImage => None,
        }
    }
}

/// The file name of a judge: its name with everything but letters, digits, `.`, `_` and `-` replaced.
///
/// Names that lose something get a few digits of their hash, so that two judges never share a file.
pub fn judge_slug(judge: &str) -> String {
    let is_fine = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let slug: String = judge
        .chars()
        .map(|c| if is_fine(c) { c } else { '-' })
        .take(80)
        .collect();
    // The colon between provider and model is in every name.
    let is_plain = judge.len() <= 80 && judge.chars().filter(|c| !is_fine(*c)).eq([':']);
    if is_plain
        && judge
            .split_once(':')
            .is_some_and(|(provider, _)| !provider.contains('-'))
    {
        return slug;
    }
    format!("{slug}.{}", crate::run::sha256(judge.as_bytes()).short())
}
