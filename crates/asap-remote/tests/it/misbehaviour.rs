//! Each client against each way of going wrong.

use std::time::Duration;

use asap_core::Stream;
use asap_remote::stub::{Misbehaviour, Reply, Rules};
use asap_remote::{RetryPolicy, Vendor};

use crate::fixture::{KEY, Rig, VENDORS, question, told};

const FINE: &str = r#"{"choice":"tie"}"#;

/// Asks once after a script; gives the outcome, the number of requests, and the seconds that were waited.
async fn asked(vendor: Vendor, script: &[Misbehaviour]) -> (String, usize, Vec<u64>) {
    let rig = Rig::new(Rules::always(FINE)).await;
    rig.stub.script(script.iter().cloned());
    let client = rig.client(vendor);
    let outcome = told(&client.ask(&question(&client)).await);
    (outcome, rig.stub.n_requests(), rig.slept_secs())
}

#[tokio::test]
async fn a_server_that_says_when_is_waited_for_exactly() {
    let info = |delay: &str| Misbehaviour::RateLimitWithRetryInfo(delay.to_owned());
    let after = |text: &str| Misbehaviour::RateLimitWithRetryAfter(text.to_owned());
    for vendor in VENDORS {
        for (script, waited) in [
            (vec![info("58s")], vec![59]),
            (vec![info("1.5s"), info("30s")], vec![2, 31]),
            (vec![after("7")], vec![7]),
            (vec![after("Sun, 06 Nov 1994 08:50:37 GMT")], vec![60]),
        ] {
            let n_requests = script.len() + 1;
            let expected = (format!("Complete: {FINE}"), n_requests, waited);
            assert_eq!(asked(vendor, &script).await, expected, "{vendor:?} {script:?}");
        }
    }
}

#[tokio::test]
async fn what_may_pass_is_tried_again_with_jitter() {
    let policy = RetryPolicy::default();
    let mut jitter = Stream::new(0, "remote/backoff/0");
    let waits: Vec<Duration> = (1..=2)
        .map(|n_done| policy.backoff(n_done, &mut jitter))
        .collect();
    for vendor in VENDORS {
        for misbehaviour in [
            Misbehaviour::RateLimit,
            Misbehaviour::ResourceExhausted,
            Misbehaviour::Status(408),
            Misbehaviour::Status(500),
            Misbehaviour::Status(502),
            Misbehaviour::Status(503),
            Misbehaviour::Status(504),
            Misbehaviour::Cut,
        ] {
            let rig = Rig::new(Rules::always(FINE)).await;
            rig.stub.script([misbehaviour.clone(), misbehaviour.clone()]);
            let client = rig.client(vendor);
            let outcome = told(&client.ask(&question(&client)).await);
            assert_eq!(
                outcome,
                format!("Complete: {FINE}"),
                "{vendor:?} {misbehaviour:?}"
            );
            assert_eq!(rig.clock.slept(), waits, "{vendor:?} {misbehaviour:?}");
        }
    }
}

#[tokio::test]
async fn a_second_try_is_not_made_where_it_cannot_help() {
    for vendor in VENDORS {
        let reason = |gemini: &str, openai: &str| match vendor {
            Vendor::Gemini => gemini.to_owned(),
            Vendor::OpenAi => openai.to_owned(),
        };
        let daily = reason(
            "this is a 429",
            "Rate limit reached on requests per day (RPD): Limit 200, Used 200",
        );
        let json = "expected JSON, got something else: expected value at line 1 column 1";
        for (misbehaviour, expected) in [
            (
                Misbehaviour::DailyQuota,
                format!("DailyQuota 429: status 429: {daily} (1)"),
            ),
            (
                Misbehaviour::Status(400),
                "Rejected 400: status 400: this is a 400 (1)".to_owned(),
            ),
            (
                Misbehaviour::Status(401),
                "Denied 401: status 401: this is a 401 (1)".to_owned(),
            ),
            (
                Misbehaviour::Status(403),
                "Denied 403: status 403: this is a 403 (1)".to_owned(),
            ),
            (
                Misbehaviour::Status(404),
                "Rejected 404: status 404: this is a 404 (1)".to_owned(),
            ),
            (Misbehaviour::NotJson, format!("Malformed: {json} (1)")),
            // Truncated JSON, blocks and refusals are answers: what to do is for the judge to decide.
            (
                Misbehaviour::Truncated(r#"{"no"#.to_owned()),
                r#"Truncated: {"no"#.to_owned(),
            ),
            (
                Misbehaviour::BlockedQuestion,
                reason(
                    r#"Blocked { reason: "PROHIBITED_CONTENT" }: "#,
                    r#"Blocked { reason: "content_policy_violation" }: "#,
                ),
            ),
            (
                Misbehaviour::BlockedAnswer,
                reason(
                    r#"Blocked { reason: "SAFETY" }: "#,
                    r#"Blocked { reason: "content_filter" }: "#,
                ),
            ),
            (
                Misbehaviour::Refusal("I will not.".to_owned()),
                reason("Complete: I will not.", r#"Refused { message: "I will not." }: "#),
            ),
        ] {
            let script = [misbehaviour];
            assert_eq!(
                asked(vendor, &script).await,
                (expected, 1, vec![]),
                "{vendor:?} {script:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_wrong_value_is_carried_as_it_is() {
    for vendor in VENDORS {
        let rig = Rig::new(Rules::always(r#"{"choice":"left"}"#)).await;
        let client = rig.client(vendor);
        let outcome = told(&client.ask(&question(&client)).await);
        assert_eq!(outcome, r#"Complete: {"choice":"left"}"#);
    }
}

#[tokio::test]
async fn attempts_end_and_are_counted() {
    let retry = RetryPolicy {
        max_attempts: 3,
        ..RetryPolicy::default()
    };
    for vendor in VENDORS {
        for (misbehaviour, expected) in [
            (
                Misbehaviour::Status(500),
                "Server 500: status 500: this is a 500 (3)",
            ),
            (
                Misbehaviour::RateLimitWithRetryInfo("5s".to_owned()),
                "RateLimited 429: status 429: this is a 429; the server asks to wait 6 s (3)",
            ),
        ] {
            let rig = Rig::with_retry(Rules::always(FINE), retry).await;
            rig.stub.script(vec![misbehaviour; 5]);
            let client = rig.client(vendor);
            let outcome = told(&client.ask(&question(&client)).await);
            assert_eq!((outcome.as_str(), rig.stub.n_requests()), (expected, 3));
        }
    }
}

#[tokio::test]
async fn a_server_that_asks_for_hours_is_not_waited_for() {
    for vendor in VENDORS {
        let rig = Rig::new(Rules::always(FINE)).await;
        rig.stub
            .script([Misbehaviour::RateLimitWithRetryAfter("7200".to_owned())]);
        let client = rig.client(vendor);
        let outcome = told(&client.ask(&question(&client)).await);
        assert!(outcome.starts_with("RateLimited 429"), "{outcome}");
        assert!(
            outcome.ends_with("the server asks to wait 7200 s (1)"),
            "{outcome}"
        );
        // Nor does the next question wait: it learns for itself.
        let outcome = told(&client.ask(&question(&client)).await);
        assert_eq!(outcome, format!("Complete: {FINE}"));
        assert_eq!(rig.slept_secs(), [0; 0]);
    }
}

#[tokio::test]
async fn silence_ends_by_the_timeout() {
    // The one thing that is waited for in earnest: a tenth of a second.
    let retry = RetryPolicy {
        max_attempts: 2,
        timeout: Duration::from_millis(50),
        ..RetryPolicy::default()
    };
    for vendor in VENDORS {
        let rig = Rig::with_retry(Rules::always(FINE), retry).await;
        rig.stub.script([Misbehaviour::Silence, Misbehaviour::Silence]);
        let client = rig.client(vendor);
        let outcome = told(&client.ask(&question(&client)).await);
        assert_eq!(outcome, "Timeout: no whole answer within 0.05 s (2)");
        assert_eq!(rig.transport.limiter().in_flight(), 0);
    }
}

#[tokio::test]
async fn a_cut_connection_and_a_missing_server_are_told() {
    let retry = RetryPolicy {
        max_attempts: 1,
        ..RetryPolicy::default()
    };
    for vendor in VENDORS {
        let rig = Rig::with_retry(Rules::always(FINE), retry).await;
        rig.stub.script([Misbehaviour::Cut]);
        let client = rig.client(vendor);
        let outcome = told(&client.ask(&question(&client)).await);
        assert!(
            outcome.starts_with("Network 200: the connection was cut: "),
            "{outcome}"
        );

        drop(rig.stub);
        // The listener closes when its task is next run.
        tokio::task::yield_now().await;
        let failure = client.ask(&question(&client)).await.unwrap_err();
        assert!(
            failure.message.starts_with("no connection: ")
                || failure.message.starts_with("the connection was cut: "),
            "{failure}"
        );
    }
}

#[tokio::test]
async fn the_limit_follows_what_the_server_says() {
    for vendor in VENDORS {
        let rig = Rig::new(Rules::always(FINE)).await;
        let client = rig.client(vendor);
        let limiter = rig.transport.limiter();
        rig.stub.script([
            Misbehaviour::RateLimit,
            Misbehaviour::ResourceExhausted,
            Misbehaviour::Status(500),
        ]);
        client.ask(&question(&client)).await.unwrap();
        // Two rate limits within 15 s are one event.
        assert_eq!((limiter.limit(), limiter.in_flight()), (16, 0));
        // The success after retries did not count: a round is 16 clean ones.
        for n_clean in 1..=16 {
            assert_eq!(limiter.limit(), 16, "{n_clean}");
            client.ask(&question(&client)).await.unwrap();
        }
        assert_eq!(limiter.limit(), 17);
    }
}

#[tokio::test]
async fn many_questions_at_once_are_all_answered() {
    let rig = Rig::new(Rules::new(|question| Reply::Text(question.texts[0].clone()))).await;
    rig.stub
        .script(vec![Misbehaviour::RateLimitWithRetryInfo("2s".to_owned()); 30]);
    for vendor in VENDORS {
        let client = rig.client(vendor);
        let calls = (0..60).map(|number| {
            let mut request = question(&client);
            request.parts[0] = asap_core::chat::ChatPart::Text(format!("question {number}"));
            let client = &client;
            async move { client.ask(&request).await }
        });
        let outcomes = futures::future::join_all(calls).await;
        for (number, outcome) in outcomes.iter().enumerate() {
            assert_eq!(told(outcome), format!("Complete: question {number}"));
        }
        assert_eq!(rig.transport.limiter().in_flight(), 0);
    }
}

#[tokio::test]
async fn a_key_that_a_server_repeats_is_hidden() {
    for vendor in VENDORS {
        let rig = Rig::new(Rules::always(&format!("the key is {KEY}"))).await;
        let client = rig.client(vendor);
        let reply = client.ask(&question(&client)).await.unwrap();
        assert_eq!(reply.text, "the key is [key]");
        assert!(!format!("{reply:?} {client:?}").contains(KEY));
    }
}
