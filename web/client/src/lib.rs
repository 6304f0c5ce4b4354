//! The viewer's wasm entry.
#![cfg(target_arch = "wasm32")]
