//! What the server is started with, and why it does not start.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::source::SourceError;

/// Everything that a server is started with.
#[derive(Clone, Debug)]
pub struct Config {
    /// The dataset.
    pub data: PathBuf,
    /// Where to listen.
    pub addr: SocketAddr,
    /// The folder with `pkg/asap.js` and `pkg/asap_bg.wasm`; without it pages stay plain HTML.
    pub site: Option<PathBuf>,
}

/// Why the server does not start or stopped.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The dataset cannot be read.
    #[error("cannot serve `{}`", path.display())]
    Data {
        /// Its path.
        path: PathBuf,
        /// Why.
        #[source]
        source: SourceError,
    },
    /// The client's files cannot be read.
    #[error("cannot read the client from `{}`: expected `pkg/asap.js` and `pkg/asap_bg.wasm` in it", path.display())]
    Site {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on `{addr}`")]
    Listen {
        /// The address.
        addr: SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The listener failed.
    #[error("the server on `{addr}` stopped")]
    Stopped {
        /// The address.
        addr: SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}
