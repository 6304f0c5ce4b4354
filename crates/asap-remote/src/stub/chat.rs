//! Questions read from requests, answers written as responses, for both protocols.

use asap_core::Sha256;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};
use sha2::Digest as _;

use super::response::Sent;
use super::rules::{Question, Reply};
use super::{Received, Shared, misbehave};
use crate::Vendor;

/// What an answer is like.
pub(super) enum Answer<'a> {
    Complete(&'a str),
    Truncated(&'a str),
    Blocked,
    Refusal(&'a str),
}

/// Answers one live question.
pub(super) fn answer(shared: &Shared, vendor: Vendor, model: &str, received: &Received) -> Sent {
    let body = received.json();
    if body.is_null() {
        return misbehave::send_for(&super::Misbehaviour::Status(400), vendor, model);
    }
    answer_body(shared, vendor, model, body)
}

/// Answers a question, live or of a batch.
pub(super) fn answer_body(shared: &Shared, vendor: Vendor, model: &str, body: Value) -> Sent {
    let question = question(vendor, model, body);
    match (shared.rules.chat)(&question) {
        Reply::Text(text) => {
            let response = response(vendor, &question.model, &Answer::Complete(&text));
            Sent::json(200, &response)
        }
        Reply::Misbehave(misbehaviour) => misbehave::send_for(&misbehaviour, vendor, &question.model),
    }
}

fn question(vendor: Vendor, model: &str, body: Value) -> Question {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut question = Question {
        vendor,
        model: model.to_owned(),
        system: String::new(),
        texts: Vec::new(),
        images: Vec::new(),
        schema: Value::Null,
        body: Value::Null,
    };
    match vendor {
        Vendor::Gemini => {
            question.system = text(&body["systemInstruction"]["parts"][0]["text"]);
            question.schema = body["generationConfig"]["responseJsonSchema"].clone();
            for part in body["contents"][0]["parts"].as_array().into_iter().flatten() {
                match part["inlineData"]["data"].as_str() {
                    Some(data) => question.images.extend(digest(data)),
                    None => question.texts.push(text(&part["text"])),
                }
            }
        }
        Vendor::OpenAi => {
            question.model = text(&body["model"]);
            question.schema = body["response_format"]["json_schema"]["schema"].clone();
            for message in body["messages"].as_array().into_iter().flatten() {
                if message["role"] == "system" {
                    question.system = text(&message["content"]);
                    continue;
                }
                for part in message["content"].as_array().into_iter().flatten() {
                    match part["image_url"]["url"].as_str() {
                        Some(url) => question
                            .images
                            .extend(url.split_once(',').and_then(|(_, data)| digest(data))),
                        None => question.texts.push(text(&part["text"])),
                    }
                }
            }
        }
    }
    question.body = body;
    question
}

fn digest(base64: &str) -> Option<Sha256> {
    let bytes = BASE64.decode(base64).ok()?;
    Some(Sha256::from_bytes(sha2::Sha256::digest(bytes).into()))
}

/// The response of a vendor's server, with made-up but steady figures of usage.
pub(super) fn response(vendor: Vendor, model: &str, answer: &Answer<'_>) -> Value {
    match vendor {
        Vendor::Gemini => gemini_response(model, answer),
        Vendor::OpenAi => openai_response(model, answer),
    }
}

fn gemini_response(model: &str, answer: &Answer<'_>) -> Value {
    let thought = json!({"text": "Let me count the fingers.", "thought": true});
    let (parts, reason) = match answer {
        Answer::Complete(text) | Answer::Refusal(text) => (json!([thought, {"text": text}]), "STOP"),
        Answer::Truncated(text) => (json!([thought, {"text": text}]), "MAX_TOKENS"),
        Answer::Blocked => (json!([]), "SAFETY"),
    };
    json!({
        "candidates": [{"content": {"role": "model", "parts": parts}, "finishReason": reason, "index": 0}],
        "usageMetadata": {
            "promptTokenCount": 1200, "candidatesTokenCount": 80, "thoughtsTokenCount": 300,
            "cachedContentTokenCount": 100, "totalTokenCount": 1580,
        },
        "modelVersion": format!("{model}-001"),
        "responseId": "stub-response",
    })
}

/// Gemini's answer to a question that it blocks: no candidates at all.
pub(super) fn blocked_question(model: &str) -> Value {
    json!({
        "promptFeedback": {"blockReason": "PROHIBITED_CONTENT"},
        "usageMetadata": {"promptTokenCount": 1200, "totalTokenCount": 1200},
        "modelVersion": format!("{model}-001"),
        "responseId": "stub-response",
    })
}

fn openai_response(model: &str, answer: &Answer<'_>) -> Value {
    let (content, refusal, reason) = match answer {
        Answer::Complete(text) => (json!(text), Value::Null, "stop"),
        Answer::Truncated(text) => (json!(text), Value::Null, "length"),
        Answer::Blocked => (json!(""), Value::Null, "content_filter"),
        Answer::Refusal(text) => (Value::Null, json!(text), "stop"),
    };
    json!({
        "id": "chatcmpl-stub",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": format!("{model}-001"),
        "choices": [{
            "index": 0,
            "message": {"role": "assistant", "content": content, "refusal": refusal},
            "logprobs": null,
            "finish_reason": reason,
        }],
        "usage": {
            "prompt_tokens": 1200, "completion_tokens": 380, "total_tokens": 1580,
            "prompt_tokens_details": {"cached_tokens": 100},
            "completion_tokens_details": {"reasoning_tokens": 300},
        },
    })
}
