//! Image generators: OpenAI's images endpoint and ComfyUI.

mod comfy;
mod openai;
mod workflow;

use std::time::Duration;

use asap_core::Sha256;
use asap_core::chat::{ChatFailure, ChatFailureKind, ImageBytes, media_type};
use bytes::Bytes;
use reqwest::Url;
use serde_json::{Map, Value};
use sha2::Digest as _;

pub use workflow::Workflow;

use crate::address::Vendor;
use crate::base::BaseUrl;
use crate::chat::Server;
use crate::keys::Environment;
use crate::transport::Transport;
use crate::{Error, Result};

/// Where images are made.
#[derive(Clone, Debug)]
pub enum ImageEndpoint {
    /// `POST {base}/images/generations`, as OpenAI, LocalAI, vLLM-Omni and others have it.
    OpenAi {
        /// The server; `None` stands for OpenAI's own.
        base: Option<BaseUrl>,
        /// The model's id on the server.
        model: String,
        /// Further fields of the request, such as `quality`, or `response_format` for servers that need it.
        /// They stand last: a field of the same name replaces ours.
        extra: Map<String, Value>,
    },
    /// ComfyUI's queue.
    Comfy {
        /// The server.
        base: BaseUrl,
        /// The graph that is run.
        workflow: Workflow,
    },
}

/// What is to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageRequest {
    /// The prompt.
    pub prompt: String,
    /// What is not wanted, for servers that take such words.
    pub negative: Option<String>,
    /// Width in pixels.
    pub width_px: u32,
    /// Height in pixels.
    pub height_px: u32,
    /// The seed. OpenAI's own models take none; a ComfyUI workflow needs one.
    pub seed: Option<u64>,
}

/// What was made: the server's very bytes.
#[derive(Clone, Debug)]
pub struct GeneratedImage {
    /// The file.
    pub image: ImageBytes,
    /// The prompt that the server used in place of ours, where it says so.
    pub revised_prompt: Option<String>,
}

/// Why there is no image.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImageFailure {
    /// A filter stopped the prompt or the image.
    #[error("`{url}`: a filter stopped the image: {reason}")]
    Blocked {
        /// The address, without key and query.
        url: String,
        /// The server's words for it.
        reason: String,
    },
    /// The generator failed on this request.
    #[error("`{url}`: the workflow failed: {reason}")]
    WorkflowFailed {
        /// The address.
        url: String,
        /// The node and what it said.
        reason: String,
    },
    /// The bytes are no image that is known here.
    #[error("`{url}`: expected a PNG, JPEG or WebP file, got {n_bytes} bytes that begin with {start}")]
    NotAnImage {
        /// The address.
        url: String,
        /// How many bytes came.
        n_bytes: usize,
        /// The first of them, in hexadecimal.
        start: String,
    },
    /// The call itself failed.
    #[error(transparent)]
    Call(#[from] ChatFailure),
}

/// Limits of an [`ImageClient`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageLimits {
    /// A larger image is refused.
    pub max_image_bytes: usize,
    /// How long a ComfyUI job may take, waiting in the queue included.
    pub max_job: Duration,
}

impl Default for ImageLimits {
    /// 64 MiB and one hour.
    fn default() -> Self {
        Self {
            max_image_bytes: 64 << 20,
            max_job: Duration::from_secs(3600),
        }
    }
}

/// Has images made on one server.
#[derive(Debug)]
pub struct ImageClient {
    endpoint: ImageEndpoint,
    server: Server,
    transport: Transport,
    limits: ImageLimits,
}

impl ImageClient {
    /// Settles server and key; sends nothing.
    ///
    /// # Errors
    /// [`Error::NoKey`].
    pub fn new(
        endpoint: ImageEndpoint,
        environment: &Environment,
        transport: &Transport,
        limits: ImageLimits,
    ) -> Result<Self> {
        let (base, key) = match &endpoint {
            ImageEndpoint::OpenAi { base, .. } => environment.settle(Vendor::OpenAi, base.as_ref())?,
            // ComfyUI knows no keys.
            ImageEndpoint::Comfy { base, .. } => (base.clone(), None),
        };
        Ok(Self {
            endpoint,
            server: Server {
                vendor: Vendor::OpenAi,
                base,
                key,
            },
            transport: transport.clone(),
            limits,
        })
    }

    /// Has one image made.
    ///
    /// # Errors
    /// An [`ImageFailure`] of any kind.
    pub async fn generate(
        &self,
        request: &ImageRequest,
    ) -> std::result::Result<GeneratedImage, ImageFailure> {
        match &self.endpoint {
            ImageEndpoint::OpenAi { model, extra, .. } => openai::generate(self, model, extra, request).await,
            ImageEndpoint::Comfy { workflow, .. } => comfy::generate(self, workflow, request).await,
        }
    }

    /// The bytes as an image.
    fn image(&self, url: &Url, bytes: &[u8]) -> std::result::Result<ImageBytes, ImageFailure> {
        if bytes.len() > self.limits.max_image_bytes {
            let message = format!(
                "expected an image of at most {} bytes, got {}",
                self.limits.max_image_bytes,
                bytes.len()
            );
            return Err(self.failure(url, ChatFailureKind::Malformed, message).into());
        }
        let Some(media_type) = media_type(bytes) else {
            let start: Vec<String> = bytes.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
            return Err(ImageFailure::NotAnImage {
                url: crate::transport::shown(url),
                n_bytes: bytes.len(),
                start: start.join(" "),
            });
        };
        Ok(ImageBytes {
            media_type,
            bytes: bytes.into(),
            sha256: Sha256::from_bytes(sha2::Sha256::digest(bytes).into()),
        })
    }

    fn failure(&self, url: &Url, kind: ChatFailureKind, message: String) -> ChatFailure {
        self.server.call(url, 0).failure(kind, message, 1)
    }

    /// The response as JSON.
    fn json(&self, url: &Url, body: &Bytes) -> std::result::Result<Value, ChatFailure> {
        serde_json::from_slice(body).map_err(|error| {
            let message = format!("expected JSON, got something else: {error}");
            self.failure(url, ChatFailureKind::Malformed, message)
        })
    }

    /// Room for an image as base64 and the JSON around it.
    fn max_json_bytes(&self) -> usize {
        self.limits.max_image_bytes / 3 * 4 + (1 << 20)
    }
}

/// A failed call as a failure to make an image: a filter's refusal is one of its own.
fn refused(error: crate::transport::CallError) -> ImageFailure {
    match error.code.as_deref() {
        Some(code) if error.failure.status == Some(400) && crate::openai::is_block(code) => {
            ImageFailure::Blocked {
                url: error.failure.url,
                reason: error.failure.message,
            }
        }
        _ => error.failure.into(),
    }
}

impl ImageEndpoint {
    /// Reads a workflow file for a ComfyUI server.
    ///
    /// # Errors
    /// [`Error::Read`], [`Error::Workflow`].
    pub fn comfy(base: BaseUrl, workflow: &std::path::Path) -> Result<Self> {
        let read = |source| Error::Read {
            path: workflow.to_owned(),
            source,
        };
        let text = fs_err::read_to_string(workflow).map_err(read)?;
        let workflow = Workflow::parse(&workflow.display().to_string(), &text)?;
        Ok(Self::Comfy { base, workflow })
    }
}
