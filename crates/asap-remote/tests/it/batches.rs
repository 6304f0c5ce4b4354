//! Batches: sharding, the way there and back, and what is missing.

use std::time::Duration;

use asap_core::chat::{ChatPart, ChatRequest};
use asap_remote::stub::{BatchEnd, Misbehaviour, Reply, Rules};
use asap_remote::{BatchClient, BatchJob, BatchLimits, BatchProgress, ChatClient, Keyed, Vendor};
use serde_json::Value;

use crate::fixture::{KEY, Rig, VENDORS, question, told};

/// A question whose answer is its own first text.
fn numbered(client: &ChatClient, number: usize) -> (String, ChatRequest) {
    let mut request = question(client);
    request.parts[0] = ChatPart::Text(format!("question {number}"));
    (format!("key-{number}"), request)
}

/// Answers with the first text, but for what `odd` says.
fn echo(odd: impl Fn(&str) -> Option<Misbehaviour> + Send + Sync + 'static) -> Rules {
    Rules::new(move |question| match odd(&question.texts[0]) {
        Some(misbehaviour) => Reply::Misbehave(misbehaviour),
        None => Reply::Text(question.texts[0].clone()),
    })
}

fn small(max_inline_bytes: usize) -> BatchLimits {
    BatchLimits {
        max_inline_bytes,
        ..BatchLimits::default()
    }
}

fn lines(answers: &[Keyed]) -> Vec<String> {
    let lines = answers
        .iter()
        .map(|(key, outcome)| format!("{key} {}", told(outcome)));
    lines.collect()
}

#[tokio::test]
async fn answers_come_back_under_their_keys_as_from_live_calls() {
    // Gemini by a file and inline; OpenAI always by a file.
    for (vendor, limits) in [
        (Vendor::Gemini, small(0)),
        (Vendor::Gemini, small(1 << 20)),
        (Vendor::OpenAi, small(0)),
    ] {
        let rules = echo(|text| match text {
            "question 1" => Some(Misbehaviour::Truncated("{".to_owned())),
            "question 2" => Some(Misbehaviour::BlockedQuestion),
            "question 3" => Some(Misbehaviour::Status(404)),
            _ => None,
        });
        let rig = Rig::new(rules.with_polls(2)).await;
        let client = rig.client(vendor);
        let batches = BatchClient::new(&client);
        let requests: Vec<_> = (0..5).map(|number| numbered(&client, number)).collect();
        let shards: Vec<_> = batches.shards(requests, limits).map(Result::unwrap).collect();
        assert_eq!(shards.len(), 1);
        let job = batches.submit(&shards[0]).await.unwrap();

        // The job survives the run: written, read, followed by another client.
        let stored = serde_json::to_string(&job).unwrap();
        assert!(!stored.contains(KEY));
        let job: BatchJob = serde_json::from_str(&stored).unwrap();
        let other = rig.client(vendor);
        let batches = BatchClient::new(&other);
        assert!(matches!(
            batches.poll(&job).await.unwrap(),
            BatchProgress::Running { n_done: Some(0) }
        ));
        let answers = batches.wait(&job, Duration::from_secs(60)).await.unwrap();
        assert_eq!(rig.slept_secs(), [60]);

        let blocked = match vendor {
            Vendor::Gemini => r#"key-2 Blocked { reason: "PROHIBITED_CONTENT" }: "#,
            Vendor::OpenAi => r#"key-2 Blocked { reason: "content_policy_violation" }: "#,
        };
        let missing = match vendor {
            Vendor::Gemini => "key-3 Rejected 404: this is a 404 (1)",
            Vendor::OpenAi => "key-3 Rejected 404: status 404: this is a 404 (1)",
        };
        assert_eq!(
            lines(&answers),
            [
                "key-0 Complete: question 0",
                "key-1 Truncated: {",
                blocked,
                missing,
                "key-4 Complete: question 4"
            ]
        );
        // But for the raw text, the reply is that of a live call.
        let mut live = client.ask(&numbered(&client, 0).1).await.unwrap();
        let batched = answers[0].1.clone().unwrap();
        live.raw.clone_from(&batched.raw);
        assert_eq!(batched, live);
    }
}

#[tokio::test]
async fn the_requests_inside_are_those_of_live_calls() {
    for (vendor, limits) in [
        (Vendor::Gemini, small(0)),
        (Vendor::Gemini, small(1 << 20)),
        (Vendor::OpenAi, small(0)),
    ] {
        let rig = Rig::new(echo(|_| None)).await;
        let client = rig.client(vendor);
        let batches = BatchClient::new(&client);
        let (key, request) = numbered(&client, 0);
        let shard = batches
            .shards([(key.clone(), request.clone())], limits)
            .next()
            .unwrap()
            .unwrap();
        assert_eq!(shard.keys().collect::<Vec<_>>(), [key.as_str()]);
        batches.submit(&shard).await.unwrap();
        let body = client.body(&request).unwrap();
        let body = std::str::from_utf8(&body).unwrap();
        let received = rig.stub.received();
        let bodies: Vec<String> = received
            .iter()
            .map(|request| String::from_utf8_lossy(&request.body).into_owned())
            .collect();
        let expected = match (vendor, limits.max_inline_bytes) {
            (Vendor::Gemini, 0) => format!("{{\"key\":\"key-0\",\"request\":{body}}}\n"),
            (Vendor::Gemini, _) => format!(
                "{{\"batch\":{{\"displayName\":\"asap\",\"inputConfig\":{{\"requests\":{{\"requests\":\
                 [{{\"metadata\":{{\"key\":\"key-0\"}},\"request\":{body}}}]}}}}}}}}"
            ),
            (Vendor::OpenAi, _) => format!(
                "{{\"custom_id\":\"key-0\",\"method\":\"POST\",\"url\":\"/v1/chat/completions\",\"body\":{body}}}\n"
            ),
        };
        assert!(
            bodies.iter().any(|sent| sent.contains(&expected)),
            "{vendor:?} {bodies:?}"
        );
        // The place of an upload is its own permission.
        for request in received
            .iter()
            .filter(|request| request.path.contains("upload_id"))
        {
            assert_eq!(request.headers.get("x-goog-api-key"), None);
        }
        if expected.starts_with('{') && vendor == Vendor::OpenAi {
            let expected: Value = serde_json::json!({"input_file_id": "file-1",
                "endpoint": "/v1/chat/completions", "completion_window": "24h"});
            assert_eq!(received[1].json(), expected);
        }
    }
}

#[tokio::test]
async fn shards_are_cut_by_count_and_by_bytes() {
    let rig = Rig::new(echo(|_| None)).await;
    for vendor in VENDORS {
        let client = rig.client(vendor);
        let batches = BatchClient::new(&client);
        let cut = |max_requests, max_bytes| {
            let limits = BatchLimits {
                max_requests,
                max_bytes,
                max_inline_bytes: 0,
            };
            let requests = (0..7).map(|number| numbered(&client, number));
            let shards = batches.shards(requests, limits).map(|shard| match shard {
                Ok(shard) => {
                    assert!(shard.n_bytes() <= max_bytes);
                    shard.keys().collect::<Vec<_>>().join(" ")
                }
                Err(error) => error.to_string(),
            });
            shards.collect::<Vec<_>>()
        };
        let by_three = ["key-0 key-1 key-2", "key-3 key-4 key-5", "key-6"];
        assert_eq!(cut(3, usize::MAX), by_three);
        let whole = batches.shards((0..3).map(|number| numbered(&client, number)), small(0));
        let three_bytes = whole.map(|shard| shard.unwrap().n_bytes()).sum();
        assert_eq!(cut(100, three_bytes), by_three);
        assert_eq!(cut(100, three_bytes - 1)[0], "key-0 key-1");
        let message = &cut(100, 10)[..];
        assert!(
            message.len() == 1
                && message[0].starts_with("request `key-0` cannot be put into a batch: expected at most 10"),
            "{message:?}"
        );
    }
}

#[tokio::test]
async fn requests_that_do_not_belong_together_are_refused() {
    let rig = Rig::new(echo(|_| None)).await;
    let client = rig.client(Vendor::Gemini);
    let batches = BatchClient::new(&client);
    let refused = |requests: Vec<(String, ChatRequest)>| {
        batches
            .shards(requests, small(0))
            .next()
            .unwrap()
            .unwrap_err()
            .to_string()
    };
    let head = "cannot be put into a batch:";
    let twice = vec![numbered(&client, 0), numbered(&client, 0)];
    assert_eq!(
        refused(twice),
        format!("request `key-0` {head} its key occurs twice")
    );
    let (key, request) = numbered(&client, 1);
    let model = "other".to_owned();
    assert_eq!(
        refused(vec![(key, ChatRequest { model, ..request })]),
        format!("request `key-1` {head} expected the model `g`, got `other`: a batch has one model")
    );
}

#[tokio::test]
async fn a_batch_is_not_begun_twice() {
    for (vendor, upload, begin) in [
        (Vendor::Gemini, "/upload", "/v1beta/models"),
        (Vendor::OpenAi, "/v1/files", "/v1/batches"),
    ] {
        for (path, misbehaviour, expected) in [
            // A file may be uploaded again, and a rate limit says that nothing was begun.
            (upload, Misbehaviour::Status(500), "begun"),
            (upload, Misbehaviour::Cut, "begun"),
            (
                begin,
                Misbehaviour::RateLimitWithRetryInfo("3s".to_owned()),
                "begun",
            ),
            (
                begin,
                Misbehaviour::Status(500),
                "Server 500: status 500: this is a 500 (1)",
            ),
            (begin, Misbehaviour::Cut, "Network"),
        ] {
            let rig = Rig::new(echo(|_| None)).await;
            let client = rig.client(vendor);
            let batches = BatchClient::new(&client);
            let shard = batches
                .shards([numbered(&client, 0)], small(0))
                .next()
                .unwrap()
                .unwrap();
            rig.stub.script_for(path, [misbehaviour.clone()]);
            let told = match batches.submit(&shard).await {
                Ok(_) => "begun".to_owned(),
                Err(failure) => told(&Err(failure)),
            };
            assert!(
                told.starts_with(expected),
                "{vendor:?} {path} {misbehaviour:?}: {told}"
            );
        }
    }
}

#[tokio::test]
async fn questions_without_an_answer_fail_under_their_keys() {
    for vendor in VENDORS {
        let whole = match vendor {
            Vendor::Gemini => "Rejected: the batch failed: not a request (1)",
            Vendor::OpenAi => "Rejected: the batch was refused at line 1: not a line of a batch (1)",
        };
        let late = "Timeout: the batch expired before this was answered (1)";
        for (end, expected) in [
            (BatchEnd::Expired, ["Complete: question 0", late]),
            (BatchEnd::Failed, [whole, whole]),
        ] {
            let rig = Rig::new(echo(|_| None).with_batch_end(end)).await;
            let client = rig.client(vendor);
            let batches = BatchClient::new(&client);
            let requests = (0..2).map(|number| numbered(&client, number));
            let shard = batches.shards(requests, small(0)).next().unwrap().unwrap();
            let job = batches.submit(&shard).await.unwrap();
            let answers = batches.wait(&job, Duration::from_secs(60)).await.unwrap();
            let outcomes: Vec<String> = answers.iter().map(|(_, outcome)| told(outcome)).collect();
            assert_eq!(outcomes, expected);
        }
    }
}

#[tokio::test]
async fn a_job_of_another_server_is_not_asked_for() {
    let rig = Rig::new(echo(|_| None)).await;
    let client = rig.client(Vendor::OpenAi);
    let job = BatchJob {
        vendor: Vendor::Gemini,
        base: "https://example.org".to_owned(),
        model: "g".to_owned(),
        id: "batches/b1".to_owned(),
        keys: vec!["k".to_owned()],
    };
    let failure = BatchClient::new(&client).poll(&job).await.unwrap_err();
    assert!(
        failure.message.contains("was made on `https://example.org`"),
        "{failure}"
    );
    assert_eq!(rig.stub.n_requests(), 0);
}
