//! The client that carries a question to a judge and brings the answer back.

use std::sync::{Mutex, PoisonError};

use asap_core::chat::{ChatFailure, ChatFailureKind, ChatReply, ChatRequest, Finish};
use bytes::Bytes;
use reqwest::Url;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};

use crate::address::{JudgeAddress, Vendor};
use crate::base::BaseUrl;
use crate::gemini::GeminiBody;
use crate::keys::{Environment, Key};
use crate::openai::{Adjustment, Dialect, OpenAiBody, TemperatureUse};
use crate::ordered::Ordered;
use crate::transport::{Call, CallError, Repeat, Transport, shown};
use crate::{Result, gemini, openai};

/// No answer of a judge comes near this.
const MAX_REPLY_BYTES: usize = 16 << 20;

/// A server with its key: what the clients of one vendor share.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    pub(crate) vendor: Vendor,
    pub(crate) base: BaseUrl,
    pub(crate) key: Option<Key>,
}

impl Server {
    /// The header that carries the key.
    pub(crate) fn key_header(&self) -> Option<(HeaderName, HeaderValue)> {
        let key = self.key.as_ref()?;
        Some(match self.vendor {
            Vendor::Gemini => (HeaderName::from_static("x-goog-api-key"), key.header("")),
            Vendor::OpenAi => (AUTHORIZATION, key.header("Bearer ")),
        })
    }

    /// `request` with the key.
    pub(crate) fn signed(&self, request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
        match self.key_header() {
            Some((name, value)) => request.header(name, value),
            None => request,
        }
    }

    /// A call to this server.
    pub(crate) fn call<'a>(&'a self, url: &'a Url, max_bytes: usize) -> Call<'a> {
        Call {
            url,
            key: self.key.as_ref(),
            max_bytes,
            repeat: Repeat::Freely,
        }
    }
}

/// Asks one model on one server. Share it between tasks behind a reference.
///
/// Every answer of the server, blocked, refused and truncated ones too, is a [`ChatReply`]; a [`ChatFailure`]
/// is a call that has none. Retries happen inside, under the limiter of the [`Transport`].
#[derive(Debug)]
pub struct ChatClient {
    address: JudgeAddress,
    server: Server,
    transport: Transport,
    dialect: Mutex<(Dialect, Vec<Adjustment>)>,
}

impl ChatClient {
    /// Settles server, key and dialect; sends nothing. The dialect is [`Dialect::OPENAI`] on OpenAI's own server
    /// and [`Dialect::COMPATIBLE`] on any other.
    ///
    /// # Errors
    /// [`crate::Error::NoKey`].
    pub fn new(address: JudgeAddress, environment: &Environment, transport: &Transport) -> Result<Self> {
        let (base, key) = environment.settle(address.vendor(), address.base())?;
        let dialect = match base.as_str() == Vendor::OpenAi.own_base() {
            true => Dialect::OPENAI,
            false => Dialect::COMPATIBLE,
        };
        Ok(Self {
            server: Server {
                vendor: address.vendor(),
                base,
                key,
            },
            address,
            transport: transport.clone(),
            dialect: Mutex::new((dialect, Vec::new())),
        })
    }

    /// Sets the form of OpenAI-compatible requests, such as [`Dialect::REASONING`]. Gemini has one form only.
    #[must_use]
    pub fn with_dialect(self, dialect: Dialect) -> Self {
        Self {
            dialect: Mutex::new((dialect, Vec::new())),
            ..self
        }
    }

    /// The address that it was made for.
    pub const fn address(&self) -> &JudgeAddress {
        &self.address
    }

    /// What the server made this client change in its requests so far.
    pub fn adjustments(&self) -> Vec<Adjustment> {
        self.dialect().1.clone()
    }

    /// Asks.
    ///
    /// A server that refuses `max_tokens`, `max_completion_tokens` or `temperature` by name with status 400 is
    /// asked again without it, once for each, and so are all later questions: see [`ChatClient::adjustments`].
    ///
    /// # Errors
    /// A [`ChatFailure`] of any kind; [`ChatFailureKind::Rejected`] with 0 attempts for a request that the
    /// protocol cannot carry.
    pub async fn ask(&self, request: &ChatRequest) -> std::result::Result<ChatReply, ChatFailure> {
        let url = self.url(&request.model);
        let call = self.server.call(&url, MAX_REPLY_BYTES);
        let mut n_earlier = 0;
        loop {
            let dialect = self.dialect().0;
            let body = body_with(self.server.vendor, request, dialect)
                .map_err(|message| call.failure(ChatFailureKind::Rejected, message, n_earlier))?;
            let build = |http: &reqwest::Client| {
                let post = http.post(url.clone()).header(CONTENT_TYPE, "application/json");
                self.server.signed(post.body(body.clone()))
            };
            match self.transport.call(call, build).await {
                Ok(answer) => {
                    let raw = call.hide(String::from_utf8_lossy(&answer.body).into_owned());
                    let attempts = n_earlier + answer.attempts;
                    return parse_reply(self.server.vendor, &raw)
                        .map(|reply| ChatReply { attempts, ..reply })
                        .map_err(|message| call.failure(ChatFailureKind::Malformed, message, attempts));
                }
                Err(mut error) => {
                    n_earlier += error.failure.attempts;
                    error.failure.attempts = n_earlier;
                    if let Some(reply) = self.after_refusal(error, dialect, request)? {
                        return Ok(reply);
                    }
                }
            }
        }
    }

    /// What a failed call comes to: a reply where a filter stopped the question, `None` where the dialect was
    /// changed and the question can be put again, else the failure itself.
    fn after_refusal(
        &self,
        error: CallError,
        sent: Dialect,
        request: &ChatRequest,
    ) -> std::result::Result<Option<ChatReply>, ChatFailure> {
        if self.server.vendor == Vendor::Gemini || error.failure.status != Some(400) {
            return Err(error.failure);
        }
        let code = error.code.as_deref();
        if let Some(code) = code.filter(|code| openai::is_block(code)) {
            return Ok(Some(ChatReply {
                attempts: error.failure.attempts,
                ..blocked(code.to_owned(), error.body)
            }));
        }
        match openai::adjustment(sent, error.parameter.as_deref(), code, &error.failure.message) {
            Some(adjustment) if self.adjust(sent, adjustment, request) => Ok(None),
            _ => Err(error.failure),
        }
    }

    /// The body that a request is sent with, for records and checks.
    ///
    /// # Errors
    /// In words: what the protocol cannot carry.
    pub fn body(&self, request: &ChatRequest) -> std::result::Result<Bytes, String> {
        body_with(self.server.vendor, request, self.dialect().0)
    }

    /// The server that it asks.
    pub(crate) const fn server(&self) -> &Server {
        &self.server
    }

    /// How its calls are made.
    pub(crate) const fn transport(&self) -> &Transport {
        &self.transport
    }

    fn url(&self, model: &str) -> Url {
        match self.server.vendor {
            Vendor::Gemini => {
                let mut url = self.server.base.join("/v1beta/models/");
                if let Ok(mut path) = url.path_segments_mut() {
                    path.pop_if_empty().push(&format!("{model}:generateContent"));
                }
                url
            }
            Vendor::OpenAi => self.server.base.join("/chat/completions"),
        }
    }

    /// Changes the dialect, unless another task did already; `false` if the change would not help this request.
    fn adjust(&self, sent: Dialect, adjustment: Adjustment, request: &ChatRequest) -> bool {
        if adjustment == Adjustment::OmitTemperature && request.sampling.temperature.is_none() {
            return false;
        }
        let mut state = self.dialect();
        let mut dialect = sent;
        match adjustment {
            Adjustment::TokenLimit(name) => {
                let was_changed = |old: &Adjustment| matches!(old, Adjustment::TokenLimit(_));
                // Once: a server that refuses both names is not asked for ever.
                if state.0 == sent && state.1.iter().any(was_changed) {
                    return false;
                }
                dialect.token_limit = name;
            }
            Adjustment::OmitTemperature => dialect.temperature = TemperatureUse::Omit,
        }
        if state.0 == sent {
            tracing::warn!(
                url = shown(&self.url(&request.model)),
                ?adjustment,
                "the server refuses a parameter: it is sent otherwise from now on"
            );
            state.0 = dialect;
            state.1.push(adjustment);
        }
        true
    }

    fn dialect(&self) -> std::sync::MutexGuard<'_, (Dialect, Vec<Adjustment>)> {
        self.dialect.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The body of a request; fails, in words, on what the protocol cannot carry.
pub(crate) fn body_with(
    vendor: Vendor,
    request: &ChatRequest,
    dialect: Dialect,
) -> std::result::Result<Bytes, String> {
    let schema: Ordered = serde_json::from_str(&request.schema_json)
        .map_err(|error| format!("the schema `{}` is not JSON: {error}", request.schema_name))?;
    let written = match vendor {
        Vendor::Gemini => serde_json::to_vec(&GeminiBody::new(request, schema)?),
        Vendor::OpenAi => serde_json::to_vec(&OpenAiBody::new(request, schema, dialect)),
    };
    Ok(written
        .expect("maps with text keys can be written as JSON")
        .into())
}

/// The reply of a server that says with a failed status that a filter stopped the question.
pub(crate) fn blocked(reason: String, raw: String) -> ChatReply {
    ChatReply {
        text: String::new(),
        finish: Finish::Blocked { reason },
        model_version: None,
        response_id: None,
        usage: None,
        raw,
        attempts: 1,
    }
}

/// Reads the stored body of a successful response again: a pure function, so that a better reader costs no call.
///
/// # Errors
/// In words: what was expected and what was got.
pub fn parse_reply(vendor: Vendor, raw: &str) -> std::result::Result<ChatReply, String> {
    match vendor {
        Vendor::Gemini => gemini::parse(raw),
        Vendor::OpenAi => openai::parse(raw),
    }
}
