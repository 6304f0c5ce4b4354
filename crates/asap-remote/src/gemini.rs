//! Gemini's `generateContent`: the request from a question, the answer from a response. No I/O.
//!
//! The shapes are those of `https://ai.google.dev/api/generate-content`; a test holds them against the types of
//! the vendor's own client.

use asap_core::chat::{ChatPart, ChatReply, ChatRequest, Finish, Usage};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Serialize;
use serde_json::Value;

use crate::ordered::Ordered;

/// The body of a request.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GeminiBody {
    #[serde(skip_serializing_if = "Option::is_none")]
    system_instruction: Option<Content>,
    contents: [Content; 1],
    generation_config: GenerationConfig,
}

#[derive(Serialize)]
struct Content {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    parts: Vec<Part>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
enum Part {
    Text(String),
    #[serde(rename_all = "camelCase")]
    InlineData {
        mime_type: &'static str,
        data: String,
    },
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GenerationConfig {
    response_mime_type: &'static str,
    response_json_schema: Ordered,
    max_output_tokens: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thinking_config: Option<ThinkingConfig>,
    #[serde(skip_serializing_if = "Option::is_none")]
    media_resolution: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ThinkingConfig {
    thinking_level: String,
}

impl GeminiBody {
    /// Fails, in words, on settings that the protocol cannot carry.
    pub(crate) fn new(request: &ChatRequest, schema: Ordered) -> Result<Self, String> {
        let sampling = &request.sampling;
        let seed = match sampling.seed.map(i32::try_from) {
            Some(Err(_)) => {
                let seed = sampling.seed.unwrap_or_default();
                return Err(format!("expected a seed of at most {}, got {seed}", i32::MAX));
            }
            Some(Ok(seed)) => Some(seed),
            None => None,
        };
        let upper = |word: &String| word.to_uppercase();
        Ok(Self {
            system_instruction: (!request.system.is_empty()).then(|| Content {
                role: None,
                parts: vec![Part::Text(request.system.clone())],
            }),
            contents: [Content {
                role: Some("user"),
                parts: request.parts.iter().map(part).collect(),
            }],
            generation_config: GenerationConfig {
                response_mime_type: "application/json",
                response_json_schema: schema,
                max_output_tokens: sampling.max_output_tokens,
                temperature: sampling.temperature,
                seed,
                thinking_config: sampling.thinking.as_ref().map(|level| ThinkingConfig {
                    thinking_level: upper(level),
                }),
                media_resolution: sampling
                    .image_detail
                    .as_ref()
                    .map(|detail| format!("MEDIA_RESOLUTION_{}", upper(detail))),
            },
        })
    }
}

fn part(part: &ChatPart) -> Part {
    match part {
        ChatPart::Text(text) => Part::Text(text.clone()),
        ChatPart::Image(image) => Part::InlineData {
            mime_type: image.media_type,
            data: BASE64.encode(&image.bytes),
        },
    }
}

/// Reads the body of a successful response; fails, in words, where it is not what the protocol promises.
pub(crate) fn parse(raw: &str) -> Result<ChatReply, String> {
    let json: Value =
        serde_json::from_str(raw).map_err(|error| format!("expected JSON, got something else: {error}"))?;
    let word = |value: &Value| value.as_str().map(str::to_owned);
    let candidate = &json["candidates"][0];
    let finish = match word(&json["promptFeedback"]["blockReason"]) {
        Some(reason) => Finish::Blocked { reason },
        None if candidate.is_null() => {
            return Err("expected `candidates` or `promptFeedback.blockReason`, got neither".to_owned());
        }
        None => finish(candidate["finishReason"].as_str())?,
    };
    let parts = candidate["content"]["parts"].as_array();
    let texts = parts.into_iter().flatten().filter(|part| part["thought"] != true);
    Ok(ChatReply {
        text: texts.filter_map(|part| part["text"].as_str()).collect(),
        finish,
        model_version: word(&json["modelVersion"]),
        response_id: word(&json["responseId"]),
        usage: usage(&json["usageMetadata"]),
        raw: raw.to_owned(),
        attempts: 1,
        unanswered: 0,
    })
}

fn finish(reason: Option<&str>) -> Result<Finish, String> {
    match reason {
        Some("STOP") | None => Ok(Finish::Complete),
        Some("MAX_TOKENS" | "CONTINUATION") => Ok(Finish::Truncated),
        // The model called a tool that nobody offered, or the server lost its words.
        Some(
            reason @ ("MALFORMED_FUNCTION_CALL"
            | "MALFORMED_RESPONSE"
            | "UNEXPECTED_TOOL_CALL"
            | "TOO_MANY_TOOL_CALLS"
            | "MISSING_THOUGHT_SIGNATURE"),
        ) => Err(format!("expected an answer, got `finishReason` `{reason}`")),
        // SAFETY, RECITATION, PROHIBITED_CONTENT and whatever filters come to be.
        Some(reason) => Ok(Finish::Blocked {
            reason: reason.to_owned(),
        }),
    }
}

/// `None` without the count of the prompt, or with neither that of the answer nor the sum: nothing is known to
/// have been free. Google leaves counts of 0 out, so a blocked answer has the sum alone.
fn usage(json: &Value) -> Option<Usage> {
    let count = |name: &str| json[name].as_u64();
    let prompt = count("promptTokenCount")?;
    let thoughts = count("thoughtsTokenCount").unwrap_or_default();
    let rest = || Some(count("totalTokenCount")?.saturating_sub(prompt.saturating_add(thoughts)));
    Some(Usage {
        prompt,
        cached: count("cachedContentTokenCount").unwrap_or_default(),
        output: count("candidatesTokenCount").or_else(rest)?,
        thoughts,
    })
}
