//! OpenAI's images endpoint.
//!
//! Source: `https://platform.openai.com/docs/api-reference/images/create`.

use asap_core::chat::ChatFailureKind;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use reqwest::Url;
use reqwest::header::CONTENT_TYPE;
use serde_json::{Map, Value, json};

use super::{GeneratedImage, ImageClient, ImageFailure, ImageRequest, refused};
use crate::chat::Server;
use crate::transport::{Call, Repeat};

/// The body of a request. `response_format` is not sent unless `extra` has it: models that always answer with
/// base64 refuse the field.
pub(super) fn body(model: &str, extra: &Map<String, Value>, request: &ImageRequest) -> Value {
    let mut body = json!({
        "model": model,
        "prompt": request.prompt,
        "n": 1,
        "size": format!("{}x{}", request.width_px, request.height_px),
    });
    if let Some(seed) = request.seed {
        body["seed"] = seed.into();
    }
    if let Some(negative) = &request.negative {
        body["negative_prompt"] = negative.as_str().into();
    }
    for (name, value) in extra {
        body[name] = value.clone();
    }
    body
}

pub(super) async fn generate(
    client: &ImageClient,
    model: &str,
    extra: &Map<String, Value>,
    request: &ImageRequest,
) -> Result<GeneratedImage, ImageFailure> {
    let url = client.server.base.join("/images/generations");
    let body = body(model, extra, request).to_string();
    let build = |http: &reqwest::Client| {
        let post = http.post(url.clone()).header(CONTENT_TYPE, "application/json");
        client.server.signed(post.body(body.clone()))
    };
    let call = Call {
        repeat: Repeat::IfUndone,
        ..client.server.call(&url, client.max_json_bytes())
    };
    let answer = client.transport.call(call, build).await.map_err(refused)?;
    let json = client.json(&url, &answer.body)?;
    let malformed = |message: String| client.failure(&url, ChatFailureKind::Malformed, message);
    let made = &json["data"][0];
    let image = match (made["b64_json"].as_str(), made["url"].as_str()) {
        (Some(text), _) => {
            let bytes = BASE64.decode(text).map_err(|error| {
                malformed(format!(
                    "expected base64 in `b64_json`, got something else: {error}"
                ))
            })?;
            client.image(&url, &bytes)?
        }
        (None, Some(place)) => {
            // Servers behind a reverse proxy name places without their host.
            let place = url.join(place);
            let place = place.map_err(|error| malformed(format!("expected an address in `url`: {error}")))?;
            let bytes = download(client, &place).await?;
            client.image(&place, &bytes)?
        }
        (None, None) => {
            return Err(
                malformed("expected `b64_json` or `url` in `data[0]`, got neither".to_owned()).into(),
            );
        }
    };
    Ok(GeneratedImage {
        image,
        revised_prompt: made["revised_prompt"].as_str().map(str::to_owned),
    })
}

/// Fetches a finished image. The key goes along only to the server that it belongs to.
async fn download(client: &ImageClient, place: &Url) -> Result<bytes::Bytes, ImageFailure> {
    let home = client.server.base.join("/");
    let server = Server {
        key: client
            .server
            .key
            .clone()
            .filter(|_| home.origin() == place.origin()),
        ..client.server.clone()
    };
    let build = |http: &reqwest::Client| server.signed(http.get(place.clone()));
    let call = client.server.call(place, client.limits.max_image_bytes);
    Ok(client.transport.call(call, build).await.map_err(refused)?.body)
}
