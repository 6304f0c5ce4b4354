//! Requests cut into batches by count and size.

use std::collections::BTreeSet;

use asap_core::chat::ChatRequest;
use bytes::Bytes;

use crate::address::Vendor;
use crate::chat::ChatClient;
use crate::{Error, Result};

/// How large one batch may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchLimits {
    /// Requests in one batch.
    pub max_requests: usize,
    /// Bytes of its file. One shard is in memory at a time, so this is also what a submission needs.
    pub max_bytes: usize,
    /// Gemini takes a batch of at most this many bytes in the request itself, and a larger one as a file.
    pub max_inline_bytes: usize,
}

impl Default for BatchLimits {
    /// Half of what OpenAI takes (50 000 requests, 200 MB), which is less than Gemini takes (2 GB); inline three
    /// quarters of what Gemini takes (20 MB).
    fn default() -> Self {
        Self {
            max_requests: 25_000,
            max_bytes: 100_000_000,
            max_inline_bytes: 15_000_000,
        }
    }
}

/// The requests of one batch.
#[derive(Clone, Debug)]
pub struct Shard {
    /// Key and body of each request.
    entries: Vec<(String, Bytes)>,
    n_bytes: usize,
    max_inline_bytes: usize,
}

impl Shard {
    /// The caller's keys.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|(key, _)| key.as_str())
    }

    /// Size of its file.
    pub const fn n_bytes(&self) -> usize {
        self.n_bytes
    }

    /// Whether it goes without a file where the vendor takes that.
    pub(super) const fn is_inline(&self) -> bool {
        self.n_bytes <= self.max_inline_bytes
    }

    /// The file: one line for each request.
    pub(super) fn lines(&self, vendor: Vendor) -> Bytes {
        let mut file = Vec::with_capacity(self.n_bytes);
        for (key, body) in &self.entries {
            file.extend_from_slice(line_head(vendor, key).as_bytes());
            file.extend_from_slice(body);
            file.extend_from_slice(b"}\n");
        }
        file.into()
    }

    /// Gemini's form without a file: the requests as a JSON array.
    pub(super) fn inline(&self) -> Vec<u8> {
        let mut array = vec![b'['];
        for (index, (key, body)) in self.entries.iter().enumerate() {
            if index > 0 {
                array.push(b',');
            }
            let head = format!("{{\"metadata\":{{\"key\":{}}},\"request\":", quoted(key));
            array.extend_from_slice(head.as_bytes());
            array.extend_from_slice(body);
            array.push(b'}');
        }
        array.push(b']');
        array
    }
}

/// What stands before the body in a line.
fn line_head(vendor: Vendor, key: &str) -> String {
    let key = quoted(key);
    match vendor {
        Vendor::Gemini => format!("{{\"key\":{key},\"request\":"),
        Vendor::OpenAi => {
            format!("{{\"custom_id\":{key},\"method\":\"POST\",\"url\":\"/v1/chat/completions\",\"body\":")
        }
    }
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("a text can be written as JSON")
}

/// Batches, each made when it is asked for. Ends after the first error.
#[derive(Debug)]
pub struct Shards<'a, I> {
    chat: &'a ChatClient,
    requests: I,
    limits: BatchLimits,
    /// The request that the last batch had no room for.
    held: Option<(String, Bytes)>,
    seen: BTreeSet<String>,
    is_ended: bool,
}

impl<'a, I: Iterator<Item = (String, ChatRequest)>> Shards<'a, I> {
    pub(super) const fn new(chat: &'a ChatClient, requests: I, limits: BatchLimits) -> Self {
        Self {
            chat,
            requests,
            limits,
            held: None,
            seen: BTreeSet::new(),
            is_ended: false,
        }
    }

    fn entry(&mut self) -> Result<Option<(String, Bytes)>> {
        if let Some(held) = self.held.take() {
            return Ok(Some(held));
        }
        let Some((key, request)) = self.requests.next() else {
            return Ok(None);
        };
        let wrong = |reason: String| Error::BatchRequest {
            key: key.clone(),
            reason,
        };
        if !self.seen.insert(key.clone()) {
            return Err(wrong("its key occurs twice".to_owned()));
        }
        let model = self.chat.address().model();
        if request.model != model {
            return Err(wrong(format!(
                "expected the model `{model}`, got `{}`: a batch has one model",
                request.model
            )));
        }
        let body = self.chat.body(&request).map_err(wrong)?;
        Ok(Some((key, body)))
    }

    fn shard(&mut self) -> Result<Option<Shard>> {
        let mut shard = Shard {
            entries: Vec::new(),
            n_bytes: 0,
            max_inline_bytes: self.limits.max_inline_bytes,
        };
        while let Some((key, body)) = self.entry()? {
            let n_bytes = line_head(self.chat.server().vendor, &key).len() + body.len() + 2;
            if n_bytes > self.limits.max_bytes {
                let reason = format!("expected at most {} bytes, got {n_bytes}", self.limits.max_bytes);
                return Err(Error::BatchRequest { key, reason });
            }
            let is_full = shard.entries.len() >= self.limits.max_requests.max(1)
                || shard.n_bytes + n_bytes > self.limits.max_bytes;
            if is_full {
                self.held = Some((key, body));
                break;
            }
            shard.n_bytes += n_bytes;
            shard.entries.push((key, body));
        }
        Ok(Some(shard).filter(|shard| !shard.entries.is_empty()))
    }
}

impl<I: Iterator<Item = (String, ChatRequest)>> Iterator for Shards<'_, I> {
    type Item = Result<Shard>;

    fn next(&mut self) -> Option<Result<Shard>> {
        if self.is_ended {
            return None;
        }
        let shard = self.shard().transpose();
        self.is_ended = !matches!(shard, Some(Ok(_)));
        shard
    }
}
