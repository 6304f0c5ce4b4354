//! A server on 127.0.0.1 that stands in for judges and image generators, to rehearse a run and to test one.
//!
//! It speaks Gemini's and OpenAI's chat, both vendors' files and batches, OpenAI's images and ComfyUI, as far as
//! the clients of this crate use them. What it answers is up to [`Rules`]; [`Stub::script`] lets the next
//! requests go wrong in any way of [`Misbehaviour`]. It keeps every request for assertions.
//!
//! ```
//! use asap_remote::stub::{Reply, Rules, Stub};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> asap_remote::Result<()> {
//! let rules = Rules::new(|question| match question.images.len() {
//!     1 => Reply::Text(r#"{"verdict":"pass"}"#.to_owned()),
//!     n => Reply::Text(format!(r#"{{"verdict":"unscorable","notes":"{n} images"}}"#)),
//! });
//! let stub = Stub::start(rules).await?;
//! let address = format!("openai:{}#stub", stub.openai_base()); // for a client, or for `asap bench judge`
//! assert!(address.starts_with("openai:http://127.0.0.1:"));
//! assert_eq!(stub.n_requests(), 0);
//! # Ok(())
//! # }
//! ```

mod batch;
mod chat;
mod comfy;
mod images;
mod misbehave;
mod response;
mod rules;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};

pub use misbehave::Misbehaviour;
pub use rules::{BatchEnd, ImageQuestion, ImageReply, Question, Reply, Rules};

use crate::{Error, Result, Vendor};
use response::Sent;

/// A request that the stub got.
#[derive(Clone, Debug)]
pub struct Received {
    /// `GET` or `POST`.
    pub method: String,
    /// The path with its query.
    pub path: String,
    /// Headers in the order of their names. Keys are among them: a stub is given none that is worth anything.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: Bytes,
}

impl Received {
    /// The body as JSON; null where it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// The running server. It stops when it is dropped.
#[derive(Debug)]
pub struct Stub {
    address: SocketAddr,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    base: String,
    rules: Rules,
    state: Mutex<State>,
}

/// What the stub remembers.
#[derive(Debug, Default)]
struct State {
    /// What the next requests below a path meet.
    script: Vec<(String, Misbehaviour)>,
    received: Vec<Received>,
    /// Counts up for every id that is given out.
    n_ids: u64,
    files: BTreeMap<String, Bytes>,
    batches: BTreeMap<String, batch::Batch>,
    jobs: BTreeMap<String, comfy::Job>,
}

impl State {
    /// An id that was not given out before.
    fn new_id(&mut self, prefix: &str) -> String {
        self.n_ids += 1;
        format!("{prefix}{}", self.n_ids)
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic while it is held is a test that fails anyhow.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stub {
    /// Listens on a free port of 127.0.0.1. Must be called inside a tokio runtime, which runs it.
    ///
    /// # Errors
    /// [`Error::Listen`].
    pub async fn start(rules: Rules) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .map_err(Error::Listen)?;
        let address = listener.local_addr().map_err(Error::Listen)?;
        let shared = Arc::new(Shared {
            base: format!("http://{address}"),
            rules,
            state: Mutex::default(),
        });
        let server = tokio::spawn(serve(listener, shared.clone()));
        Ok(Self {
            address,
            shared,
            server,
        })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The base for Gemini and ComfyUI.
    pub fn base(&self) -> &str {
        &self.shared.base
    }

    /// The base for OpenAI's chat, images and batches.
    pub fn openai_base(&self) -> String {
        format!("{}/v1", self.shared.base)
    }

    /// The next requests, whatever they are, meet these, one each and in this order. Then the rules hold again.
    pub fn script(&self, misbehaviours: impl IntoIterator<Item = Misbehaviour>) {
        self.script_for("/", misbehaviours);
    }

    /// As [`Stub::script`], for requests whose path begins with `path`, such as `/v1/batches`.
    pub fn script_for(&self, path: &str, misbehaviours: impl IntoIterator<Item = Misbehaviour>) {
        let lines = misbehaviours
            .into_iter()
            .map(|misbehaviour| (path.to_owned(), misbehaviour));
        self.shared.lock().script.extend(lines);
    }

    /// Requests so far.
    pub fn n_requests(&self) -> usize {
        self.shared.lock().received.len()
    }

    /// All requests so far.
    pub fn received(&self) -> Vec<Received> {
        self.shared.lock().received.clone()
    }
}

impl Drop for Stub {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    // Dropped with this task, and all connections with it, those that stay silent too.
    let mut connections = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        let shared = shared.clone();
        let service = service_fn(move |request| {
            let shared = shared.clone();
            async move { Ok::<_, Infallible>(answer(&shared, request).await.into_response().await) }
        });
        connections.spawn(async move {
            let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            if let Err(error) = connection.await {
                // A client that hangs up, or a body that is cut on purpose.
                tracing::debug!(%error, "connection of the stub ended");
            }
        });
        while connections.try_join_next().is_some() {}
    }
}

async fn answer(shared: &Shared, request: Request<Incoming>) -> Sent {
    let (head, body) = request.into_parts();
    let Ok(body) = body.collect().await else {
        return Sent::error(400, "the body of the request was cut");
    };
    let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
    let headers = head.headers.iter().map(|(name, value)| {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        (name.as_str().to_owned(), value)
    });
    let received = Received {
        method: head.method.to_string(),
        path: path.to_owned(),
        headers: headers.collect(),
        body: body.to_bytes(),
    };
    let misbehaviour = {
        let mut state = shared.lock();
        state.received.push(received.clone());
        let line = state
            .script
            .iter()
            .position(|(path, _)| received.path.starts_with(path));
        line.map(|line| state.script.remove(line).1)
    };
    match misbehaviour {
        Some(misbehaviour) => misbehave::send(&misbehaviour, head.uri.path(), &received),
        None => route(shared, &head.method, head.uri.path(), &received),
    }
}

fn route(shared: &Shared, method: &Method, path: &str, received: &Received) -> Sent {
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    match (method.as_str(), &parts[..]) {
        ("POST", ["v1", "chat", "completions"]) => chat::answer(shared, Vendor::OpenAi, "", received),
        ("POST", ["v1", "images", "generations"]) => images::generate(shared, received),
        ("GET", ["images", id]) => images::download(shared, id),
        ("POST", ["v1", "files"]) => batch::openai_upload(shared, received),
        ("GET", ["v1", "files", id, "content"]) => batch::download(shared, id),
        ("POST", ["v1", "batches"]) => batch::openai_create(shared, received),
        ("GET", ["v1", "batches", id]) => batch::openai_poll(shared, id),
        ("POST", ["v1beta", "models", call]) => match call.rsplit_once(':') {
            Some((model, "generateContent")) => chat::answer(shared, Vendor::Gemini, model, received),
            Some((model, "batchGenerateContent")) => batch::gemini_create(shared, model, received),
            _ => Sent::error(404, "no such method of a model"),
        },
        ("POST", ["upload", "v1beta", "files"]) => batch::gemini_upload(shared, received),
        ("GET", ["v1beta", "batches", id]) => batch::gemini_poll(shared, id),
        ("GET", ["v1beta", "files", call]) => match call.strip_suffix(":download") {
            Some(id) => batch::download(shared, id),
            None => Sent::error(404, "no such method of a file"),
        },
        ("POST", ["prompt"]) => comfy::queue(shared, received),
        ("GET", ["history", id]) => comfy::history(shared, id),
        ("GET", ["view"]) => comfy::view(shared, received),
        _ => Sent::error(404, "no such address"),
    }
}
