//! The few things that live pages ask of the browser. Called from event handlers and effects only, which
//! do not run on the server.

use leptos::prelude::*;
use serde::de::DeserializeOwned;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

/// The query string of the page's address, without `?`.
pub(crate) fn location_query() -> String {
    let search = window().location().search().unwrap_or_default();
    search.strip_prefix('?').unwrap_or(&search).to_owned()
}

/// Puts an address into the history as a new entry.
pub(crate) fn push_address(href: &str) {
    if let Ok(history) = window().history() {
        drop(history.push_state_with_url(&JsValue::NULL, "", Some(href)));
    }
}

/// Replaces the address of the current history entry.
pub(crate) fn replace_address(href: &str) {
    if let Ok(history) = window().history() {
        drop(history.replace_state_with_url(&JsValue::NULL, "", Some(href)));
    }
}

/// Loads another page.
pub(crate) fn go_to(href: &str) {
    drop(window().location().set_href(href));
}

/// Fetches JSON; `None` where the server cannot be reached or says anything but what was asked for.
pub(crate) async fn fetch_json<T: DeserializeOwned>(href: &str) -> Option<T> {
    let response = JsFuture::from(window().fetch_with_str(href)).await.ok()?;
    let response: web_sys::Response = response.dyn_into().ok()?;
    if !response.ok() {
        return None;
    }
    let text = JsFuture::from(response.text().ok()?).await.ok()?;
    serde_json::from_str(&text.as_string()?).ok()
}

/// The fields of a form as the query string that the browser would send.
pub(crate) fn form_query(form: &web_sys::HtmlFormElement) -> Option<String> {
    let data = web_sys::FormData::new_with_form(form).ok()?;
    let params = web_sys::UrlSearchParams::new_with_str_sequence_sequence(&data).ok()?;
    Some(String::from(params.to_string()))
}

/// The link around an event's target that carries `data-state`, as its query string, unless the reader
/// asked for a new tab or window.
pub(crate) fn state_link_query(event: &web_sys::MouseEvent) -> Option<String> {
    if event.ctrl_key() || event.meta_key() || event.shift_key() || event.button() != 0 {
        return None;
    }
    let target: web_sys::Element = event.target()?.dyn_into().ok()?;
    let href = target.closest("a[data-state]").ok()??.get_attribute("href")?;
    Some(
        href.split_once('?')
            .map_or_else(String::new, |(_, query)| query.to_owned()),
    )
}

/// Whether keys belong to the element that has the focus: a text or number field, a list.
pub(crate) fn is_typing() -> bool {
    document()
        .active_element()
        .is_some_and(|element| match element.tag_name().as_str() {
            "TEXTAREA" | "SELECT" => true,
            "INPUT" => {
                let kind = element.get_attribute("type").unwrap_or_default();
                !matches!(kind.as_str(), "checkbox" | "radio" | "button" | "submit")
            }
            _ => false,
        })
}

/// Where a pointer is on an element, as shares of its width and height.
pub(crate) fn share_of(element: &web_sys::Element, client_x: f64, client_y: f64) -> (f64, f64) {
    let rect = element.get_bounding_client_rect();
    let share = |at: f64, from: f64, length: f64| ((at - from) / length.max(1.0)).clamp(0.0, 1.0);
    (
        share(client_x, rect.left(), rect.width()),
        share(client_y, rect.top(), rect.height()),
    )
}

/// Copies a text; a browser that forbids it leaves the clipboard as it was.
pub(crate) async fn copy(text: &str) -> bool {
    JsFuture::from(window().navigator().clipboard().write_text(text))
        .await
        .is_ok()
}
