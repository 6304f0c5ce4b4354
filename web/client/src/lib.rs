//! The viewer's wasm entry: the page that the server rendered comes to life.
#![cfg(target_arch = "wasm32")]

use wasm_bindgen::prelude::wasm_bindgen;

/// Called once by the script that loads the module.
#[wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    asap_app::hydrate();
}
