//! Judges behind HTTP, as the benchmark asks them.

use asap_bench::judge::Backend;
use asap_core::chat::{ChatFailure, ChatReply, ChatRequest};
use asap_remote::{ChatClient, LimiterPolicy, Transport, TransportOptions};

/// A judge on a server.
pub(super) struct Endpoint<'a>(pub(super) &'a ChatClient);

impl Backend for Endpoint<'_> {
    async fn ask(&self, request: &ChatRequest) -> Result<ChatReply, ChatFailure> {
        self.0.ask(request).await
    }
}

/// Connections for at most `most` calls under way.
pub(super) fn transport(most: u16) -> asap_remote::Result<Transport> {
    let most = u32::from(most);
    Transport::new(TransportOptions {
        limits: LimiterPolicy {
            start: most.min(LimiterPolicy::default().start),
            max: most,
            ..LimiterPolicy::default()
        },
        ..TransportOptions::default()
    })
}
