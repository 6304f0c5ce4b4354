//! Clients of judges and image generators over HTTP, and a stub server to rehearse with.
//!
//! A [`ChatClient`] carries a question ([`asap_core::chat::ChatRequest`]) to a judge and brings its answer back
//! whole; it decides nothing about it. A [`BatchClient`] does the same for many questions at half the price, and
//! an [`ImageClient`] has images made. All go through one [`Transport`] for each server, which knows when a call
//! may be made again, waits as long as the server asks, and finds out how many calls the server bears.
//!
//! - Blocked, refused and truncated answers are answers: a [`asap_core::chat::ChatReply`] with its
//!   [`asap_core::chat::Finish`]. A [`asap_core::chat::ChatFailure`] is a call without one.
//! - Images travel as the bytes that lie on disk, and come back as the bytes that the server sent.
//! - Keys come from the [`Environment`], and stand in no log, error, record or `Debug` text.
//! - Whatever waits does so by a [`Clock`], so tests do not.
//!
//! ```
//! use asap_core::chat::{ChatPart, ChatRequest, Sampling};
//! use asap_remote::stub::{Rules, Stub};
//! use asap_remote::{ChatClient, Environment, Transport, TransportOptions};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // The stub stands in for a server such as vLLM.
//! let stub = Stub::start(Rules::always(r#"{"verdict":"pass"}"#)).await?;
//! let address = format!("openai:{}#qwen3-vl", stub.openai_base()).parse()?;
//! let transport = Transport::new(TransportOptions::default())?;
//! let client = ChatClient::new(address, &Environment::from_env()?, &transport)?;
//!
//! let reply = client
//!     .ask(&ChatRequest {
//!         model: client.address().model().to_owned(),
//!         system: "You judge hands.".to_owned(),
//!         parts: vec![ChatPart::Text("No image today.".to_owned())],
//!         schema_name: "verdict".to_owned(),
//!         schema_json: r#"{"type":"object"}"#.to_owned(),
//!         sampling: Sampling {
//!             max_output_tokens: 8192,
//!             temperature: None,
//!             seed: None,
//!             thinking: None,
//!             image_detail: None,
//!         },
//!     })
//!     .await?;
//! assert_eq!(reply.text, r#"{"verdict":"pass"}"#);
//! assert_eq!(stub.n_requests(), 1);
//! # Ok(())
//! # }
//! ```

mod address;
mod aimd;
mod base;
mod batch;
mod chat;
mod clock;
mod date;
mod error;
mod gemini;
mod images;
mod keys;
mod limiter;
mod openai;
mod ordered;
mod retry;
mod signal;
pub mod stub;
mod transport;

pub use address::{JudgeAddress, Vendor};
pub use aimd::LimiterPolicy;
pub use base::BaseUrl;
pub use batch::{BatchClient, BatchJob, BatchLimits, BatchProgress, Keyed, Shard, Shards};
pub use chat::{ChatClient, parse_reply};
pub use clock::{Clock, ManualClock};
pub use error::{Error, Result};
pub use images::{
    GeneratedImage, ImageClient, ImageEndpoint, ImageFailure, ImageLimits, ImageRequest, Workflow,
};
pub use keys::Environment;
pub use limiter::{Limiter, Permit};
pub use openai::{Adjustment, Dialect, TemperatureUse, TokenLimit};
pub use retry::RetryPolicy;
pub use transport::{Transport, TransportOptions};
