//! Clients of judges and image generators over HTTP.
//!
//! A [`ChatClient`] carries a question ([`asap_core::chat::ChatRequest`]) to a judge and brings its answer back
//! whole; it decides nothing about it.

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
