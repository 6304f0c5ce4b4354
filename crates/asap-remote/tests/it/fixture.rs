//! A stub, a clock that does not wait, and questions.

use std::time::Duration;

use asap_core::Sha256;
use asap_core::chat::{ChatFailure, ChatPart, ChatReply, ChatRequest, ImageBytes, Sampling};
use asap_remote::stub::{Rules, Stub};
use asap_remote::{
    ChatClient, Clock, Environment, LimiterPolicy, ManualClock, RetryPolicy, Transport, TransportOptions,
    Vendor,
};
use sha2::Digest as _;

/// Sun, 06 Nov 1994 08:49:37 GMT: the time on the clock.
pub(crate) const START_UNIX_SECS: u64 = 784_111_777;

/// The key of both vendors.
pub(crate) const KEY: &str = "secret-key";

pub(crate) const VENDORS: [Vendor; 2] = [Vendor::Gemini, Vendor::OpenAi];

/// A stub and what clients of it need.
pub(crate) struct Rig {
    pub(crate) stub: Stub,
    pub(crate) clock: ManualClock,
    pub(crate) transport: Transport,
}

impl Rig {
    pub(crate) async fn new(rules: Rules) -> Self {
        Self::with_retry(rules, RetryPolicy::default()).await
    }

    pub(crate) async fn with_retry(rules: Rules, retry: RetryPolicy) -> Self {
        let clock = ManualClock::new(START_UNIX_SECS);
        let options = TransportOptions {
            retry,
            limits: LimiterPolicy::default(),
            clock: Clock::from(&clock),
            seed: 0,
        };
        Self {
            stub: Stub::start(rules).await.unwrap(),
            clock,
            transport: Transport::new(options).unwrap(),
        }
    }

    pub(crate) fn client(&self, vendor: Vendor) -> ChatClient {
        let address = match vendor {
            Vendor::Gemini => format!("gemini:{}#g", self.stub.base()),
            Vendor::OpenAi => format!("openai:{}#q", self.stub.openai_base()),
        };
        ChatClient::new(address.parse().unwrap(), &environment(), &self.transport).unwrap()
    }

    /// What was waited, in whole seconds; an incomplete second counts as 0.
    pub(crate) fn slept_secs(&self) -> Vec<u64> {
        self.clock.slept().iter().map(Duration::as_secs).collect()
    }
}

pub(crate) fn environment() -> Environment {
    Environment::from_lookup(|name| name.ends_with("_API_KEY").then(|| KEY.to_owned())).unwrap()
}

pub(crate) fn image(bytes: &[u8]) -> ImageBytes {
    ImageBytes {
        media_type: "image/png",
        bytes: bytes.into(),
        sha256: Sha256::from_bytes(sha2::Sha256::digest(bytes).into()),
    }
}

/// A question with two images and nothing but the limit set.
pub(crate) fn question(client: &ChatClient) -> ChatRequest {
    ChatRequest {
        model: client.address().model().to_owned(),
        system: "You judge hands.".to_owned(),
        parts: vec![
            ChatPart::Text("Image 1".to_owned()),
            ChatPart::Image(image(b"first")),
            ChatPart::Text("Image 2".to_owned()),
            ChatPart::Image(image(b"second")),
        ],
        schema_name: "verdict".to_owned(),
        schema_json: r#"{"type": "object", "properties": {"notes": {"type": "string"},
            "choice": {"type": "string", "enum": ["first", "second", "tie"]}},
            "required": ["notes", "choice"], "additionalProperties": false}"#
            .to_owned(),
        sampling: Sampling {
            max_output_tokens: 8192,
            temperature: None,
            seed: None,
            thinking: None,
            image_detail: None,
        },
    }
}

/// The same with everything set.
pub(crate) fn full_question(client: &ChatClient) -> ChatRequest {
    ChatRequest {
        sampling: Sampling {
            max_output_tokens: 8192,
            temperature: Some(1.0),
            seed: Some(7),
            thinking: Some("low".to_owned()),
            image_detail: Some("high".to_owned()),
        },
        ..question(client)
    }
}

/// An outcome on one line. Addresses are left out, for ports change.
pub(crate) fn told(outcome: &Result<ChatReply, ChatFailure>) -> String {
    match outcome {
        Ok(reply) => format!("{:?}: {}", reply.finish, reply.text),
        Err(failure) => {
            let status = failure
                .status
                .map_or(String::new(), |status| format!(" {status}"));
            format!(
                "{:?}{status}: {} ({})",
                failure.kind, failure.message, failure.attempts
            )
        }
    }
}
