//! ComfyUI: a graph into the queue, its history until it is done, the image out.
//!
//! Source: `server.py` of ComfyUI.

use std::time::Duration;

use asap_core::chat::ChatFailureKind;
use bytes::Bytes;
use reqwest::Url;
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};

use super::{GeneratedImage, ImageClient, ImageFailure, ImageRequest, Workflow, refused};
use crate::signal::quote;
use crate::transport::shown;

/// The history is looked at after this long, then ever more rarely up to [`SLOWEST_POLL`].
const FIRST_POLL: Duration = Duration::from_millis(500);
const SLOWEST_POLL: Duration = Duration::from_secs(5);

pub(super) async fn generate(
    client: &ImageClient,
    workflow: &Workflow,
    request: &ImageRequest,
) -> Result<GeneratedImage, ImageFailure> {
    let url = client.server.base.join("/prompt");
    let Some(seed) = request.seed else {
        let message = "expected a seed for a ComfyUI workflow, got none".to_owned();
        let call = client.server.call(&url, 0);
        return Err(call.failure(ChatFailureKind::Rejected, message, 0).into());
    };
    let body = json!({"prompt": workflow.fill(request, seed)}).to_string();
    let build = |http: &reqwest::Client| {
        let post = http.post(url.clone()).header(CONTENT_TYPE, "application/json");
        post.body(body.clone())
    };
    let call = client.server.call(&url, client.max_json_bytes());
    let answer = client.transport.call(call, build).await.map_err(refused)?;
    let queued = client.json(&url, &answer.body)?;
    // The id becomes a part of an address.
    let is_id = |id: &&str| {
        id.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let Some(id) = queued["prompt_id"].as_str().filter(is_id) else {
        let message = "expected a `prompt_id`, got none".to_owned();
        return Err(client.failure(&url, ChatFailureKind::Malformed, message).into());
    };
    let entry = finished(client, id).await?;
    let place = output(client, id, &entry)?;
    let bytes = get(client, &place, client.limits.max_image_bytes).await?;
    Ok(GeneratedImage {
        image: client.image(&place, &bytes)?,
        revised_prompt: None,
    })
}

async fn get(client: &ImageClient, url: &Url, max_bytes: usize) -> Result<Bytes, ImageFailure> {
    let call = client.server.call(url, max_bytes);
    let build = |http: &reqwest::Client| http.get(url.clone());
    Ok(client.transport.call(call, build).await.map_err(refused)?.body)
}

fn history_url(client: &ImageClient, id: &str) -> Url {
    client.server.base.join(&format!("/history/{id}"))
}

/// The job's entry in the history, once it has ended.
async fn finished(client: &ImageClient, id: &str) -> Result<Value, ImageFailure> {
    let url = history_url(client, id);
    let clock = client.transport.clock();
    let deadline = clock.now() + client.limits.max_job;
    let mut pause = FIRST_POLL;
    loop {
        let body = get(client, &url, client.max_json_bytes()).await?;
        let mut history = client.json(&url, &body)?;
        let entry = history[id].take();
        if entry["status"]["status_str"] == "error" {
            return Err(ImageFailure::WorkflowFailed {
                url: shown(&url),
                reason: error_of(&entry),
            });
        }
        // An entry appears when the job has ended; only newer servers say so in it.
        if entry.is_object() && entry["status"]["completed"] != false {
            return Ok(entry);
        }
        if clock.now() >= deadline {
            let message = format!("no image within {} s", client.limits.max_job.as_secs());
            return Err(client.failure(&url, ChatFailureKind::Timeout, message).into());
        }
        clock.sleep(pause).await;
        pause = pause.mul_f64(1.5).min(SLOWEST_POLL);
    }
}

fn error_of(entry: &Value) -> String {
    let messages = entry["status"]["messages"].as_array();
    let told = messages.into_iter().flatten().rev().find_map(|message| {
        let data = &message[1];
        let text = data["exception_message"].as_str()?;
        let (id, class) = (data["node_id"].as_str(), data["node_type"].as_str());
        Some(format!(
            "node {} ({}): {text}",
            id.unwrap_or("?"),
            class.unwrap_or("?")
        ))
    });
    quote(&told.unwrap_or_else(|| "the server does not say why".to_owned()))
}

/// Where the one image of a job lies: of the saved ones, or where nothing was saved, of the previews.
fn output(client: &ImageClient, id: &str, entry: &Value) -> Result<Url, ImageFailure> {
    let nodes = entry["outputs"].as_object();
    let images: Vec<&Value> = nodes
        .into_iter()
        .flat_map(|nodes| nodes.values())
        .filter_map(|node| node["images"].as_array())
        .flatten()
        .collect();
    let of_type = |wanted: &str| -> Vec<&Value> {
        let fitting = images.iter().filter(|image| image["type"] == wanted);
        fitting.copied().collect()
    };
    let mut found = of_type("output");
    if found.is_empty() {
        found = of_type("temp");
    }
    let [image] = found[..] else {
        return Err(ImageFailure::WorkflowFailed {
            url: shown(&history_url(client, id)),
            reason: match found.len() {
                0 => "it ended without a new image: has it a `SaveImage` node?".to_owned(),
                n => format!("expected one image, got {n}: leave one `SaveImage` node and a batch size of 1"),
            },
        });
    };
    let mut url = client.server.base.join("/view");
    {
        let mut query = url.query_pairs_mut();
        for name in ["filename", "subfolder", "type"] {
            query.append_pair(name, image[name].as_str().unwrap_or_default());
        }
    }
    Ok(url)
}
