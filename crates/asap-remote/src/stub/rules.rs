//! What a stub answers: functions of the question.

use std::fmt;
use std::sync::Arc;

use asap_core::Sha256;
use serde_json::Value;

use super::Misbehaviour;
use crate::Vendor;

/// A question to a judge, read from a request of either protocol.
#[derive(Clone, Debug)]
pub struct Question {
    /// Whose protocol it came by.
    pub vendor: Vendor,
    /// The model that was asked.
    pub model: String,
    /// The system instruction.
    pub system: String,
    /// The texts of the user's message, in order.
    pub texts: Vec<String>,
    /// SHA-256 of the bytes of each image, in order.
    pub images: Vec<Sha256>,
    /// The schema of the answer.
    pub schema: Value,
    /// The whole body.
    pub body: Value,
}

/// An answer to a [`Question`].
#[derive(Clone, Debug)]
pub enum Reply {
    /// The text of a complete answer, right or wrong: for a wrong enum value or cut JSON, write one.
    Text(String),
    /// Something else.
    Misbehave(Misbehaviour),
}

/// A request for an image, read from a request of either protocol.
#[derive(Clone, Debug)]
pub struct ImageQuestion {
    /// OpenAI's `prompt`; of a ComfyUI graph all texts of nodes of class `CLIPTextEncode`, by node id.
    pub prompts: Vec<String>,
    /// OpenAI's `seed`; of a ComfyUI graph the first number named `seed` or `noise_seed`.
    pub seed: Option<u64>,
    /// Width and height in pixels, where the request has them.
    pub size_px: Option<(u32, u32)>,
    /// The whole body.
    pub body: Value,
}

/// An answer to an [`ImageQuestion`].
#[derive(Clone, Debug)]
pub enum ImageReply {
    /// The bytes of a file, inside JSON where the protocol has both ways.
    Image(Vec<u8>),
    /// The same by address: OpenAI's `url`.
    ByUrl(Vec<u8>),
    /// A failure while the image was being made: a ComfyUI node that raised, or status 500.
    Fails(String),
}

/// How batches end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BatchEnd {
    /// Every question is answered.
    Done,
    /// Time is over when half of the questions are answered.
    Expired,
    /// The server refuses the batch as a whole.
    Failed,
}

type ChatRule = dyn Fn(&Question) -> Reply + Send + Sync;
type ImageRule = dyn Fn(&ImageQuestion) -> ImageReply + Send + Sync;

/// How a stub answers. Clones share the functions.
#[derive(Clone)]
pub struct Rules {
    pub(super) chat: Arc<ChatRule>,
    pub(super) image: Option<Arc<ImageRule>>,
    pub(super) n_polls: u32,
    pub(super) batch_end: BatchEnd,
}

impl Rules {
    /// Answers questions, live and in batches, by a function.
    pub fn new(chat: impl Fn(&Question) -> Reply + Send + Sync + 'static) -> Self {
        Self {
            chat: Arc::new(chat),
            image: None,
            n_polls: 1,
            batch_end: BatchEnd::Done,
        }
    }

    /// Always answers with the same text.
    pub fn always(text: &str) -> Self {
        let text = text.to_owned();
        Self::new(move |_| Reply::Text(text.clone()))
    }

    /// Makes images too, by a function. Without one the addresses for images answer 404.
    #[must_use]
    pub fn with_images(self, image: impl Fn(&ImageQuestion) -> ImageReply + Send + Sync + 'static) -> Self {
        Self {
            image: Some(Arc::new(image)),
            ..self
        }
    }

    /// Batches and ComfyUI jobs are not done at the first `n_polls` looks; 1 unless it is set.
    #[must_use]
    pub fn with_polls(self, n_polls: u32) -> Self {
        Self { n_polls, ..self }
    }

    /// Lets batches end in another way than [`BatchEnd::Done`].
    #[must_use]
    pub fn with_batch_end(self, batch_end: BatchEnd) -> Self {
        Self { batch_end, ..self }
    }
}

impl fmt::Debug for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let makes_images = self.image.is_some();
        f.debug_struct("Rules")
            .field("makes_images", &makes_images)
            .finish_non_exhaustive()
    }
}
