//! OpenAI's images.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::json;

use super::response::Sent;
use super::rules::{ImageQuestion, ImageReply};
use super::{Received, Shared};

/// `POST /v1/images/generations`.
pub(super) fn generate(shared: &Shared, received: &Received) -> Sent {
    let Some(rule) = &shared.rules.image else {
        return Sent::error(404, "this stub makes no images");
    };
    let body = received.json();
    let size = body["size"].as_str().and_then(|size| {
        let (width, height) = size.split_once('x')?;
        Some((width.parse().ok()?, height.parse().ok()?))
    });
    let question = ImageQuestion {
        prompts: body["prompt"].as_str().map(str::to_owned).into_iter().collect(),
        seed: body["seed"].as_u64(),
        size_px: size,
        body,
    };
    let made = match rule(&question) {
        ImageReply::Image(bytes) => {
            json!({"b64_json": BASE64.encode(bytes), "revised_prompt": "a stub's prompt"})
        }
        ImageReply::ByUrl(bytes) => {
            let mut state = shared.lock();
            let id = state.new_id("image-");
            state.files.insert(id.clone(), bytes.into());
            json!({"url": format!("{}/images/{id}?signature=secret", shared.base)})
        }
        ImageReply::Fails(message) => return Sent::error(500, &message),
    };
    Sent::json(200, &json!({"created": 1_700_000_000, "data": [made]}))
}

/// An image that was answered by address.
pub(super) fn download(shared: &Shared, id: &str) -> Sent {
    match shared.lock().files.get(id) {
        Some(body) => Sent::bytes("image/png", body.clone()),
        None => Sent::error(404, "no such image"),
    }
}
