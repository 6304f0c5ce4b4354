//! The vendors' own Python clients: their types must take what we send, and they must understand the stub.

use std::process::Command;

use asap_core::chat::ChatPart;
use asap_remote::stub::{ImageReply, Reply, Rules};
use asap_remote::{
    BatchClient, BatchLimits, Dialect, ImageClient, ImageEndpoint, ImageLimits, ImageRequest, Vendor,
};
use serde_json::{Value, json};

use crate::fixture::{KEY, Rig, environment, full_question, question};

/// Bodies by path, as our clients send them.
async fn our_requests(rig: &Rig) -> Value {
    let gemini = rig.client(Vendor::Gemini);
    let openai = rig.client(Vendor::OpenAi);
    let reasoning = rig.client(Vendor::OpenAi).with_dialect(Dialect::REASONING);
    for client in [&gemini, &openai, &reasoning] {
        client.ask(&question(client)).await.unwrap();
        client.ask(&full_question(client)).await.unwrap();
    }
    for (client, max_inline_bytes) in [(&gemini, 0), (&gemini, 1 << 20), (&openai, 0)] {
        let batches = BatchClient::new(client);
        let limits = BatchLimits {
            max_inline_bytes,
            ..BatchLimits::default()
        };
        let requests = [("a".to_owned(), full_question(client))];
        let shard = batches.shards(requests, limits).next().unwrap().unwrap();
        batches.submit(&shard).await.unwrap();
    }
    let endpoint = ImageEndpoint::OpenAi {
        base: Some(rig.stub.openai_base().parse().unwrap()),
        model: "gpt-image-1".to_owned(),
        extra: serde_json::Map::new(),
    };
    let images = ImageClient::new(endpoint, &environment(), &rig.transport, ImageLimits::default()).unwrap();
    let wanted = ImageRequest {
        prompt: "two hands".to_owned(),
        negative: None,
        width_px: 1024,
        height_px: 1024,
        seed: None,
    };
    images.generate(&wanted).await.unwrap();
    let requests: Vec<Value> = rig
        .stub
        .received()
        .iter()
        .map(|request| {
            let text = String::from_utf8_lossy(&request.body);
            json!({"path": request.path, "body": text})
        })
        .collect();
    requests.into()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_vendors_own_clients_agree() {
    let Some(python) = std::env::var_os("ASAP_PYTHON") else {
        let required = std::env::var("ASAP_REQUIRE").unwrap_or_default();
        assert!(
            !required.contains("python"),
            "ASAP_REQUIRE names python, but ASAP_PYTHON is not set"
        );
        println!("skipped the_vendors_own_clients_agree: set ASAP_PYTHON to an interpreter with");
        println!("the packages of tests/python/requirements.txt");
        return;
    };
    let rules = Rules::new(|question| match question.images.len() {
        2 => Reply::Text(r#"{"notes":"two images","choice":"tie"}"#.to_owned()),
        n => Reply::Text(format!("{n} images")),
    });
    let png = b"\x89PNG\r\n\x1a\n".to_vec();
    let rig = Rig::new(
        rules
            .with_images(move |_| ImageReply::Image(png.clone()))
            .with_polls(0),
    )
    .await;
    let requests = our_requests(&rig).await;
    let n_ours = rig.stub.n_requests();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("requests.json");
    std::fs::write(&path, requests.to_string()).unwrap();

    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/python/check_requests.py"
    );
    let mut command = Command::new(python);
    command.arg(script).arg(&path).arg(rig.stub.base());
    for name in [
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "http_proxy",
        "https_proxy",
        "all_proxy",
    ] {
        command.env_remove(name);
    }
    let output = tokio::task::spawn_blocking(move || command.output().unwrap())
        .await
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    let expected =
        "13 requests fit the types of google-genai and openai, and both clients understand the stub";
    assert!(text.contains(expected), "{text}");

    // Google's client, given the same question, sends the same body.
    let client = rig.client(Vendor::Gemini);
    let ours: Value = serde_json::from_slice(&client.body(&full_question(&client)).unwrap()).unwrap();
    let received = rig.stub.received();
    let theirs = &received[n_ours..];
    let live = theirs
        .iter()
        .find(|request| request.path.ends_with(":generateContent"));
    assert_eq!(without_roles(live.unwrap().json()), without_roles(ours.clone()));
    let batch = theirs
        .iter()
        .find(|request| request.path.ends_with(":batchGenerateContent"));
    let inside = &batch.unwrap().json()["batch"]["inputConfig"]["requests"]["requests"][0];
    assert_eq!(inside["metadata"], json!({"key": "a"}));
    assert_eq!(without_roles(inside["request"].clone()), without_roles(ours));
    // And it understood that a question has parts in the order that we gave.
    let ChatPart::Text(first) = &full_question(&client).parts[0] else {
        panic!("a text comes first");
    };
    assert_eq!(live.unwrap().json()["contents"][0]["parts"][0]["text"], *first);
    assert!(live.unwrap().headers["x-goog-api-key"] == KEY);
}

/// The system instruction has no role that means anything; Google's client writes `user`.
fn without_roles(mut body: Value) -> Value {
    if let Some(system) = body["systemInstruction"].as_object_mut() {
        system.remove("role");
    }
    body
}
