//! ComfyUI's queue, history and files.

use bytes::Bytes;
use serde_json::{Value, json};

use super::response::Sent;
use super::rules::{ImageQuestion, ImageReply};
use super::{Received, Shared};

/// A job in the queue.
#[derive(Clone, Debug)]
pub(super) struct Job {
    /// The node that saves: its id in the graph.
    saver: String,
    made: Result<Bytes, String>,
    n_polls: u32,
}

/// `POST /prompt`. As the real server it wants at least one node that saves.
pub(super) fn queue(shared: &Shared, received: &Received) -> Sent {
    let Some(rule) = &shared.rules.image else {
        return Sent::error(404, "this stub makes no images");
    };
    let body = received.json();
    let graph = body["prompt"].as_object().cloned().unwrap_or_default();
    let saver = graph.iter().find(|(_, node)| node["class_type"] == "SaveImage");
    let Some((saver, _)) = saver else {
        let error = json!({"type": "prompt_no_outputs", "message": "Prompt has no outputs", "details": ""});
        return Sent::json(400, &json!({"error": error, "node_errors": {}}));
    };
    let inputs = |name: &str| {
        graph
            .values()
            .filter_map(|node| node["inputs"].get(name).cloned())
            .collect()
    };
    let number = |name: &str| {
        let found: Vec<Value> = inputs(name);
        found.iter().find_map(Value::as_u64)
    };
    let encoders = graph
        .values()
        .filter(|node| node["class_type"] == "CLIPTextEncode");
    let size = |name: &str| number(name).and_then(|size| u32::try_from(size).ok());
    let question = ImageQuestion {
        prompts: encoders
            .filter_map(|node| node["inputs"]["text"].as_str())
            .map(str::to_owned)
            .collect(),
        seed: number("seed").or_else(|| number("noise_seed")),
        size_px: size("width").zip(size("height")),
        body: body.clone(),
    };
    let made = match rule(&question) {
        ImageReply::Image(bytes) | ImageReply::ByUrl(bytes) => Ok(bytes.into()),
        ImageReply::Fails(message) => Err(message),
    };
    let job = Job {
        saver: saver.clone(),
        made,
        n_polls: 0,
    };
    let mut state = shared.lock();
    let id = state.new_id("job-");
    state.jobs.insert(id.clone(), job);
    Sent::json(
        200,
        &json!({"prompt_id": id, "number": state.n_ids, "node_errors": {}}),
    )
}

/// `GET /history/{id}`: empty until the job has ended.
pub(super) fn history(shared: &Shared, id: &str) -> Sent {
    let mut state = shared.lock();
    let Some(job) = state.jobs.get_mut(id) else {
        return Sent::json(200, &json!({}));
    };
    job.n_polls += 1;
    if job.n_polls <= shared.rules.n_polls {
        return Sent::json(200, &json!({}));
    }
    let entry = match &job.made {
        Ok(_) => {
            let image = json!({"filename": format!("{id}.png"), "subfolder": "a b", "type": "output"});
            json!({
                "prompt": [], "outputs": {&job.saver: {"images": [image]}},
                "status": {"status_str": "success", "completed": true, "messages": []},
            })
        }
        Err(message) => {
            let data = json!({"node_id": "3", "node_type": "KSampler", "exception_message": message});
            json!({
                "prompt": [], "outputs": {},
                "status": {"status_str": "error", "completed": false, "messages": [
                    ["execution_start", {}], ["execution_error", data]]},
            })
        }
    };
    Sent::json(200, &json!({id: entry}))
}

/// `GET /view?filename=...`.
pub(super) fn view(shared: &Shared, received: &Received) -> Sent {
    let name = received.path.split_once("filename=").map(|(_, rest)| rest);
    let id = name
        .and_then(|rest| rest.split_once(".png"))
        .map_or("", |(id, _)| id);
    match shared.lock().jobs.get(id).map(|job| job.made.clone()) {
        Some(Ok(bytes)) => Sent::bytes("image/png", bytes),
        _ => Sent::error(404, "no such file"),
    }
}
