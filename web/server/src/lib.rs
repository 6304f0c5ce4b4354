//! The viewer's server: one HAP dataset as web pages, JSON and images.
//!
//! The rows of the dataset stand in memory as an [`Index`](index::Index), so filters, counts and histograms
//! never touch the disk; images are read from the [`Source`](source::Source) by id when they are asked for,
//! and derived ones (thumbnails, differences, outlines) are kept in a bounded [`cache`]. Pages are rendered
//! by `asap-app` from plain data; with the client's files in [`Config::site`] they come to life in the
//! browser, without them they work as plain HTML.
//!
//! ```
//! use std::sync::Arc;
//! use asap_server::{State, app, source::Memory};
//!
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! let state = State::new(Arc::new(Memory::default()), None).await.unwrap();
//! let router: axum::Router = app(state);
//! # });
//! ```

pub mod cache;
pub mod index;
pub mod source;

mod assets;
mod config;
mod derived;
mod failure;
mod handlers;
mod models;
mod overview;
mod router;
mod security;
mod serve;
mod state;
#[cfg(test)]
mod tests;
mod wire;

pub use assets::Client;
pub use config::{Config, Error};
pub use router::app;
pub use serve::{serve, serve_on};
pub use state::State;
