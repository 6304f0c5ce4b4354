//! The pages of the viewer.
//!
//! A page is a plain value ([`model::Page`]). The server fills it and calls `document`, which renders the
//! whole HTML and puts the same value as JSON beside it; the browser reads the JSON and [`hydrate`]s. There
//! is no client-side router and no server function: an address is a [`query::GridQuery`] and a
//! [`view_state::ViewState`], both sides read and write it with the same code, every control is a link or a
//! form field, and what wasm adds is that a change does not reload the page.
//!
//! ```
//! use asap_app::filter::{Facet, Filter};
//! use asap_app::query::GridQuery;
//!
//! let faces = GridQuery::from(Filter::only(Facet::Region, "face"));
//! assert_eq!(faces.href(), "/pairs?region=face");
//! assert_eq!(GridQuery::parse("region=face").unwrap(), faces);
//! ```

// A page is one nested type, deeper than the compiler's default allows.
#![recursion_limit = "256"]

pub mod filter;
pub mod model;
pub mod query;
pub mod view_state;
pub mod window;
pub mod words;

mod browser;
mod page;
#[cfg(feature = "ssr")]
mod shell;

#[cfg(feature = "hydrate")]
pub use page::hydrate;
#[cfg(feature = "ssr")]
pub use shell::{Shell, Theme, document};

/// The style sheet.
pub const CSS: &str = include_str!("style.css");
/// The icon.
pub const ICON_SVG: &str = include_str!("icon.svg");
/// The `id` of the element that carries the page's data.
pub const MODEL_ID: &str = "asap-model";
/// The `id` of the element that is hydrated.
pub const MAIN_ID: &str = "main";
