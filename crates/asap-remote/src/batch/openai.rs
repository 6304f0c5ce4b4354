//! OpenAI's batches: a file of lines up, a job, two files of lines down.
//!
//! Source: `https://platform.openai.com/docs/api-reference/batch`.

use std::collections::BTreeMap;

use asap_core::chat::{ChatFailure, ChatFailureKind};
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use super::{BatchClient, BatchJob, Ended, Fields, Outcome, Shard, Stage, SubmitFailure, text_of};
use crate::address::Vendor;
use crate::signal::{Failed, quote};
use crate::transport::Answer;

pub(super) async fn submit(client: &BatchClient<'_>, shard: &Shard) -> Result<String, SubmitFailure> {
    let server = client.0.server();
    let url = server.base.join("/files");
    let file = shard.lines(Vendor::OpenAi);
    let build = |http: &reqwest::Client| {
        let length = file.len() as u64;
        let part = Part::stream_with_length(file.clone(), length).file_name("asap.jsonl");
        let form = Form::new().text("purpose", "batch").part("file", part);
        server.signed(http.post(url.clone()).multipart(form))
    };
    // A second copy of a file costs nothing.
    let uploaded = client.call(&url, build).await;
    let file_id = uploaded
        .and_then(|answer| id(client, &url, &answer))
        .map_err(SubmitFailure::before)?;

    let url = server.base.join("/batches");
    let body = json!({
        "input_file_id": file_id,
        "endpoint": "/v1/chat/completions",
        "completion_window": "24h",
    });
    let answer = client.begin(&url, body.to_string().into()).await?;
    id(client, &url, &answer).map_err(SubmitFailure::after)
}

fn id(client: &BatchClient<'_>, url: &reqwest::Url, answer: &Answer) -> Result<String, ChatFailure> {
    match client.json(url, answer)?["id"].as_str() {
        Some(id) if !id.is_empty() => Ok(id.to_owned()),
        _ => Err(client.malformed(url, "expected an `id`, got none".to_owned())),
    }
}

pub(super) async fn poll(client: &BatchClient<'_>, job: &BatchJob) -> Result<Stage, ChatFailure> {
    let url = client.0.server().base.join(&format!("/batches/{}", job.id));
    let batch = client.json(&url, &client.get(&url).await?)?;
    let status = batch["status"].as_str().unwrap_or_default();
    let missing = match status {
        "validating" | "in_progress" | "finalizing" | "cancelling" => {
            let counts = &batch["request_counts"];
            let n_done = counts["completed"].as_u64();
            return Ok(Stage::Running {
                n_done: n_done.map(|n| n.saturating_add(counts["failed"].as_u64().unwrap_or_default())),
            });
        }
        "completed" => (
            ChatFailureKind::Malformed,
            "the batch is complete without an answer to this".to_owned(),
        ),
        "expired" => (
            ChatFailureKind::Timeout,
            "the batch expired before this was answered".to_owned(),
        ),
        "cancelled" => (ChatFailureKind::Rejected, "the batch was cancelled".to_owned()),
        "failed" => (ChatFailureKind::Rejected, refusal(&batch)),
        other => return Err(client.malformed(&url, format!("expected a status of a batch, got `{other}`"))),
    };
    let mut answers = BTreeMap::new();
    for name in ["output_file_id", "error_file_id"] {
        let Some(file_id) = batch[name].as_str() else {
            continue;
        };
        let url = client.0.server().base.join(&format!("/files/{file_id}/content"));
        let file = client.get(&url).await?.body;
        client.read(&url, &file, answer, &mut answers)?;
    }
    Ok(Stage::Ended(Ended { missing, answers }))
}

/// Why a whole batch was refused.
fn refusal(batch: &Value) -> String {
    let first = &batch["errors"]["data"][0];
    let said = first["message"].as_str().unwrap_or("no reason given");
    match first["line"].as_u64() {
        Some(line) => quote(&format!("the batch was refused at line {line}: {said}")),
        None => quote(&format!("the batch was refused: {said}")),
    }
}

fn answer(mut line: Fields) -> Result<(String, Outcome), String> {
    let key = line
        .take_text("custom_id")
        .ok_or("a line of the answers has no `custom_id`")?;
    if let Some(mut error) = line.take_fields("error") {
        let code = error.take_text("code").unwrap_or_default();
        let kind = match code.as_str() {
            "batch_expired" => ChatFailureKind::Timeout,
            "batch_cancelled" => ChatFailureKind::Rejected,
            _ => ChatFailureKind::Server,
        };
        let message = quote(&error.take_text("message").unwrap_or(code));
        let status = None;
        return Ok((
            key,
            Outcome::Failed {
                kind,
                status,
                message,
            },
        ));
    }
    let mut response = line.take_fields("response").unwrap_or(Fields(Vec::new()));
    let status = response
        .take_number("status_code")
        .and_then(|status| u16::try_from(status).ok());
    let body = response
        .take("body")
        .map(|body| text_of(&body))
        .unwrap_or_default();
    match status {
        Some(200) => Ok((key, Outcome::Body(body))),
        Some(status) => Ok((key, refused(status, body))),
        None => {
            let message = "expected a `status_code`, got none".to_owned();
            Ok((key, Outcome::malformed(message)))
        }
    }
}

/// A single question that was refused, as a live call would have been.
fn refused(status: u16, body: String) -> Outcome {
    let signal = Failed {
        status,
        retry_after: None,
        body: body.as_bytes(),
        unix_secs: 0,
    }
    .understand();
    match signal.code {
        Some(code) if status == 400 && crate::openai::is_block(&code) => Outcome::Blocked {
            reason: code,
            raw: body,
        },
        _ => Outcome::Failed {
            kind: signal.kind,
            status: Some(status),
            message: signal.message,
        },
    }
}
