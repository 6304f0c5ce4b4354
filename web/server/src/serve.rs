//! Listening, until somebody asks to stop.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;

use crate::assets::Client;
use crate::config::{Config, Error};
use crate::router::app;
use crate::source::Store;
use crate::state::State;

/// Serves a dataset until Ctrl-C or SIGTERM; requests in progress are finished. `on_listening` is told the
/// address once it can be opened: port 0 has become a number by then.
///
/// # Errors
/// [`Error`] says what cannot be read or listened on; the server prints nothing itself.
pub async fn serve(config: Config, on_listening: impl FnOnce(SocketAddr)) -> Result<(), Error> {
    let Config { data, addr, site } = config;
    let unreadable = |source| Error::Data {
        path: data.clone(),
        source,
    };
    let store = Store::open(&data).await.map_err(unreadable)?;
    let client = match site {
        Some(path) => Some(Client::read(&path).map_err(|source| Error::Site { path, source })?),
        None => None,
    };
    let state = State::new(Arc::new(store), client).await.map_err(unreadable)?;
    let listener = TcpListener::bind(addr)
        .await
        .map_err(|source| Error::Listen { addr, source })?;
    let local = listener
        .local_addr()
        .map_err(|source| Error::Listen { addr, source })?;
    tracing::info!(address = %local, dataset = %data.display(), "listening");
    on_listening(local);
    serve_on(listener, state)
        .await
        .map_err(|source| Error::Stopped { addr: local, source })?;
    tracing::info!("stopped");
    Ok(())
}

/// Serves a state on a socket that listens already, until Ctrl-C or SIGTERM.
///
/// # Errors
/// Whatever made the socket unusable.
pub async fn serve_on(listener: TcpListener, state: State) -> std::io::Result<()> {
    axum::serve(listener, app(state))
        .with_graceful_shutdown(asked_to_stop())
        .await
}

async fn asked_to_stop() {
    let interrupted = async {
        if tokio::signal::ctrl_c().await.is_err() {
            // Without a handler there is nothing to wait for; the process can still be killed.
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminated = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminated = std::future::pending::<()>();
    tokio::select! {
        () = interrupted => {}
        () = terminated => {}
    }
}
