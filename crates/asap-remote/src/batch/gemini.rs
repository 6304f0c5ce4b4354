//! Gemini's batches: requests inline or in an uploaded file, a job, answers inline or in a file.
//!
//! Source: `https://ai.google.dev/gemini-api/docs/batch-api`, and for the names on the wire (`BATCH_STATE_*`,
//! `metadata.output`) the vendor's Python client.

use std::collections::BTreeMap;

use asap_core::chat::{ChatFailure, ChatFailureKind};
use bytes::Bytes;
use reqwest::Url;
use serde_json::{Value, json};

use super::{BatchClient, BatchJob, Ended, Fields, Outcome, Shard, Stage, lines, text_of};
use crate::address::Vendor;
use crate::signal::{Failed, quote};
use crate::transport::Repeat;

pub(super) async fn submit(client: &BatchClient<'_>, shard: &Shard) -> Result<String, ChatFailure> {
    let base = &client.0.server().base;
    let model = client.0.address().model();
    let url = base.join(&format!("/v1beta/models/{model}:batchGenerateContent"));
    let body = if shard.is_inline() {
        inline_body(shard)
    } else {
        let name = upload(client, shard.lines(Vendor::Gemini)).await?;
        let body = json!({"batch": {"displayName": "asap", "inputConfig": {"fileName": name}}});
        body.to_string().into()
    };
    let answer = client.post_json(&url, Repeat::IfUndone, body).await?;
    match client.json(&url, &answer)?["name"].as_str() {
        Some(name) if name.starts_with("batches/") => Ok(name.to_owned()),
        name => Err(client.malformed(&url, format!("expected a `name` of `batches/...`, got {name:?}"))),
    }
}

fn inline_body(shard: &Shard) -> Bytes {
    let mut body = br#"{"batch":{"displayName":"asap","inputConfig":{"requests":{"requests":"#.to_vec();
    body.extend_from_slice(&shard.inline());
    body.extend_from_slice(b"}}}}");
    body.into()
}

/// Uploads a file in the two steps of the resumable protocol, and gives its name on the server.
async fn upload(client: &BatchClient<'_>, file: Bytes) -> Result<String, ChatFailure> {
    let server = client.0.server();
    let url = server.base.join("/upload/v1beta/files");
    let describe =
        json!({"file": {"displayName": "asap.jsonl", "mimeType": "application/jsonl"}}).to_string();
    let build = |http: &reqwest::Client| {
        let start = http
            .post(url.clone())
            .header("x-goog-upload-protocol", "resumable")
            .header("x-goog-upload-command", "start")
            .header("x-goog-upload-header-content-length", file.len())
            .header("x-goog-upload-header-content-type", "application/jsonl")
            .header("content-type", "application/json");
        server.signed(start.body(describe.clone()))
    };
    let started = client.call(&url, Repeat::Freely, build).await?;
    let place = started
        .headers
        .get("x-goog-upload-url")
        .and_then(|place| place.to_str().ok());
    let Some(place) = place.and_then(|place| Url::parse(place).ok()) else {
        return Err(client.malformed(
            &url,
            "expected an address in `x-goog-upload-url`, got none".to_owned(),
        ));
    };
    // The address is its own permission: the key is not sent there.
    let build = |http: &reqwest::Client| {
        http.post(place.clone())
            .header("x-goog-upload-offset", "0")
            .header("x-goog-upload-command", "upload, finalize")
            .body(file.clone())
    };
    let answer = client.call(&place, Repeat::Freely, build).await?;
    match client.json(&place, &answer)?["file"]["name"].as_str() {
        Some(name) if name.starts_with("files/") => Ok(name.to_owned()),
        name => Err(client.malformed(&place, format!("expected a `name` of `files/...`, got {name:?}"))),
    }
}

pub(super) async fn poll(client: &BatchClient<'_>, job: &BatchJob) -> Result<Stage, ChatFailure> {
    let base = &client.0.server().base;
    let url = base.join(&format!("/v1beta/{}", job.id));
    let batch = client.json(&url, &client.get(&url).await?)?;
    let metadata = &batch["metadata"];
    let word = metadata["state"].as_str().unwrap_or_default();
    let state = word
        .trim_start_matches("BATCH_STATE_")
        .trim_start_matches("JOB_STATE_");
    let missing = match state {
        "PENDING" | "QUEUED" | "RUNNING" | "CANCELLING" | "PAUSED" | "UPDATING" | "UNSPECIFIED" => {
            let count = |name: &str| counted(&metadata["batchStats"][name]);
            let n_done =
                count("successfulRequestCount").map(|n| n + count("failedRequestCount").unwrap_or(0));
            return Ok(Stage::Running { n_done });
        }
        "SUCCEEDED" | "PARTIALLY_SUCCEEDED" => (
            ChatFailureKind::Malformed,
            "the batch is complete without an answer to this".to_owned(),
        ),
        "EXPIRED" => (
            ChatFailureKind::Timeout,
            "the batch expired before this was answered".to_owned(),
        ),
        "CANCELLED" => (ChatFailureKind::Rejected, "the batch was cancelled".to_owned()),
        "FAILED" => {
            let said = batch["error"]["message"].as_str().unwrap_or("no reason given");
            (
                ChatFailureKind::Rejected,
                quote(&format!("the batch failed: {said}")),
            )
        }
        _ => return Err(client.malformed(&url, format!("expected a state of a batch, got `{word}`"))),
    };
    let answers = fetch(client, &url, &batch).await?;
    Ok(Stage::Ended(Ended { missing, answers }))
}

/// 64-bit numbers are texts in Google's JSON.
fn counted(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

/// The answers of an ended batch: `metadata.output`, and in older forms `response`.
async fn fetch(
    client: &BatchClient<'_>,
    url: &Url,
    batch: &Value,
) -> Result<BTreeMap<String, Outcome>, ChatFailure> {
    let mut answers = BTreeMap::new();
    for output in [&batch["metadata"]["output"], &batch["response"]] {
        let inline = output["inlinedResponses"]["inlinedResponses"].as_array();
        let mut files = Vec::new();
        for item in inline.into_iter().flatten() {
            files.extend_from_slice(item.to_string().as_bytes());
            files.push(b'\n');
        }
        let mut place = url.clone();
        if let Some(name) = output["responsesFile"].as_str() {
            place = client
                .0
                .server()
                .base
                .join(&format!("/v1beta/{name}:download?alt=media"));
            files.extend_from_slice(&client.get(&place).await?.body);
        }
        for line in lines(&files) {
            let (key, outcome) = line
                .and_then(answer)
                .map_err(|message| client.malformed(&place, message))?;
            answers.insert(key, outcome);
        }
        if !answers.is_empty() {
            break;
        }
    }
    Ok(answers)
}

fn answer(mut line: Fields) -> Result<(String, Outcome), String> {
    let inline_key = |line: &mut Fields| line.take_fields("metadata")?.take_text("key");
    let key = line.take_text("key").or_else(|| inline_key(&mut line));
    let key = key.ok_or("an answer has no `key`")?;
    if let Some(response) = line.take("response") {
        return Ok((key, Outcome::Body(text_of(&response))));
    }
    let Some(mut error) = line.take_fields("error").or_else(|| line.take_fields("status")) else {
        return Err(format!(
            "the answer to `{key}` has neither `response` nor `error`"
        ));
    };
    let code = error.take_number("code").unwrap_or_default();
    let message = quote(&error.take_text("message").unwrap_or_default());
    let (kind, status) = kind_of(code);
    Ok((
        key,
        Outcome::Failed {
            kind,
            status,
            message,
        },
    ))
}

/// A code of gRPC (under 17) or of HTTP.
fn kind_of(code: u64) -> (ChatFailureKind, Option<u16>) {
    let kind = match code {
        3 | 5 | 9 | 11 => ChatFailureKind::Rejected,
        7 | 16 => ChatFailureKind::Denied,
        8 => ChatFailureKind::RateLimited,
        1 | 4 => ChatFailureKind::Timeout,
        100..=599 => {
            let status = code as u16;
            let failed = Failed {
                status,
                retry_after: None,
                body: b"",
                unix_secs: 0,
            };
            return (failed.understand().kind, Some(status));
        }
        _ => ChatFailureKind::Server,
    };
    (kind, None)
}
