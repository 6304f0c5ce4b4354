//! The viewer over made-up pairs, for a look at the pages without a dataset:
//! `cargo run -p asap-server --example preview -- 127.0.0.1:3001 500 [SITE]`.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use asap_server::source::sample;
use asap_server::{Client, State, app};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let addr: SocketAddr = args.next().as_deref().unwrap_or("127.0.0.1:3001").parse()?;
    let n_pairs = args.next().as_deref().unwrap_or("500").parse()?;
    let client = args
        .next()
        .map(|site| Client::read(Path::new(&site)))
        .transpose()?;
    let state = State::new(Arc::new(sample(n_pairs)), client).await?;
    axum::serve(tokio::net::TcpListener::bind(addr).await?, app(state)).await?;
    Ok(())
}
