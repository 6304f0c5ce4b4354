//! One HTTP call with its retries, under the limiter, for all clients.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use asap_core::Stream;
use asap_core::chat::{ChatFailure, ChatFailureKind};
use bytes::Bytes;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{RequestBuilder, Url, redirect};

use crate::aimd::LimiterPolicy;
use crate::base::is_loopback;
use crate::clock::Clock;
use crate::keys::Key;
use crate::limiter::{Limiter, Permit};
use crate::retry::RetryPolicy;
use crate::signal::{Failed, Retry, Signal};
use crate::{Error, Result};

/// How all calls of a client are made.
#[derive(Clone, Debug)]
pub struct TransportOptions {
    /// Retries and timeouts.
    pub retry: RetryPolicy,
    /// Calls under way at one time.
    pub limits: LimiterPolicy,
    /// What is waited by.
    pub clock: Clock,
    /// Seed of the jitter between retries; results do not depend on it.
    pub seed: u64,
}

impl Default for TransportOptions {
    fn default() -> Self {
        Self {
            retry: RetryPolicy::default(),
            limits: LimiterPolicy::default(),
            clock: Clock::system(),
            seed: 0,
        }
    }
}

/// Connections, retries and the limit of calls under way: one for each server. Clones share all three.
#[derive(Clone, Debug)]
pub struct Transport(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// For plain http on this machine: without proxy and without certificates.
    local: reqwest::Client,
    /// For all others.
    remote: reqwest::Client,
    options: TransportOptions,
    limiter: Limiter,
    n_calls: AtomicU64,
}

/// A successful response.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) attempts: u32,
}

/// A call that ended without a successful response, with what the server said, where it said something.
#[derive(Debug)]
pub(crate) struct CallError {
    pub(crate) failure: ChatFailure,
    pub(crate) parameter: Option<String>,
    pub(crate) code: Option<String>,
    /// The body of the response, without the key; empty where there was none.
    pub(crate) body: String,
}

/// What one call is about, apart from its request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call<'a> {
    pub(crate) url: &'a Url,
    /// Hidden in whatever comes back.
    pub(crate) key: Option<&'a Key>,
    /// A longer response is refused.
    pub(crate) max_bytes: usize,
    pub(crate) repeat: Repeat,
}

/// When a call may be made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// Whenever the failure allows it.
    Freely,
    /// Only if the server surely did not do what was asked: a second time would be paid twice.
    IfUndone,
}

impl Transport {
    /// Opens no connection yet.
    ///
    /// # Errors
    /// [`Error::Setup`].
    pub fn new(options: TransportOptions) -> Result<Self> {
        let setup = |error: reqwest::Error| Error::Setup {
            reason: error.to_string(),
        };
        // A redirect would carry the key's header to another server.
        let builder = || {
            reqwest::Client::builder()
                .redirect(redirect::Policy::none())
                .connect_timeout(Duration::from_secs(20))
                .user_agent(concat!("asap/", env!("CARGO_PKG_VERSION")))
        };
        let local = builder().no_proxy().tls_built_in_root_certs(false).build();
        Ok(Self(Arc::new(Inner {
            local: local.map_err(setup)?,
            remote: builder().build().map_err(setup)?,
            limiter: Limiter::new(options.limits, options.clock.clone()),
            options,
            n_calls: AtomicU64::new(0),
        })))
    }

    /// The limiter, whose figures a progress bar may show.
    pub fn limiter(&self) -> &Limiter {
        &self.0.limiter
    }

    /// What is waited by.
    pub(crate) fn clock(&self) -> &Clock {
        &self.0.options.clock
    }

    /// Makes a call until it succeeds, cannot succeed, or was tried often enough. `build` makes the request anew
    /// for each attempt.
    pub(crate) async fn call(
        &self,
        call: Call<'_>,
        build: impl Fn(&reqwest::Client) -> RequestBuilder,
    ) -> std::result::Result<Answer, CallError> {
        let client = if is_loopback(call.url) {
            &self.0.local
        } else {
            &self.0.remote
        };
        let policy = &self.0.options.retry;
        let number = self.0.n_calls.fetch_add(1, Ordering::Relaxed);
        let mut jitter = Stream::new(self.0.options.seed, &format!("remote/backoff/{number}"));
        let mut attempts = 0;
        loop {
            attempts += 1;
            let permit = self.0.limiter.acquire().await;
            let attempt = tokio::time::timeout(policy.timeout, self.attempt(call, build(client)));
            let result = match attempt.await {
                Ok(result) => result,
                Err(_elapsed) => Err((None, timed_out(policy.timeout))),
            };
            let (status, signal) = match result {
                Ok((headers, body)) => {
                    // After a retry, success is no reason to ask for more.
                    if attempts == 1 {
                        permit.succeeded();
                    }
                    return Ok(Answer {
                        headers,
                        body,
                        attempts,
                    });
                }
                Err(failed) => failed,
            };
            report(permit, &signal, policy.max_server_delay);
            let Some(delay) = delay(policy, call.repeat, &signal, attempts, &mut jitter) else {
                return Err(call.error(status, signal, attempts));
            };
            tracing::info!(
                url = shown(call.url),
                kind = ?signal.kind,
                attempts,
                delay_secs = delay.as_secs_f64(),
                message = call.hide(signal.message),
                "call is made again"
            );
            self.0.options.clock.sleep(delay).await;
        }
    }

    async fn attempt(
        &self,
        call: Call<'_>,
        request: RequestBuilder,
    ) -> std::result::Result<(HeaderMap, Bytes), (Option<u16>, Signal)> {
        let mut response = request.send().await.map_err(|error| (None, network(&error)))?;
        let status = response.status().as_u16();
        let mut body = Vec::new();
        loop {
            match response.chunk().await {
                Ok(None) => break,
                Ok(Some(chunk)) if body.len() + chunk.len() > call.max_bytes => {
                    let message = format!("expected at most {} bytes, got more", call.max_bytes);
                    return Err((Some(status), never(ChatFailureKind::Malformed, message)));
                }
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Err(error) => return Err((Some(status), network(&error))),
            }
        }
        let headers = std::mem::take(response.headers_mut());
        if (200..300).contains(&status) {
            return Ok((headers, body.into()));
        }
        let failed = Failed {
            status,
            retry_after: headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()),
            body: &body,
            unix_secs: self.0.options.clock.unix_secs(),
        };
        Err((Some(status), failed.understand()))
    }
}

impl Call<'_> {
    /// `text` without the key.
    pub(crate) fn hide(&self, text: String) -> String {
        match self.key {
            Some(key) => key.hide_in(text),
            None => text,
        }
    }

    /// A failure that happened to this call.
    pub(crate) fn failure(&self, kind: ChatFailureKind, message: String, attempts: u32) -> ChatFailure {
        ChatFailure {
            kind,
            url: shown(self.url),
            status: None,
            message: self.hide(message),
            attempts,
        }
    }

    fn error(&self, status: Option<u16>, signal: Signal, attempts: u32) -> CallError {
        let mut message = signal.message;
        if let Retry::After(delay) = signal.retry {
            message.push_str(&format!("; the server asks to wait {} s", delay.as_secs()));
        }
        CallError {
            failure: ChatFailure {
                status,
                ..self.failure(signal.kind, message, attempts)
            },
            parameter: signal.parameter,
            code: signal.code,
            body: self.hide(signal.body),
        }
    }
}

impl From<CallError> for ChatFailure {
    fn from(error: CallError) -> Self {
        error.failure
    }
}

/// An address without its query, which may hold a secret.
pub(crate) fn shown(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    url.into()
}

/// How long to wait before the next attempt; `None` if there is none.
fn delay(
    policy: &RetryPolicy,
    repeat: Repeat,
    signal: &Signal,
    attempts: u32,
    jitter: &mut Stream,
) -> Option<Duration> {
    if attempts >= policy.max_attempts || (repeat == Repeat::IfUndone && !signal.is_surely_undone) {
        return None;
    }
    match signal.retry {
        Retry::Never => None,
        Retry::Later => Some(policy.backoff(attempts, jitter)),
        Retry::After(delay) => Some(delay).filter(|delay| *delay <= policy.max_server_delay),
    }
}

/// Tells the limiter what the server said. A delay that nobody waits for must not hold the others up either.
fn report(permit: Permit, signal: &Signal, max_delay: Duration) {
    match (signal.kind, signal.retry) {
        (ChatFailureKind::RateLimited, Retry::After(delay)) => {
            permit.rate_limited(Some(delay).filter(|delay| *delay <= max_delay));
        }
        (ChatFailureKind::RateLimited, _) => permit.rate_limited(None),
        (ChatFailureKind::Server | ChatFailureKind::Network | ChatFailureKind::Timeout, _) => permit.failed(),
        _ => drop(permit),
    }
}

fn never(kind: ChatFailureKind, message: String) -> Signal {
    Signal {
        kind,
        retry: Retry::Never,
        message,
        parameter: None,
        code: None,
        body: String::new(),
        is_surely_undone: false,
    }
}

fn timed_out(timeout: Duration) -> Signal {
    Signal {
        retry: Retry::Later,
        ..never(
            ChatFailureKind::Timeout,
            format!("no whole answer within {} s", timeout.as_secs_f64()),
        )
    }
}

/// A connection that was not made, or was cut. The library's chain of causes, whose first link repeats the
/// address with its query, is told without that link.
fn network(error: &reqwest::Error) -> Signal {
    let mut causes = Vec::new();
    let mut cause = std::error::Error::source(error);
    while let Some(found) = cause {
        let text = found.to_string();
        if !causes.contains(&text) {
            causes.push(text);
        }
        cause = found.source();
    }
    let what = if error.is_connect() {
        "no connection"
    } else if error.is_builder() {
        // Nothing was sent, and nothing will be.
        return never(
            ChatFailureKind::Rejected,
            "the request cannot be built".to_owned(),
        );
    } else {
        "the connection was cut"
    };
    let message = crate::signal::quote(&format!("{what}: {}", causes.join(": ")));
    Signal {
        retry: Retry::Later,
        is_surely_undone: error.is_connect(),
        ..never(ChatFailureKind::Network, message)
    }
}
