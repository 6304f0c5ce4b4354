//! The vendors' own Python clients: their types must take what we send, and they must understand the stub.

use std::process::Command;

use asap_remote::stub::{ImageReply, Reply, Rules};
use asap_remote::{
    BatchClient, BatchLimits, Dialect, ImageClient, ImageEndpoint, ImageLimits, ImageRequest, Vendor,
};
use serde_json::{Value, json};

use crate::fixture::{Rig, environment, full_question, question};

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
    let sent_to = |method: &str| {
        let found = theirs.iter().find(|request| request.path.ends_with(method));
        found.unwrap().json()
    };
    assert_eq!(in_our_style(&sent_to(":generateContent")), ours);
    let batch = sent_to(":batchGenerateContent");
    let inside = &batch["batch"]["inputConfig"]["requests"]["requests"][0];
    assert_eq!(in_our_style(&inside["request"]), ours);
    assert_eq!(inside["metadata"], json!({"key": "a"}));
}

/// Google's client writes some names in snake case, which its server takes too, and gives the system instruction a
/// role, which means nothing. Names inside the schema are ours.
fn in_our_style(body: &Value) -> Value {
    match body {
        Value::Object(fields) => {
            let field = |(name, value): (&String, &Value)| match name.as_str() {
                "responseJsonSchema" => (name.clone(), value.clone()),
                "systemInstruction" => (name.clone(), json!({"parts": value["parts"]})),
                _ => (in_camel_case(name), in_our_style(value)),
            };
            Value::Object(fields.iter().map(field).collect())
        }
        Value::Array(items) => items.iter().map(in_our_style).collect(),
        other => other.clone(),
    }
}

fn in_camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let mut out = words.next().unwrap_or_default().to_owned();
    for word in words {
        let (first, rest) = word.split_at(1);
        out.push_str(&first.to_uppercase());
        out.push_str(rest);
    }
    out
}
