//! Files and batches of both vendors. A batch is answered when it is looked at for the first time after its
//! polls are used up.

use bytes::Bytes;
use serde_json::{Value, json};

use super::response::Sent;
use super::rules::BatchEnd;
use super::{Received, Shared, chat};
use crate::Vendor;

/// A batch that was begun.
#[derive(Clone, Debug)]
pub(super) struct Batch {
    model: String,
    /// Whether the questions came inline, and so go the answers.
    is_inline: bool,
    lines: Vec<Value>,
    n_polls: u32,
}

/// A line that was answered: key, status and body.
struct Answered {
    key: Value,
    status: u16,
    body: Value,
}

impl Shared {
    /// One look at a batch; the batch itself once it is done.
    fn look(&self, id: &str) -> Option<Result<Batch, usize>> {
        let mut state = self.lock();
        let batch = state.batches.get_mut(id)?;
        batch.n_polls += 1;
        Some(match batch.n_polls > self.rules.n_polls {
            true => Ok(batch.clone()),
            false => Err(batch.lines.len()),
        })
    }

    fn answer_lines(&self, vendor: Vendor, batch: &Batch) -> Vec<Answered> {
        let answer = |line: &Value| {
            let (key, question) = match vendor {
                Vendor::OpenAi => (&line["custom_id"], &line["body"]),
                Vendor::Gemini if batch.is_inline => (&line["metadata"]["key"], &line["request"]),
                Vendor::Gemini => (&line["key"], &line["request"]),
            };
            let sent = chat::answer_body(self, vendor, &batch.model, question.clone());
            let (status, body) = match sent {
                Sent::Whole { status, body, .. } => (status, body),
                // A connection that misbehaves has no meaning inside a batch.
                Sent::Cut(_) | Sent::Silence | Sent::Late(..) => (500, Bytes::from_static(b"{}")),
            };
            Answered {
                key: key.clone(),
                status,
                body: serde_json::from_slice(&body).unwrap_or_default(),
            }
        };
        let n_answered = match self.rules.batch_end {
            BatchEnd::Done => batch.lines.len(),
            BatchEnd::Expired => batch.lines.len() / 2,
            BatchEnd::Failed => 0,
        };
        batch.lines.iter().take(n_answered).map(answer).collect()
    }

    fn keep_file(&self, prefix: &str, body: Bytes) -> String {
        let mut state = self.lock();
        let id = state.new_id(prefix);
        state.files.insert(id.clone(), body);
        id
    }

    fn keep_batch(&self, prefix: &str, batch: Batch) -> String {
        let mut state = self.lock();
        let id = state.new_id(prefix);
        state.batches.insert(id.clone(), batch);
        id
    }
}

fn json_lines(body: &[u8]) -> Vec<Value> {
    let lines = body.split(|byte| *byte == b'\n');
    lines
        .filter_map(|line| serde_json::from_slice(line).ok())
        .collect()
}

fn file_of(lines: &[Value]) -> Bytes {
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    text.into()
}

/// The content of a file.
pub(super) fn download(shared: &Shared, id: &str) -> Sent {
    match shared.lock().files.get(id) {
        Some(body) => Sent::bytes("application/octet-stream", body.clone()),
        None => Sent::error(404, "no such file"),
    }
}

/// `POST /v1/files`: takes the part named `file` out of the form.
pub(super) fn openai_upload(shared: &Shared, received: &Received) -> Sent {
    let Some(file) = file_part(received) else {
        return Sent::error(400, "expected a form with the parts `purpose` and `file`");
    };
    let n_bytes = file.len();
    let id = shared.keep_file("file-", file);
    Sent::json(
        200,
        &json!({"id": id, "object": "file", "bytes": n_bytes, "created_at": 1_700_000_000,
                "filename": "asap.jsonl", "purpose": "batch", "status": "processed"}),
    )
}

/// The bytes between the head of the part `file` and the next boundary.
fn file_part(received: &Received) -> Option<Bytes> {
    let boundary = received
        .headers
        .get("content-type")?
        .split_once("boundary=")?
        .1
        .trim_matches('"');
    let body = &received.body;
    let find = |needle: &[u8], from: usize| {
        let found = body
            .get(from..)?
            .windows(needle.len())
            .position(|window| window == needle)?;
        Some(from + found)
    };
    find(b"name=\"purpose\"", 0)?;
    let head = find(b"name=\"file\"", 0)?;
    let start = find(b"\r\n\r\n", head)? + 4;
    let end = find(format!("\r\n--{boundary}").as_bytes(), start)?;
    Some(body.slice(start..end))
}

/// `POST /v1/batches`.
pub(super) fn openai_create(shared: &Shared, received: &Received) -> Sent {
    let body = received.json();
    let file = shared
        .lock()
        .files
        .get(body["input_file_id"].as_str().unwrap_or_default())
        .cloned();
    let Some(file) = file else {
        return Sent::error(400, "no such `input_file_id`");
    };
    let batch = Batch {
        model: String::new(),
        is_inline: false,
        lines: json_lines(&file),
        n_polls: 0,
    };
    let id = shared.keep_batch("batch_", batch);
    let mut json = openai_batch(&id, "validating");
    json["input_file_id"] = body["input_file_id"].clone();
    Sent::json(200, &json)
}

fn openai_batch(id: &str, status: &str) -> Value {
    json!({
        "id": id, "object": "batch", "endpoint": "/v1/chat/completions", "errors": null,
        "input_file_id": "file-0", "completion_window": "24h", "status": status, "created_at": 1_700_000_000,
        "output_file_id": null, "error_file_id": null,
    })
}

/// `GET /v1/batches/{id}`. What was answered stands in the output file, what was refused in the error file.
pub(super) fn openai_poll(shared: &Shared, id: &str) -> Sent {
    let batch = match shared.look(id) {
        None => return Sent::error(404, "no such batch"),
        Some(Err(n_total)) => {
            let mut json = openai_batch(id, "in_progress");
            json["request_counts"] = json!({"total": n_total, "completed": 0, "failed": 0});
            return Sent::json(200, &json);
        }
        Some(Ok(batch)) => batch,
    };
    let (mut output, mut errors) = (Vec::new(), Vec::new());
    for answered in shared.answer_lines(Vendor::OpenAi, &batch) {
        let response = json!({"status_code": answered.status, "request_id": "r", "body": answered.body});
        let line = json!({"id": "l", "custom_id": answered.key, "response": response, "error": null});
        if answered.status == 200 {
            &mut output
        } else {
            &mut errors
        }
        .push(line);
    }
    let status = match shared.rules.batch_end {
        BatchEnd::Done => "completed",
        BatchEnd::Expired => "expired",
        BatchEnd::Failed => "failed",
    };
    let mut json = openai_batch(id, status);
    if status == "failed" {
        json["errors"] = json!({"object": "list", "data": [{"line": 1, "message": "not a line of a batch"}]});
    }
    json["request_counts"] =
        json!({"total": batch.lines.len(), "completed": output.len(), "failed": errors.len()});
    for (name, lines) in [("output_file_id", output), ("error_file_id", errors)] {
        if !lines.is_empty() {
            json[name] = shared.keep_file("file-", file_of(&lines)).into();
        }
    }
    Sent::json(200, &json)
}

/// `POST /upload/v1beta/files`, both steps of it.
pub(super) fn gemini_upload(shared: &Shared, received: &Received) -> Sent {
    match received.headers.get("x-goog-upload-command").map(String::as_str) {
        Some("start") => Sent::Whole {
            status: 200,
            headers: vec![(
                "x-goog-upload-url",
                format!("{}/upload/v1beta/files?upload_id=secret", shared.base),
            )],
            body: Bytes::new(),
        },
        Some("upload, finalize") => {
            let id = shared.keep_file("f", received.body.clone());
            let file = json!({"name": format!("files/{id}"), "mimeType": "application/jsonl",
                              "sizeBytes": received.body.len().to_string(), "state": "ACTIVE"});
            let mut sent = Sent::json(200, &json!({"file": file}));
            if let Sent::Whole { headers, .. } = &mut sent {
                headers.push(("x-goog-upload-status", "final".to_owned()));
            }
            sent
        }
        _ => Sent::error(400, "expected `x-goog-upload-command`"),
    }
}

/// `POST /v1beta/models/{model}:batchGenerateContent`.
pub(super) fn gemini_create(shared: &Shared, model: &str, received: &Received) -> Sent {
    let body = received.json();
    let input = &body["batch"]["inputConfig"];
    let inline = input["requests"]["requests"].as_array();
    let lines = match (inline, input["fileName"].as_str()) {
        (Some(lines), _) => lines.clone(),
        (None, Some(name)) => {
            let file = shared
                .lock()
                .files
                .get(name.trim_start_matches("files/"))
                .cloned();
            json_lines(&file.unwrap_or_default())
        }
        (None, None) => return Sent::error(400, "expected `requests` or `fileName`"),
    };
    let batch = Batch {
        model: model.to_owned(),
        is_inline: inline.is_some(),
        lines,
        n_polls: 0,
    };
    let id = shared.keep_batch("b", batch);
    Sent::json(200, &gemini_batch(&id, "BATCH_STATE_PENDING", model))
}

fn gemini_batch(id: &str, state: &str, model: &str) -> Value {
    json!({
        "name": format!("batches/{id}"),
        "metadata": {
            "@type": "type.googleapis.com/google.ai.generativelanguage.v1main.GenerateContentBatch",
            "name": format!("batches/{id}"), "displayName": "asap", "model": format!("models/{model}"),
            "state": state, "createTime": "2026-01-01T00:00:00Z",
        },
    })
}

/// `GET /v1beta/batches/{id}`.
pub(super) fn gemini_poll(shared: &Shared, id: &str) -> Sent {
    let batch = match shared.look(id) {
        None => return Sent::error(404, "no such batch"),
        Some(Err(n_total)) => {
            let mut json = gemini_batch(id, "BATCH_STATE_RUNNING", "m");
            json["metadata"]["batchStats"] =
                json!({"requestCount": n_total.to_string(), "successfulRequestCount": "0"});
            return Sent::json(200, &json);
        }
        Some(Ok(batch)) => batch,
    };
    let answered = shared
        .answer_lines(Vendor::Gemini, &batch)
        .into_iter()
        .map(|answered| {
            let (name, value) = match answered.status {
                200 => ("response", answered.body),
                _ => ("error", answered.body["error"].clone()),
            };
            match batch.is_inline {
                true => json!({"metadata": {"key": answered.key}, name: value}),
                false => json!({"key": answered.key, name: value}),
            }
        });
    let answered: Vec<Value> = answered.collect();
    let state = match shared.rules.batch_end {
        BatchEnd::Done => "BATCH_STATE_SUCCEEDED",
        BatchEnd::Expired => "BATCH_STATE_EXPIRED",
        BatchEnd::Failed => "BATCH_STATE_FAILED",
    };
    let mut json = gemini_batch(id, state, &batch.model);
    json["done"] = true.into();
    if state == "BATCH_STATE_FAILED" {
        json["error"] = json!({"code": 3, "message": "not a request"});
        return Sent::json(200, &json);
    }
    json["metadata"]["output"] = match batch.is_inline {
        true => json!({"inlinedResponses": {"inlinedResponses": answered}}),
        false => json!({"responsesFile": format!("files/{}", shared.keep_file("f", file_of(&answered)))}),
    };
    Sent::json(200, &json)
}
