//! What is sent, and what is read from an answer, whole.

use asap_core::chat::{Finish, Usage};
use asap_remote::stub::Rules;
use asap_remote::{Dialect, Vendor, parse_reply};
use serde_json::{Value, json};

use crate::fixture::{KEY, Rig, full_question, question};

/// Asks once; gives the request's method, path, key header and body.
async fn sent(vendor: Vendor, is_full: Full) -> (String, String, Value) {
    let rig = Rig::new(Rules::always("{}")).await;
    let client = rig.client(vendor);
    let question = match is_full {
        Full::Yes => full_question(&client),
        Full::No => question(&client),
    };
    client.ask(&question).await.unwrap();
    let received = rig.stub.received().remove(0);
    assert_eq!(received.headers["content-type"], "application/json");
    assert_eq!(received.body, client.body(&question).unwrap());
    let key = match vendor {
        Vendor::Gemini => &received.headers["x-goog-api-key"],
        Vendor::OpenAi => &received.headers["authorization"],
    };
    let line = format!("{} {}", received.method, received.path);
    (line, key.clone(), received.json())
}

enum Full {
    Yes,
    No,
}

fn schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "notes": {"type": "string"},
            "choice": {"type": "string", "enum": ["first", "second", "tie"]},
        },
        "required": ["notes", "choice"],
        "additionalProperties": false,
    })
}

#[tokio::test]
async fn gemini_is_asked_in_its_own_form() {
    let parts = json!([
        {"text": "Image 1"},
        {"inlineData": {"mimeType": "image/png", "data": "Zmlyc3Q="}},
        {"text": "Image 2"},
        {"inlineData": {"mimeType": "image/png", "data": "c2Vjb25k"}},
    ]);
    let mut expected = json!({
        "systemInstruction": {"parts": [{"text": "You judge hands."}]},
        "contents": [{"role": "user", "parts": parts}],
        "generationConfig": {
            "responseMimeType": "application/json",
            "responseJsonSchema": schema(),
            "maxOutputTokens": 8192,
        },
    });
    let (line, key, body) = sent(Vendor::Gemini, Full::No).await;
    assert_eq!(
        (line.as_str(), key.as_str()),
        ("POST /v1beta/models/g:generateContent", KEY)
    );
    assert_eq!(body, expected);

    expected["generationConfig"]["temperature"] = json!(1.0);
    expected["generationConfig"]["seed"] = json!(7);
    expected["generationConfig"]["thinkingConfig"] = json!({"thinkingLevel": "LOW"});
    expected["generationConfig"]["mediaResolution"] = json!("MEDIA_RESOLUTION_HIGH");
    assert_eq!(sent(Vendor::Gemini, Full::Yes).await.2, expected);
}

#[tokio::test]
async fn openai_is_asked_in_its_own_form() {
    let picture = |data: &str| json!({"url": format!("data:image/png;base64,{data}")});
    let mut expected = json!({
        "model": "q",
        "messages": [
            {"role": "system", "content": "You judge hands."},
            {"role": "user", "content": [
                {"type": "text", "text": "Image 1"},
                {"type": "image_url", "image_url": picture("Zmlyc3Q=")},
                {"type": "text", "text": "Image 2"},
                {"type": "image_url", "image_url": picture("c2Vjb25k")},
            ]},
        ],
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "verdict", "strict": true, "schema": schema()},
        },
        "max_tokens": 8192,
    });
    let (line, key, body) = sent(Vendor::OpenAi, Full::No).await;
    assert_eq!(
        (line.as_str(), key.as_str()),
        ("POST /v1/chat/completions", "Bearer secret-key")
    );
    assert_eq!(body, expected);

    expected["temperature"] = json!(1.0);
    expected["seed"] = json!(7);
    expected["reasoning_effort"] = json!("low");
    for part in [1, 3] {
        expected["messages"][1]["content"][part]["image_url"]["detail"] = json!("high");
    }
    assert_eq!(sent(Vendor::OpenAi, Full::Yes).await.2, expected);
}

#[tokio::test]
async fn reasoning_models_are_an_option_of_the_client() {
    let rig = Rig::new(Rules::always("{}")).await;
    let client = rig.client(Vendor::OpenAi).with_dialect(Dialect::REASONING);
    client.ask(&full_question(&client)).await.unwrap();
    let body = rig.stub.received()[0].json();
    assert_eq!(body["max_completion_tokens"], 8192);
    assert_eq!((body.get("max_tokens"), body.get("temperature")), (None, None));
}

#[tokio::test]
async fn the_properties_of_the_schema_keep_their_order() {
    // Sorted they would put the verdict before its evidence.
    let rig = Rig::new(Rules::always("{}")).await;
    for vendor in crate::fixture::VENDORS {
        let client = rig.client(vendor);
        let body = client.body(&question(&client)).unwrap();
        let text = std::str::from_utf8(&body).unwrap();
        let at = |word: &str| text.find(word).unwrap();
        assert!(at(r#""notes":{"type""#) < at(r#""choice":{"type""#), "{text}");
    }
}

#[tokio::test]
async fn what_cannot_be_sent_is_told_before_it_is() {
    let rig = Rig::new(Rules::always("{}")).await;
    let client = rig.client(Vendor::Gemini);
    let mut request = question(&client);
    request.sampling.seed = Some(1 << 40);
    let failure = client.ask(&request).await.unwrap_err();
    assert_eq!(
        failure.message,
        "expected a seed of at most 2147483647, got 1099511627776"
    );
    request.schema_json = "{".to_owned();
    let failure = client.ask(&request).await.unwrap_err();
    assert!(
        failure.message.starts_with("the schema `verdict` is not JSON"),
        "{failure}"
    );
    assert_eq!((failure.attempts, rig.stub.n_requests()), (0, 0));
}

#[tokio::test]
async fn every_field_of_an_answer_is_read() {
    for (vendor, model, id) in [
        (Vendor::Gemini, "g-001", "stub-response"),
        (Vendor::OpenAi, "q-001", "chatcmpl-stub"),
    ] {
        let rig = Rig::new(Rules::always(r#"{"choice":"tie"}"#)).await;
        let client = rig.client(vendor);
        let reply = client.ask(&question(&client)).await.unwrap();
        // Thoughts are no part of the text.
        assert_eq!(
            (reply.text.as_str(), &reply.finish),
            (r#"{"choice":"tie"}"#, &Finish::Complete)
        );
        assert_eq!(reply.model_version.as_deref(), Some(model));
        assert_eq!(reply.response_id.as_deref(), Some(id));
        let usage = Usage {
            prompt: 1200,
            cached: 100,
            output: 80,
            thoughts: 300,
        };
        assert_eq!(reply.usage, Some(usage));
        // The stored text gives the same again.
        assert_eq!(parse_reply(vendor, &reply.raw), Ok(reply));
    }
}

/// Finish and text, or what was expected.
fn read(vendor: Vendor, raw: &Value) -> String {
    match parse_reply(vendor, &raw.to_string()) {
        Ok(reply) => format!("{:?}: {}", reply.finish, reply.text),
        Err(message) => message,
    }
}

#[test]
fn answers_of_gemini_are_told_apart() {
    let candidate = |reason: &str| {
        let parts =
            json!([{"text": "a"}, {"text": "no", "thought": true}, {"functionCall": {}}, {"text": "b"}]);
        json!({"candidates": [{"content": {"parts": parts}, "finishReason": reason}]})
    };
    for (raw, expected) in [
        (candidate("STOP"), "Complete: ab"),
        (candidate("MAX_TOKENS"), "Truncated: ab"),
        (candidate("RECITATION"), r#"Blocked { reason: "RECITATION" }: ab"#),
        (
            candidate("A_NEW_FILTER"),
            r#"Blocked { reason: "A_NEW_FILTER" }: ab"#,
        ),
        (
            candidate("MALFORMED_RESPONSE"),
            "expected an answer, got `finishReason` `MALFORMED_RESPONSE`",
        ),
        (
            json!({"candidates": [{"finishReason": "MAX_TOKENS"}]}),
            "Truncated: ",
        ),
        (
            json!({"promptFeedback": {"blockReason": "SAFETY"}}),
            r#"Blocked { reason: "SAFETY" }: "#,
        ),
        (
            json!({}),
            "expected `candidates` or `promptFeedback.blockReason`, got neither",
        ),
    ] {
        assert_eq!(read(Vendor::Gemini, &raw), expected, "{raw}");
    }
}

#[test]
fn answers_of_openai_are_told_apart() {
    let choice =
        |reason: Value, message: Value| json!({"choices": [{"finish_reason": reason, "message": message}]});
    let said = || json!({"content": "a", "refusal": null});
    for (raw, expected) in [
        (choice(json!("stop"), said()), "Complete: a"),
        (choice(json!(null), json!({"content": "a"})), "Complete: a"),
        (choice(json!("length"), json!({"content": null})), "Truncated: "),
        (
            choice(json!("content_filter"), said()),
            r#"Blocked { reason: "content_filter" }: a"#,
        ),
        (
            choice(json!("stop"), json!({"content": null, "refusal": "No."})),
            r#"Refused { message: "No." }: "#,
        ),
        (
            choice(json!("tool_calls"), said()),
            "expected an answer, got `finish_reason` `tool_calls`",
        ),
        (
            choice(
                json!("stop"),
                json!({"content": [{"type": "text", "text": "a"}, {"type": "x"}]}),
            ),
            "Complete: a",
        ),
        (json!({"choices": []}), "expected `choices[0].message`, got none"),
        (
            json!({"error": {"message": "upstream\nfell over"}}),
            "expected an answer, got the error: upstream fell over",
        ),
    ] {
        assert_eq!(read(Vendor::OpenAi, &raw), expected, "{raw}");
    }
}
