//! What is asked of a judge over the wire, and what comes back, without any vendor's words for it.
//!
//! `asap-bench` makes requests and reads replies; `asap-remote` carries them. Neither knows the other.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::id::Sha256;

/// An image as it lies on disk: the very bytes, never encoded again.
#[derive(Clone)]
pub struct ImageBytes {
    /// `image/png`, `image/jpeg` or `image/webp`.
    pub media_type: &'static str,
    /// The file.
    pub bytes: Arc<[u8]>,
    /// SHA-256 of the file.
    pub sha256: Sha256,
}

/// The media type of an image that judges take, by its first bytes and not by its name.
pub fn media_type(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ => None,
    }
}

impl std::fmt::Debug for ImageBytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "ImageBytes({}, {} bytes, {})",
            self.media_type,
            self.bytes.len(),
            self.sha256.short()
        )
    }
}

/// A piece of the user's message, in order.
#[derive(Clone, Debug)]
pub enum ChatPart {
    /// Text.
    Text(String),
    /// An image.
    Image(ImageBytes),
}

/// Settings that change what a model answers. `None` leaves the model's own default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sampling {
    /// Limit of the answer in tokens, thoughts included.
    pub max_output_tokens: u32,
    /// Temperature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// Seed, for servers that take one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// Gemini's thinking level, or the reasoning effort of OpenAI-compatible servers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thinking: Option<String>,
    /// How finely images are looked at: `low`, `medium`, `high`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_detail: Option<String>,
}

/// One question to a judge.
#[derive(Clone, Debug)]
pub struct ChatRequest {
    /// The model's id on its server.
    pub model: String,
    /// The system instruction.
    pub system: String,
    /// The user's message.
    pub parts: Vec<ChatPart>,
    /// Name of the answer's schema.
    pub schema_name: String,
    /// JSON Schema of the answer, as JSON text.
    pub schema_json: String,
    /// Settings.
    pub sampling: Sampling,
}

/// Why an answer ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finish {
    /// The model was done.
    Complete,
    /// The limit of tokens was reached: the text may be cut or empty.
    Truncated,
    /// A filter stopped the question or the answer.
    Blocked {
        /// The vendor's word for it.
        reason: String,
    },
    /// The model said that it will not answer.
    Refused {
        /// What it said.
        message: String,
    },
}

/// What a call cost, in tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Text and images of the question, cached ones included.
    pub prompt: u64,
    /// The part of `prompt` that was billed as cached.
    pub cached: u64,
    /// The answer, without thoughts.
    pub output: u64,
    /// Thoughts, billed like output.
    pub thoughts: u64,
}

/// What came back, whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatReply {
    /// The text of the answer; empty where there is none.
    pub text: String,
    /// Why it ended.
    pub finish: Finish,
    /// The model that really answered, as the server names it: a silent change of models shows here.
    pub model_version: Option<String>,
    /// The server's id of the answer.
    pub response_id: Option<String>,
    /// What it cost; `None` where the server does not say.
    pub usage: Option<Usage>,
    /// The body of the response as it came.
    pub raw: String,
    /// Calls made until it came; 1 where a stored body is read again.
    pub attempts: u32,
    /// Attempts that the server may have billed without our seeing an answer: it had the request, and time ran
    /// out or the connection was cut.
    #[serde(default)]
    pub unanswered: u32,
}

/// What kind of failure a call met, which decides what to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChatFailureKind {
    /// Too many requests for the moment, also after all retries.
    RateLimited,
    /// The quota of the day is used up: go on tomorrow.
    DailyQuota,
    /// The key is missing or wrong, or may not use the model.
    Denied,
    /// The server does not take the request, and would not at a second try.
    Rejected,
    /// The server failed, also after all retries.
    Server,
    /// No connection, or it was cut, also after all retries.
    Network,
    /// No answer in time, also after all retries.
    Timeout,
    /// The answer is not what the protocol of the server promises.
    Malformed,
}

/// A call without an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("`{url}`: {message} (after {attempts} attempts)")]
pub struct ChatFailure {
    /// Which kind.
    pub kind: ChatFailureKind,
    /// The address, without key and query.
    pub url: String,
    /// HTTP status, where there was one.
    pub status: Option<u16>,
    /// One line: what was expected and what was got.
    pub message: String,
    /// Calls made.
    pub attempts: u32,
    /// Attempts that the server may have billed without our seeing an answer: it had the request, and time ran
    /// out or the connection was cut.
    #[serde(default)]
    pub unanswered: u32,
}
