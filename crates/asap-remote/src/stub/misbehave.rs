//! Every way in which a server was seen to go wrong.

use std::time::Duration;

use serde_json::{Value, json};

use super::Received;
use super::response::Sent;
use crate::Vendor;

/// What a stub does in place of a proper answer, in the form of the vendor whose address was called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Misbehaviour {
    /// 429 with Google's `RetryInfo`, such as `58s`, and a per-minute quota.
    RateLimitWithRetryInfo(String),
    /// 429 with the header `Retry-After`, in seconds or as a date.
    RateLimitWithRetryAfter(String),
    /// 429 that says nothing about when to come back.
    RateLimit,
    /// 429 because the quota of the day is used up.
    DailyQuota,
    /// 503 with `RESOURCE_EXHAUSTED`: Gemini's other form of a rate limit.
    ResourceExhausted,
    /// A status with a plain error: 401, 404, 500, 502 ...
    Status(u16),
    /// 400 that names a parameter which the model does not take.
    UnsupportedParameter(&'static str),
    /// An answer that ends at the limit of tokens: `MAX_TOKENS` or `length`.
    Truncated(String),
    /// The question is blocked: `promptFeedback.blockReason`, or 400 with `content_policy_violation`.
    BlockedQuestion,
    /// The answer is blocked: `finishReason` `SAFETY`, or `content_filter`.
    BlockedAnswer,
    /// The model refuses in words: `refusal`. Gemini has no field for it and sends the words as its answer.
    Refusal(String),
    /// No answer for as long as the client waits.
    Silence,
    /// A proper answer, but only after this time.
    Late(Duration, String),
    /// The connection ends in the middle of the body.
    Cut,
    /// A web page in place of JSON, with status 200.
    NotJson,
    /// This body with status 200, whatever it is.
    Body(String),
}

/// The answer to a request at `path`.
pub(super) fn send(misbehaviour: &Misbehaviour, path: &str, received: &Received) -> Sent {
    let is_google = path.starts_with("/v1beta") || path.starts_with("/upload");
    let vendor = if is_google { Vendor::Gemini } else { Vendor::OpenAi };
    let body = received.json();
    let model = match (vendor, body["model"].as_str()) {
        (Vendor::OpenAi, Some(model)) => model.to_owned(),
        _ => path
            .rsplit('/')
            .next()
            .unwrap_or_default()
            .split(':')
            .next()
            .unwrap_or_default()
            .to_owned(),
    };
    send_for(misbehaviour, vendor, &model)
}

/// The answer of a vendor's server.
pub(super) fn send_for(misbehaviour: &Misbehaviour, vendor: Vendor, model: &str) -> Sent {
    let answer = |answer: &super::chat::Answer<'_>| super::chat::response(vendor, model, answer).to_string();
    match misbehaviour {
        Misbehaviour::RateLimitWithRetryInfo(delay) => {
            let detail = json!({"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay});
            Sent::json(
                429,
                &google(429, "RESOURCE_EXHAUSTED", json!([quota("PerMinute"), detail])),
            )
        }
        Misbehaviour::RateLimitWithRetryAfter(after) => match rate_limit(vendor) {
            Sent::Whole {
                status,
                mut headers,
                body,
            } => {
                headers.push(("retry-after", after.clone()));
                Sent::Whole {
                    status,
                    headers,
                    body,
                }
            }
            other => other,
        },
        Misbehaviour::RateLimit => rate_limit(vendor),
        Misbehaviour::DailyQuota => match vendor {
            Vendor::Gemini => Sent::json(429, &google(429, "RESOURCE_EXHAUSTED", json!([quota("PerDay")]))),
            Vendor::OpenAi => {
                let message = "Rate limit reached on requests per day (RPD): Limit 200, Used 200";
                Sent::json(429, &openai(message, Some("rate_limit_exceeded"), None))
            }
        },
        Misbehaviour::ResourceExhausted => Sent::json(503, &google(503, "RESOURCE_EXHAUSTED", json!([]))),
        Misbehaviour::Status(status) => plain(vendor, *status),
        Misbehaviour::UnsupportedParameter(name) => {
            let message = format!("Unsupported parameter: '{name}' is not supported with this model.");
            Sent::json(400, &openai(&message, Some("unsupported_parameter"), Some(name)))
        }
        Misbehaviour::BlockedQuestion => match vendor {
            Vendor::Gemini => Sent::json(200, &super::chat::blocked_question(model)),
            Vendor::OpenAi => {
                let message = "Your request was rejected by the safety system.";
                Sent::json(400, &openai(message, Some("content_policy_violation"), None))
            }
        },
        Misbehaviour::Truncated(text) => json_text(answer(&super::chat::Answer::Truncated(text))),
        Misbehaviour::BlockedAnswer => json_text(answer(&super::chat::Answer::Blocked)),
        Misbehaviour::Refusal(text) => json_text(answer(&super::chat::Answer::Refusal(text))),
        Misbehaviour::Silence => Sent::Silence,
        Misbehaviour::Late(delay, text) => {
            Sent::Late(*delay, answer(&super::chat::Answer::Complete(text)).into())
        }
        Misbehaviour::Cut => Sent::Cut(answer(&super::chat::Answer::Complete("{}")).into()),
        Misbehaviour::NotJson => Sent::bytes("text/html", "<html><body>It works!</body></html>".into()),
        Misbehaviour::Body(text) => json_text(text.clone()),
    }
}

fn json_text(text: String) -> Sent {
    Sent::bytes("application/json", text.into())
}

fn rate_limit(vendor: Vendor) -> Sent {
    match vendor {
        Vendor::Gemini => Sent::json(
            429,
            &google(429, "RESOURCE_EXHAUSTED", json!([quota("PerMinute")])),
        ),
        Vendor::OpenAi => Sent::json(
            429,
            &openai("Rate limit reached", Some("rate_limit_exceeded"), None),
        ),
    }
}

fn plain(vendor: Vendor, status: u16) -> Sent {
    match vendor {
        Vendor::Gemini => Sent::json(status, &google(status, "STATUS", json!([]))),
        Vendor::OpenAi => Sent::json(status, &openai(&format!("this is a {status}"), None, None)),
    }
}

fn google(code: u16, status: &str, details: Value) -> Value {
    json!({"error": {"code": code, "message": format!("this is a {code}"), "status": status, "details": details}})
}

fn quota(period: &str) -> Value {
    json!({
        "@type": "type.googleapis.com/google.rpc.QuotaFailure",
        "violations": [{
            "quotaMetric": "generativelanguage.googleapis.com/generate_content_requests",
            "quotaId": format!("GenerateRequests{period}PerProjectPerModel"),
        }],
    })
}

fn openai(message: &str, code: Option<&str>, parameter: Option<&str>) -> Value {
    json!({"error": {"message": message, "type": "stub", "param": parameter, "code": code}})
}
