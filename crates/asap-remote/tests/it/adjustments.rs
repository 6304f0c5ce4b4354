//! Parameters that a server refuses by name.

use asap_remote::stub::{Misbehaviour, Reply, Rules};
use asap_remote::{Adjustment, TokenLimit, Vendor};
use serde_json::Value;

use crate::fixture::{Rig, full_question, question, told};

/// A reasoning model: it refuses the first parameter that it does not know.
fn reasoning_model() -> Rules {
    Rules::new(|question| {
        for name in ["max_tokens", "temperature"] {
            if question.body.get(name).is_some() {
                return Reply::Misbehave(Misbehaviour::UnsupportedParameter(name));
            }
        }
        Reply::Text("fine".to_owned())
    })
}

fn fields(body: &Value) -> Vec<&str> {
    let names = ["max_tokens", "max_completion_tokens", "temperature"];
    names
        .into_iter()
        .filter(|name| body.get(name).is_some())
        .collect()
}

#[tokio::test]
async fn a_reasoning_model_is_found_out_once() {
    let rig = Rig::new(reasoning_model()).await;
    let client = rig.client(Vendor::OpenAi);
    for _ in 0..2 {
        assert_eq!(told(&client.ask(&full_question(&client)).await), "Complete: fine");
    }
    let received = rig.stub.received();
    let bodies: Vec<Value> = received.iter().map(|request| request.json()).collect();
    let sent: Vec<Vec<&str>> = bodies.iter().map(fields).collect();
    let expected: [&[&str]; 4] = [
        &["max_tokens", "temperature"],
        &["max_completion_tokens", "temperature"],
        &["max_completion_tokens"],
        &["max_completion_tokens"],
    ];
    assert_eq!(sent, expected);
    assert_eq!(
        client.adjustments(),
        [
            Adjustment::TokenLimit(TokenLimit::MaxCompletionTokens),
            Adjustment::OmitTemperature
        ]
    );
    assert_eq!(rig.slept_secs(), [0; 0]);
}

#[tokio::test]
async fn many_at_once_find_out_together() {
    let rig = Rig::new(reasoning_model()).await;
    let client = rig.client(Vendor::OpenAi);
    let request = full_question(&client);
    let outcomes = futures::future::join_all((0..10).map(|_| client.ask(&request))).await;
    assert!(
        outcomes.iter().all(|outcome| told(outcome) == "Complete: fine"),
        "{outcomes:?}"
    );
    assert_eq!(client.adjustments().len(), 2);
}

#[tokio::test]
async fn a_server_that_refuses_both_names_is_not_asked_for_ever() {
    let refuse = Rules::new(|question| {
        let name = match question.body.get("max_tokens") {
            Some(_) => "max_tokens",
            None => "max_completion_tokens",
        };
        Reply::Misbehave(Misbehaviour::UnsupportedParameter(name))
    });
    let rig = Rig::new(refuse).await;
    let client = rig.client(Vendor::OpenAi);
    let outcome = told(&client.ask(&question(&client)).await);
    assert_eq!(
        outcome,
        "Rejected 400: status 400: Unsupported parameter: 'max_completion_tokens' is not supported with this model. (2)"
    );
}

#[tokio::test]
async fn any_other_parameter_is_the_callers_to_change() {
    for name in ["reasoning_effort", "seed", "temperature"] {
        let rule = move |_: &_| Reply::Misbehave(Misbehaviour::UnsupportedParameter(name));
        let rig = Rig::new(Rules::new(rule)).await;
        let client = rig.client(Vendor::OpenAi);
        // Without a temperature there is none to leave out.
        let outcome = told(&client.ask(&question(&client)).await);
        assert!(
            outcome.starts_with("Rejected 400") && outcome.contains(name),
            "{outcome}"
        );
        assert_eq!((rig.stub.n_requests(), client.adjustments()), (1, vec![]));
    }
}
