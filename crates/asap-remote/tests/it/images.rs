//! Image generators: what is sent, what comes back, and what goes wrong.

use std::time::Duration;

use asap_remote::stub::{ImageReply, Misbehaviour, Rules};
use asap_remote::{
    BaseUrl, GeneratedImage, ImageClient, ImageEndpoint, ImageFailure, ImageLimits, ImageRequest, Workflow,
};
use serde_json::{Map, Value, json};
use sha2::Digest as _;

use crate::fixture::{Rig, environment};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\nthe rest";

const WORKFLOW: &str = r#"{
    "3": {"class_type": "KSampler", "inputs": {"seed": "{{seed}}", "positive": ["6", 0], "cfg": 3.5}},
    "5": {"class_type": "EmptyLatentImage", "inputs": {"width": "{{width}}", "height": "{{height}}"}},
    "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "{{prompt}}"}},
    "9": {"class_type": "SaveImage", "inputs": {"filename_prefix": "asap_{{seed}}"}}
}"#;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Server {
    OpenAi,
    Comfy,
}

const SERVERS: [Server; 2] = [Server::OpenAi, Server::Comfy];

fn client(rig: &Rig, server: Server, extra: Value) -> ImageClient {
    let base = |text: &str| text.parse::<BaseUrl>().unwrap();
    let endpoint = match server {
        Server::OpenAi => ImageEndpoint::OpenAi {
            base: Some(base(&rig.stub.openai_base())),
            model: "flux".to_owned(),
            extra: extra.as_object().cloned().unwrap_or_default(),
        },
        Server::Comfy => ImageEndpoint::Comfy {
            base: base(rig.stub.base()),
            workflow: Workflow::parse("flux.json", WORKFLOW).unwrap(),
        },
    };
    let limits = ImageLimits {
        max_image_bytes: 1000,
        max_job: Duration::from_secs(20),
    };
    ImageClient::new(endpoint, &environment(), &rig.transport, limits).unwrap()
}

fn request() -> ImageRequest {
    ImageRequest {
        prompt: "two hands".to_owned(),
        negative: None,
        width_px: 64,
        height_px: 48,
        seed: Some(7),
    }
}

fn told(outcome: &Result<GeneratedImage, ImageFailure>, rig: &Rig) -> String {
    match outcome {
        Ok(made) => format!("{} {}", made.image.media_type, made.image.bytes.len()),
        Err(failure) => failure.to_string().replace(rig.stub.base(), ""),
    }
}

fn painter(answer: ImageReply) -> Rules {
    Rules::always("{}").with_images(move |_| answer.clone())
}

#[tokio::test]
async fn the_bytes_are_the_servers_own() {
    for (server, answer, revised) in [
        (
            Server::OpenAi,
            ImageReply::Image(PNG.to_vec()),
            Some("a stub's prompt"),
        ),
        (Server::OpenAi, ImageReply::ByUrl(PNG.to_vec()), None),
        (Server::Comfy, ImageReply::Image(PNG.to_vec()), None),
    ] {
        let rig = Rig::new(painter(answer).with_polls(2)).await;
        let made = client(&rig, server, Value::Null)
            .generate(&request())
            .await
            .unwrap();
        assert_eq!((&made.image.bytes[..], made.image.media_type), (PNG, "image/png"));
        assert_eq!(
            made.image.sha256.to_string(),
            format!("{:x}", sha2::Sha256::digest(PNG))
        );
        assert_eq!(made.revised_prompt.as_deref(), revised);
    }
}

#[tokio::test]
async fn openai_is_asked_in_its_own_form() {
    let rig = Rig::new(painter(ImageReply::Image(PNG.to_vec()))).await;
    let extra = json!({"quality": "high", "response_format": "b64_json"});
    client(&rig, Server::OpenAi, extra)
        .generate(&request())
        .await
        .unwrap();
    let bare = ImageRequest {
        seed: None,
        negative: Some("blur".to_owned()),
        ..request()
    };
    client(&rig, Server::OpenAi, Value::Null)
        .generate(&bare)
        .await
        .unwrap();
    let received = rig.stub.received();
    assert_eq!(received[0].headers["authorization"], "Bearer secret-key");
    assert_eq!(
        received[0].json(),
        json!({"model": "flux", "prompt": "two hands", "n": 1, "size": "64x48", "seed": 7, "quality": "high",
               "response_format": "b64_json"})
    );
    assert_eq!(
        received[1].json(),
        json!({"model": "flux", "prompt": "two hands", "n": 1, "size": "64x48", "negative_prompt": "blur"})
    );
}

#[tokio::test]
async fn comfy_gets_the_filled_graph_and_no_key() {
    let rig = Rig::new(painter(ImageReply::Image(PNG.to_vec())).with_polls(2)).await;
    client(&rig, Server::Comfy, Value::Null)
        .generate(&request())
        .await
        .unwrap();
    let received = rig.stub.received();
    let mut graph: Map<String, Value> = serde_json::from_str(WORKFLOW).unwrap();
    graph["3"]["inputs"]["seed"] = json!(7);
    graph["5"]["inputs"] = json!({"width": 64, "height": 48});
    graph["6"]["inputs"]["text"] = json!("two hands");
    graph["9"]["inputs"]["filename_prefix"] = json!("asap_7");
    assert_eq!(received[0].json(), json!({"prompt": graph}));
    let paths: Vec<&str> = received.iter().map(|request| request.path.as_str()).collect();
    let history = "/history/job-1";
    let view = "/view?filename=job-1.png&subfolder=a+b&type=output";
    assert_eq!(paths, ["/prompt", history, history, history, view]);
    assert!(
        received
            .iter()
            .all(|request| !request.headers.contains_key("authorization"))
    );
    assert_eq!(rig.clock.slept(), [500, 750].map(Duration::from_millis));
}

#[tokio::test]
async fn a_workflow_without_a_seed_is_not_run() {
    let rig = Rig::new(painter(ImageReply::Image(PNG.to_vec()))).await;
    let request = ImageRequest {
        seed: None,
        ..request()
    };
    let outcome = client(&rig, Server::Comfy, Value::Null).generate(&request).await;
    assert_eq!(
        told(&outcome, &rig),
        "`/prompt`: expected a seed for a ComfyUI workflow, got none (after 0 attempts)"
    );
    assert_eq!(rig.stub.n_requests(), 0);
}

#[tokio::test]
async fn failures_are_told_apart() {
    let n_big = 1001;
    for (server, answer, expected) in [
        (
            Server::OpenAi,
            ImageReply::Image(b"<svg xmlns>".to_vec()),
            "`/v1/images/generations`: expected a PNG, JPEG or WebP file, got 11 bytes that begin with \
             3c 73 76 67 20 78 6d 6c",
        ),
        (
            Server::OpenAi,
            ImageReply::Image(vec![0; n_big]),
            "`/v1/images/generations`: expected an image of at most 1000 bytes, got 1001 (after 1 attempts)",
        ),
        (
            Server::OpenAi,
            ImageReply::ByUrl(vec![0; n_big]),
            "`/images/image-1`: expected at most 1000 bytes, got more (after 1 attempts)",
        ),
        (
            Server::Comfy,
            ImageReply::Image(Vec::new()),
            "`/view`: expected a PNG, JPEG or WebP file, got 0 bytes that begin with ",
        ),
        (
            Server::Comfy,
            ImageReply::Fails("CUDA out\nof memory".to_owned()),
            "`/history/job-1`: the workflow failed: node 3 (KSampler): CUDA out of memory",
        ),
    ] {
        let rig = Rig::new(painter(answer)).await;
        let outcome = client(&rig, server, Value::Null).generate(&request()).await;
        assert_eq!(told(&outcome, &rig), expected);
    }
}

#[tokio::test]
async fn a_job_that_never_ends_is_given_up() {
    let rig = Rig::new(painter(ImageReply::Image(PNG.to_vec())).with_polls(1_000_000)).await;
    let outcome = client(&rig, Server::Comfy, Value::Null)
        .generate(&request())
        .await;
    assert_eq!(
        told(&outcome, &rig),
        "`/history/job-1`: no image within 20 s (after 1 attempts)"
    );
}

#[tokio::test]
async fn servers_that_misbehave_are_met_as_those_of_judges() {
    for server in SERVERS {
        let path = match server {
            Server::OpenAi => "/v1/images/generations",
            Server::Comfy => "/prompt",
        };
        for (misbehaviour, expected) in [
            (
                Misbehaviour::RateLimitWithRetryAfter("9".to_owned()),
                "image/png 16".to_owned(),
            ),
            (Misbehaviour::Status(502), "image/png 16".to_owned()),
            (Misbehaviour::Cut, "image/png 16".to_owned()),
            (
                Misbehaviour::Status(401),
                format!("`{path}`: status 401: this is a 401 (after 1 attempts)"),
            ),
            (
                Misbehaviour::Status(404),
                format!("`{path}`: status 404: this is a 404 (after 1 attempts)"),
            ),
            (
                Misbehaviour::BlockedQuestion,
                format!(
                    "`{path}`: a filter stopped the image: status 400: Your request was rejected by the safety system."
                ),
            ),
            (
                Misbehaviour::NotJson,
                format!(
                    "`{path}`: expected JSON, got something else: expected value at line 1 column 1 (after 1 attempts)"
                ),
            ),
        ] {
            let rig = Rig::new(painter(ImageReply::Image(PNG.to_vec())).with_polls(0)).await;
            rig.stub.script([misbehaviour]);
            let outcome = client(&rig, server, Value::Null).generate(&request()).await;
            assert_eq!(told(&outcome, &rig), expected, "{server:?}");
        }
    }
}

#[tokio::test]
async fn a_workflow_that_the_server_refuses_is_told() {
    let rig = Rig::new(painter(ImageReply::Image(PNG.to_vec()))).await;
    let text = r#"{"1": {"class_type": "KSampler", "inputs": {"seed": "{{seed}}", "text": "{{prompt}}"}}}"#;
    let endpoint = ImageEndpoint::Comfy {
        base: rig.stub.base().parse().unwrap(),
        workflow: Workflow::parse("w.json", text).unwrap(),
    };
    let client = ImageClient::new(endpoint, &environment(), &rig.transport, ImageLimits::default()).unwrap();
    assert_eq!(
        told(&client.generate(&request()).await, &rig),
        "`/prompt`: status 400: Prompt has no outputs (after 1 attempts)"
    );
}

#[tokio::test]
async fn a_workflow_is_read_from_a_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("flux.json");
    let base: BaseUrl = "http://127.0.0.1:8188".parse().unwrap();
    let missing = ImageEndpoint::comfy(base.clone(), &path).unwrap_err();
    assert_eq!(missing.to_string(), format!("cannot read `{}`", path.display()));
    std::fs::write(&path, WORKFLOW).unwrap();
    assert!(ImageEndpoint::comfy(base, &path).is_ok());
}
