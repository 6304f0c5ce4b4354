//! Batches: many questions at half the price, answered within a day.
//!
//! Questions go in with the caller's keys and answers come out with them, as the same [`ChatReply`] and
//! [`ChatFailure`] that a live call gives, so both fill one cache and a batch can be finished live. A
//! [`BatchJob`] is plain data: keep it on disk, and a run that was killed goes on polling.

mod gemini;
mod openai;
mod shard;

use std::collections::BTreeMap;
use std::time::Duration;

use asap_core::chat::{ChatFailure, ChatFailureKind, ChatReply, ChatRequest};
use bytes::Bytes;
use reqwest::Url;
use reqwest::header::CONTENT_TYPE;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use shard::{BatchLimits, Shard, Shards};

use crate::address::Vendor;
use crate::chat::{ChatClient, blocked, parse_reply};
use crate::ordered::Ordered;
use crate::transport::{Answer, Call, Repeat};

/// A file of answers holds text only.
const MAX_RESULT_BYTES: usize = 1 << 30;

/// A batch that a server works on. Plain data, to be stored as soon as it is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchJob {
    /// Whose protocol.
    pub vendor: Vendor,
    /// The server's base address.
    pub base: String,
    /// The model.
    pub model: String,
    /// The server's name for it.
    pub id: String,
    /// The caller's keys, in their order.
    pub keys: Vec<String>,
}

/// An answer under its key. Its `raw` is the response inside the line of the batch, written anew.
pub type Keyed = (String, Result<ChatReply, ChatFailure>);

/// How far a batch is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BatchProgress {
    /// Not ended.
    Running {
        /// Questions answered so far, where the server says.
        n_done: Option<u64>,
    },
    /// Ended, well or not: one answer or failure for each key of the job, in their order.
    Ended(Vec<Keyed>),
}

/// Makes and follows batches on the server of a [`ChatClient`].
#[derive(Clone, Copy, Debug)]
pub struct BatchClient<'a>(&'a ChatClient);

/// How a batch ended, and what was answered.
struct Ended {
    /// For keys without an answer.
    missing: (ChatFailureKind, String),
    answers: BTreeMap<String, Outcome>,
}

/// What stands under one key: the body of a response, or status and body of a refusal.
enum Outcome {
    Body(String),
    /// A filter stopped the question; `raw` is what the server said.
    Blocked {
        reason: String,
        raw: String,
    },
    Failed {
        kind: ChatFailureKind,
        status: Option<u16>,
        message: String,
    },
}

/// Where a batch is, before its answers are fetched.
enum Stage {
    Running { n_done: Option<u64> },
    Ended(Ended),
}

impl<'a> BatchClient<'a> {
    /// Sends nothing.
    pub const fn new(chat: &'a ChatClient) -> Self {
        Self(chat)
    }

    /// Cuts requests into batches that the server takes. Each is made when it is asked for, so that the images of
    /// one only are in memory.
    ///
    /// The form of an OpenAI-compatible request is the client's [`crate::Dialect`] at that time: set it, for a
    /// batch cannot be adjusted once it is under way.
    pub fn shards<I>(&self, requests: I, limits: BatchLimits) -> Shards<'a, I::IntoIter>
    where
        I: IntoIterator<Item = (String, ChatRequest)>,
    {
        Shards::new(self.0, requests.into_iter(), limits)
    }

    /// Uploads a shard and begins the batch. Store the job at once: it is paid for.
    ///
    /// The last step is repeated only when the server surely did not do it; after any other failure the server
    /// may have begun the batch.
    ///
    /// # Errors
    /// A [`ChatFailure`] of any kind.
    pub async fn submit(&self, shard: &Shard) -> Result<BatchJob, ChatFailure> {
        let id = match self.0.server().vendor {
            Vendor::Gemini => gemini::submit(self, shard).await?,
            Vendor::OpenAi => openai::submit(self, shard).await?,
        };
        Ok(BatchJob {
            vendor: self.0.server().vendor,
            base: self.0.server().base.to_string(),
            model: self.0.address().model().to_owned(),
            id,
            keys: shard.keys().map(str::to_owned).collect(),
        })
    }

    /// Looks once, and fetches the answers when the batch has ended.
    ///
    /// # Errors
    /// A [`ChatFailure`] of the look itself; those of single questions stand under their keys.
    pub async fn poll(&self, job: &BatchJob) -> Result<BatchProgress, ChatFailure> {
        let server = self.0.server();
        if (job.vendor, job.base.as_str()) != (server.vendor, server.base.as_str()) {
            let url = server.base.join("/");
            let message = format!(
                "the batch `{}` was made on `{}`, this client asks `{}`",
                job.id, job.base, server.base
            );
            return Err(server
                .call(&url, 0)
                .failure(ChatFailureKind::Rejected, message, 0));
        }
        let stage = match server.vendor {
            Vendor::Gemini => gemini::poll(self, job).await?,
            Vendor::OpenAi => openai::poll(self, job).await?,
        };
        Ok(match stage {
            Stage::Running { n_done } => BatchProgress::Running { n_done },
            Stage::Ended(ended) => BatchProgress::Ended(self.answers(job, ended)),
        })
    }

    /// Polls until the batch has ended.
    ///
    /// # Errors
    /// As [`BatchClient::poll`].
    pub async fn wait(&self, job: &BatchJob, every: Duration) -> Result<Vec<Keyed>, ChatFailure> {
        loop {
            match self.poll(job).await? {
                BatchProgress::Ended(answers) => return Ok(answers),
                BatchProgress::Running { n_done } => {
                    tracing::debug!(id = job.id, ?n_done, "batch is running");
                    self.0.transport().clock().sleep(every).await;
                }
            }
        }
    }

    fn answers(&self, job: &BatchJob, mut ended: Ended) -> Vec<Keyed> {
        let url = self.0.server().base.join("/");
        let call = self.0.server().call(&url, 0);
        let mut answer = |key: &String| match ended.answers.remove(key) {
            None => {
                let (kind, message) = ended.missing.clone();
                Err(call.failure(kind, message, 1))
            }
            Some(Outcome::Failed {
                kind,
                status,
                message,
            }) => Err(ChatFailure {
                status,
                ..call.failure(kind, message, 1)
            }),
            Some(Outcome::Blocked { reason, raw }) => Ok(blocked(reason, call.hide(raw))),
            Some(Outcome::Body(raw)) => parse_reply(job.vendor, &call.hide(raw))
                .map_err(|message| call.failure(ChatFailureKind::Malformed, message, 1)),
        };
        job.keys.iter().map(|key| (key.clone(), answer(key))).collect()
    }

    /// A call to the server.
    async fn call(
        &self,
        url: &Url,
        repeat: Repeat,
        build: impl Fn(&reqwest::Client) -> reqwest::RequestBuilder,
    ) -> Result<Answer, ChatFailure> {
        let call = Call {
            repeat,
            ..self.0.server().call(url, MAX_RESULT_BYTES)
        };
        Ok(self.0.transport().call(call, build).await?)
    }

    async fn get(&self, url: &Url) -> Result<Answer, ChatFailure> {
        let build = |http: &reqwest::Client| self.0.server().signed(http.get(url.clone()));
        self.call(url, Repeat::Freely, build).await
    }

    async fn post_json(&self, url: &Url, repeat: Repeat, body: Bytes) -> Result<Answer, ChatFailure> {
        let build = |http: &reqwest::Client| {
            let post = http.post(url.clone()).header(CONTENT_TYPE, "application/json");
            self.0.server().signed(post.body(body.clone()))
        };
        self.call(url, repeat, build).await
    }

    /// The response as JSON.
    fn json(&self, url: &Url, answer: &Answer) -> Result<Value, ChatFailure> {
        serde_json::from_slice(&answer.body)
            .map_err(|error| self.malformed(url, format!("expected JSON, got something else: {error}")))
    }

    fn malformed(&self, url: &Url, message: String) -> ChatFailure {
        let call = self.0.server().call(url, 0);
        call.failure(ChatFailureKind::Malformed, message, 1)
    }
}

/// The lines of a file of answers, each as an object in its order.
fn lines(body: &[u8]) -> impl Iterator<Item = Result<Fields, String>> {
    let lines = body.split(|byte| *byte == b'\n').enumerate();
    let lines = lines.filter(|(_, line)| !line.trim_ascii().is_empty());
    lines.map(|(index, line)| match serde_json::from_slice(line) {
        Ok(Ordered::Object(fields)) => Ok(Fields(fields)),
        Ok(_) => Err(format!("line {} of the answers is no JSON object", index + 1)),
        Err(error) => Err(format!("line {} of the answers is not JSON: {error}", index + 1)),
    })
}

/// A JSON object whose parts can be taken out.
struct Fields(Vec<(String, Ordered)>);

impl Fields {
    /// The value under `name`, if it is there and not null.
    fn take(&mut self, name: &str) -> Option<Ordered> {
        let index = self.0.iter().position(|(field, _)| field == name)?;
        Some(self.0.swap_remove(index).1).filter(|value| *value != Ordered::Null)
    }

    fn take_text(&mut self, name: &str) -> Option<String> {
        match self.take(name)? {
            Ordered::Text(text) => Some(text),
            _ => None,
        }
    }

    fn take_fields(&mut self, name: &str) -> Option<Self> {
        match self.take(name)? {
            Ordered::Object(fields) => Some(Self(fields)),
            _ => None,
        }
    }

    fn take_number(&mut self, name: &str) -> Option<u64> {
        match self.take(name)? {
            Ordered::Number(number) => number.as_u64(),
            _ => None,
        }
    }
}

/// JSON as text, in its order.
fn text_of(json: &Ordered) -> String {
    serde_json::to_string(json).expect("JSON can be written as JSON")
}
