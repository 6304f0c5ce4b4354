//! Protocol files and the keys that questions have in the cache.

use asap_bench::judge::{Subject, question_key};
use asap_bench::protocol::{GenerationProtocol, Kind, Protocol, ShowPrompt};
use asap_bench::run::sha256;

use super::fixture::{JUDGE, protocol};

#[test]
fn the_built_in_protocols_are_read() {
    assert_eq!(protocol("aer.v1").file.kind, Kind::Image);
    assert_eq!(protocol("rsi.v1").file.kind, Kind::Pair);
    let generation = GenerationProtocol::built_in().unwrap();
    assert_eq!(
        (generation.reference.id.as_str(), generation.file.size),
        ("generation.v1", 1024)
    );
    assert!(Protocol::built_in("aer.v0", ShowPrompt::Never).is_none());
    let shown = Protocol::built_in("aer.v1", ShowPrompt::Always).unwrap().unwrap();
    assert_eq!(shown.id, "aer.v1+prompt");
}

#[test]
fn the_evidence_comes_before_the_verdict_in_any_order_of_fields() {
    for id in ["aer.v1", "rsi.v1"] {
        let schema = protocol(id).file.answer.schema;
        // serde_json sorts the fields of an object, as some servers do.
        let value: serde_json::Value = serde_json::from_str(&schema).unwrap();
        let sorted: Vec<&String> = value["properties"].as_object().unwrap().keys().collect();
        let written: Vec<&serde_json::Value> = value["required"].as_array().unwrap().iter().collect();
        assert_eq!(
            sorted,
            written
                .iter()
                .map(|name| name.as_str().unwrap())
                .collect::<Vec<_>>()
        );
        let place = |name: &str| sorted.iter().position(|field| *field == name).unwrap();
        assert!(place("reason") < place("verdict"), "{id}");
        every_object_is_closed(&value, id);
    }
}

/// Strict structured output wants every field required and no other.
fn every_object_is_closed(value: &serde_json::Value, id: &str) {
    if value["type"] == "object" {
        assert_eq!(value["additionalProperties"], false, "{id}: {value}");
        let names: Vec<&String> = value["properties"].as_object().unwrap().keys().collect();
        let mut required: Vec<&str> = value["required"]
            .as_array()
            .unwrap()
            .iter()
            .map(|name| name.as_str().unwrap())
            .collect();
        required.sort_unstable();
        assert_eq!(names, required, "{id}");
    }
    match value {
        serde_json::Value::Object(fields) => fields
            .values()
            .for_each(|field| every_object_is_closed(field, id)),
        serde_json::Value::Array(items) => items.iter().for_each(|item| every_object_is_closed(item, id)),
        _ => {}
    }
}

#[test]
fn files_of_ones_own_are_checked() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("own.toml");
    let built_in = include_str!("../../../../../prompts/haf-bench/protocol/aer.v1.toml");
    let read = |text: String| {
        std::fs::write(&path, text).unwrap();
        let read = Protocol::read(&path, ShowPrompt::Never);
        read.map(|protocol| protocol.id).map_err(|error| {
            error
                .to_string()
                .replace(&format!("{}/", dir.path().display()), "")
        })
    };
    let own = built_in.replace("id = \"aer.v1\"", "id = \"aer-strict.v1\"");
    assert_eq!(read(own.clone()).unwrap(), "aer-strict.v1");
    assert_eq!(read(built_in.to_owned()).unwrap(), "aer.v1");
    for (text, expected) in [
        (
            built_in.replace("expert", "amateur"),
            "`own.toml`: `aer.v1` is the id of a built-in protocol with another text; choose another id",
        ),
        (own.replace("[ladder]", "[ladders]"), "unknown field `ladders`"),
        (
            own.replace("\"pass\", \"fail\"", "\"ok\", \"fail\""),
            "expected the verdicts [\"pass\", \"fail\", \"unscorable\"], got [\"ok\"",
        ),
        (
            own.replace("{prompt}", "prompt"),
            "`own.toml`: expected `{prompt}` once in `prompt_note`",
        ),
        (
            own.replace("most_output_tokens = 32768", "most_output_tokens = 1"),
            "expected `most_output_tokens` of at least",
        ),
        (
            own.replace("kind = \"image\"", "kind = \"pair\""),
            "`own.toml`: expected 2 labels, got 0",
        ),
    ] {
        let error = read(text).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
}

fn subject(model: &str, bytes: &[u8]) -> Subject {
    Subject::Image {
        model: model.to_owned(),
        prompt_id: "haf-bas-0001".parse().unwrap(),
        seed: 3,
        sha256: Some(sha256(bytes)),
    }
}

#[test]
fn a_key_depends_on_what_is_asked_and_on_nothing_else() {
    let aer = protocol("aer.v1");
    let key = question_key(&aer, JUDGE, &subject("flux", b"a"), "text", 0);
    assert_eq!(
        key,
        question_key(
            &aer,
            JUDGE,
            &subject("other", b"a"),
            "a text that is not shown",
            0
        )
    );
    let mut warm = aer.clone();
    warm.file.sampling.temperature = Some(0.5);
    let shown = Protocol::built_in("aer.v1", ShowPrompt::Always).unwrap().unwrap();
    for other in [
        question_key(&aer, JUDGE, &subject("flux", b"b"), "text", 0),
        question_key(&aer, JUDGE, &subject("flux", b"a"), "text", 1),
        question_key(&aer, "gemini:stub", &subject("flux", b"a"), "text", 0),
        question_key(&aer, "openai:stub-2", &subject("flux", b"a"), "text", 0),
        question_key(&warm, JUDGE, &subject("flux", b"a"), "text", 0),
        question_key(&shown, JUDGE, &subject("flux", b"a"), "text", 0),
    ] {
        assert_ne!(key, other);
    }
}
