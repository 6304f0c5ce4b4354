//! OpenAI's chat completions: the request from a question, the answer from a response. No I/O.
//!
//! The shapes are those of `https://platform.openai.com/docs/api-reference/chat`; a test holds them against the
//! types of the vendor's own client.

use asap_core::chat::{ChatPart, ChatReply, ChatRequest, Finish, Usage};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ordered::Ordered;

/// The name of the field that limits the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenLimit {
    /// `max_tokens`: what most compatible servers know.
    MaxTokens,
    /// `max_completion_tokens`: what OpenAI asks for, and its reasoning models insist on.
    MaxCompletionTokens,
}

/// What is done with a temperature that a request names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TemperatureUse {
    /// It is sent.
    Send,
    /// It is left out: reasoning models take none.
    Omit,
}

/// In which of its forms a server wants chat completions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dialect {
    /// The name of the field that limits the answer.
    pub token_limit: TokenLimit,
    /// What is done with a temperature.
    pub temperature: TemperatureUse,
}

impl Dialect {
    /// `max_tokens`, with temperature: vLLM, llama.cpp, Ollama, OpenRouter.
    pub const COMPATIBLE: Self = Self {
        token_limit: TokenLimit::MaxTokens,
        temperature: TemperatureUse::Send,
    };
    /// `max_completion_tokens`, with temperature: OpenAI's own server.
    pub const OPENAI: Self = Self {
        token_limit: TokenLimit::MaxCompletionTokens,
        temperature: TemperatureUse::Send,
    };
    /// `max_completion_tokens`, without temperature: reasoning models.
    pub const REASONING: Self = Self {
        token_limit: TokenLimit::MaxCompletionTokens,
        temperature: TemperatureUse::Omit,
    };
}

/// How a client changed its [`Dialect`] because a server refused a parameter by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Adjustment {
    /// The limit goes by another name from now on.
    TokenLimit(TokenLimit),
    /// The temperature is left out from now on: the model's own holds.
    OmitTemperature,
}

/// The body of a request.
#[derive(Serialize)]
pub(crate) struct OpenAiBody {
    model: String,
    messages: Vec<Message>,
    response_format: ResponseFormat,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_completion_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_effort: Option<String>,
}

#[derive(Serialize)]
#[serde(tag = "role", content = "content", rename_all = "snake_case")]
enum Message {
    System(String),
    User(Vec<Part>),
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Part {
    Text { text: String },
    ImageUrl { image_url: ImageUrl },
}

#[derive(Serialize)]
struct ImageUrl {
    url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum ResponseFormat {
    JsonSchema { json_schema: NamedSchema },
}

#[derive(Serialize)]
struct NamedSchema {
    name: String,
    strict: bool,
    schema: Ordered,
}

impl OpenAiBody {
    pub(crate) fn new(request: &ChatRequest, schema: Ordered, dialect: Dialect) -> Self {
        let sampling = &request.sampling;
        let limit = |name| (dialect.token_limit == name).then_some(sampling.max_output_tokens);
        let system = (!request.system.is_empty()).then(|| Message::System(request.system.clone()));
        let detail = sampling.image_detail.as_deref();
        let parts = request.parts.iter().map(|content| part(content, detail));
        Self {
            model: request.model.clone(),
            messages: system
                .into_iter()
                .chain([Message::User(parts.collect())])
                .collect(),
            response_format: ResponseFormat::JsonSchema {
                json_schema: NamedSchema {
                    name: request.schema_name.clone(),
                    strict: true,
                    schema,
                },
            },
            max_tokens: limit(TokenLimit::MaxTokens),
            max_completion_tokens: limit(TokenLimit::MaxCompletionTokens),
            temperature: sampling
                .temperature
                .filter(|_| dialect.temperature == TemperatureUse::Send),
            seed: sampling.seed,
            reasoning_effort: sampling.thinking.clone(),
        }
    }
}

fn part(part: &ChatPart, detail: Option<&str>) -> Part {
    match part {
        ChatPart::Text(text) => Part::Text { text: text.clone() },
        ChatPart::Image(image) => Part::ImageUrl {
            image_url: ImageUrl {
                url: format!("data:{};base64,{}", image.media_type, BASE64.encode(&image.bytes)),
                detail: detail.map(str::to_owned),
            },
        },
    }
}

/// Which change the refusal of a parameter asks for, if it is one that this protocol has: OpenAI's codes, or the
/// words "not supported" of servers without codes.
pub(crate) fn adjustment(
    dialect: Dialect,
    parameter: Option<&str>,
    code: Option<&str>,
    message: &str,
) -> Option<Adjustment> {
    let lower = message.to_lowercase();
    let is_unsupported = matches!(code, Some("unsupported_parameter" | "unsupported_value"))
        || ["unsupported", "not support"]
            .iter()
            .any(|words| lower.contains(words));
    let other = match dialect.token_limit {
        TokenLimit::MaxTokens => ("max_tokens", TokenLimit::MaxCompletionTokens),
        TokenLimit::MaxCompletionTokens => ("max_completion_tokens", TokenLimit::MaxTokens),
    };
    // Without `param` the first of the names in the message is the refused one; others are advice.
    let names = ["max_completion_tokens", "max_tokens", "temperature"];
    let first_named = || {
        let found = names.iter().filter_map(|name| Some((lower.find(name)?, *name)));
        found.min().map(|(_, name)| name)
    };
    match parameter.or_else(first_named) {
        Some(name) if is_unsupported && name == other.0 => Some(Adjustment::TokenLimit(other.1)),
        Some("temperature") if is_unsupported && dialect.temperature == TemperatureUse::Send => {
            Some(Adjustment::OmitTemperature)
        }
        _ => None,
    }
}

/// Whether a refusal with this code means that a filter stopped the question.
pub(crate) fn is_block(code: &str) -> bool {
    matches!(
        code,
        "content_filter" | "content_policy_violation" | "moderation_blocked"
    )
}

/// Reads the body of a successful response; fails, in words, where it is not what the protocol promises.
pub(crate) fn parse(raw: &str) -> Result<ChatReply, String> {
    let json: Value =
        serde_json::from_str(raw).map_err(|error| format!("expected JSON, got something else: {error}"))?;
    let word = |value: &Value| value.as_str().map(str::to_owned);
    let choice = &json["choices"][0];
    // Routers report the failure of a server behind them with status 200.
    for error in [&json["error"], &choice["error"]] {
        if let Some(message) = error["message"].as_str() {
            return Err(format!(
                "expected an answer, got the error: {}",
                crate::signal::quote(message)
            ));
        }
    }
    let message = &choice["message"];
    if !message.is_object() {
        return Err("expected `choices[0].message`, got none".to_owned());
    }
    let refusal = word(&message["refusal"]).filter(|text| !text.is_empty());
    let finish = match (refusal, choice["finish_reason"].as_str()) {
        (Some(message), _) => Finish::Refused { message },
        (None, Some("length" | "max_tokens")) => Finish::Truncated,
        (None, Some(reason @ ("content_filter" | "safety"))) => Finish::Blocked {
            reason: reason.to_owned(),
        },
        (None, Some(reason @ ("tool_calls" | "function_call" | "error"))) => {
            return Err(format!("expected an answer, got `finish_reason` `{reason}`"));
        }
        (None, _) => Finish::Complete,
    };
    Ok(ChatReply {
        text: text(&message["content"]),
        finish,
        model_version: word(&json["model"]),
        response_id: word(&json["id"]),
        usage: usage(&json["usage"]),
        raw: raw.to_owned(),
        attempts: 1,
        unanswered: 0,
    })
}

/// The content: a text, or for some servers a list of parts.
fn text(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts
            .iter()
            .filter(|part| part["type"] == "text")
            .filter_map(|part| part["text"].as_str())
            .collect(),
        _ => String::new(),
    }
}

/// `None` without the counts of the prompt and of the answer: nothing is known to have been free.
fn usage(json: &Value) -> Option<Usage> {
    let count = |value: &Value| value.as_u64().unwrap_or_default();
    let prompt = json["prompt_tokens"].as_u64()?;
    let completion = json["completion_tokens"].as_u64()?;
    let thoughts = count(&json["completion_tokens_details"]["reasoning_tokens"]);
    Some(Usage {
        prompt,
        cached: count(&json["prompt_tokens_details"]["cached_tokens"]),
        // Completion tokens are counted with the thoughts.
        output: completion.saturating_sub(thoughts),
        thoughts,
    })
}
