//! One page per file, and the choice between them.

mod card;
mod compare;
mod dataset;
mod facts;
mod filters;
mod grid;
mod histogram;
mod keys;
mod pair;
mod stage;
mod toolbar;

use leptos::prelude::*;

use crate::model::{ErrorModel, Page};

/// The contents of `<main>`.
pub(crate) fn page_view(page: Page) -> AnyView {
    match page {
        Page::Grid(model) => grid::page(*model).into_any(),
        Page::Pair(model) => pair::page(*model).into_any(),
        Page::Dataset(model) => dataset::page(*model).into_any(),
        Page::Error(model) => error(model).into_any(),
    }
}

fn error(model: ErrorModel) -> impl IntoView {
    view! {
        <div class="failure">
            <p class="failure-status">{model.status}</p>
            <h1>{model.message}</h1>
            <p><a href="/pairs">"All pairs"</a>" or "<a href="/dataset">"the data set"</a></p>
        </div>
    }
}

/// The heading of the browser's tab.
#[cfg(feature = "ssr")]
pub(crate) fn title(page: &Page) -> String {
    match page {
        Page::Grid(model) => format!("{} pairs", model.n_matching),
        Page::Pair(model) => format!("Pair {}", &model.id[..8.min(model.id.len())]),
        Page::Dataset(model) => model.name.clone(),
        Page::Error(model) => format!("{}", model.status),
    }
}

/// Takes the page's data out of the document and brings its `<main>` to life.
///
/// Does nothing where the document carries no data: the page stays plain HTML.
#[cfg(feature = "hydrate")]
pub fn hydrate() {
    use wasm_bindgen::JsCast;

    let Some(document) = web_sys::window().and_then(|window| window.document()) else {
        return;
    };
    let page = document
        .get_element_by_id(crate::MODEL_ID)
        .and_then(|element| element.text_content())
        .and_then(|json| serde_json::from_str::<Page>(&json).ok());
    let main = document
        .get_element_by_id(crate::MAIN_ID)
        .and_then(|element| element.dyn_into().ok());
    if let (Some(page), Some(main)) = (page, main) {
        leptos::mount::hydrate_from(main, move || page_view(page)).forget();
        // Browser tests and style sheets tell a live page from a plain one by this.
        if let Some(root) = document.document_element() {
            drop(root.set_attribute("data-live", "true"));
        }
    }
}
