//! The name of a question in the cache: a hash of everything that its answer depends on, and of nothing else.

use asap_core::Sha256;
use asap_core::chat::Sampling;
use serde::Serialize;

use super::Subject;
use super::question::{Piece, pieces};
use crate::protocol::Protocol;
use crate::run::sha256;

/// Counts up when the form of [`Canonical`] changes.
const KEY_SCHEMA: u32 = 1;

/// The request in canonical form: the order of the fields is that of this struct.
///
/// Not in it, because no answer depends on it: file names, keys, time limits, retries, the address of the server,
/// the place in the run, the limit of tokens of a later try.
#[derive(Serialize)]
struct Canonical<'a> {
    schema: u32,
    provider: &'a str,
    model: &'a str,
    system: &'a str,
    parts: Vec<CanonicalPart>,
    sampling: &'a Sampling,
    answer_schema_sha256: Sha256,
    repeat: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum CanonicalPart {
    Text(String),
    Image(Sha256),
}

/// The cache key of a question: SHA-256 of the canonical JSON of provider, model, texts, hashes of the images in the
/// order shown, settings, schema of the answer and repeat.
///
/// `judge` is `PROVIDER:MODEL`; `prompt` the text of the prompt, which counts only where the protocol shows it.
pub fn question_key(
    protocol: &Protocol,
    judge: &str,
    subject: &Subject,
    prompt: &str,
    repeat: u32,
) -> Sha256 {
    let (provider, model) = judge.split_once(':').unwrap_or(("", judge));
    let mut shown = subject.shown().into_iter();
    let parts = pieces(protocol, prompt)
        .into_iter()
        .filter_map(|piece| match piece {
            Piece::Text(text) => Some(CanonicalPart::Text(text)),
            Piece::Image => shown.next().map(CanonicalPart::Image),
        });
    let canonical = Canonical {
        schema: KEY_SCHEMA,
        provider,
        model,
        system: &protocol.file.system,
        parts: parts.collect(),
        sampling: &protocol.file.sampling,
        answer_schema_sha256: sha256(protocol.file.answer.schema.as_bytes()),
        repeat,
    };
    let json = serde_json::to_vec(&canonical).expect("strings, numbers and hashes are always JSON");
    sha256(&json)
}
