//! The keys of the pair page and the sheet that lists them.

use leptos::ev::KeyboardEvent;
use leptos::prelude::*;

use crate::browser;
use crate::model::Neighbours;
use crate::view_state::{Mode, ViewState};

use super::stage::{Blink, Look};
use super::toolbar::show_help;

/// What each key does, as the help sheet lists it.
const SHEET: [(&str, &str); 12] = [
    ("1 … 5", "side by side, slider, blink, difference, onion skin"),
    ("z", "frame the edit on both images"),
    ("0", "fit the whole image"),
    ("+  −", "zoom in, zoom out"),
    (
        "← → ↑ ↓",
        "move a zoomed image; ← → go to the pair before or after where it is not zoomed",
    ),
    ("k  j", "the pair before, the pair after"),
    ("Space", "flip between both images in place"),
    ("m", "next mask layer"),
    ("[  ]", "less, more opacity"),
    ("y", "copy the link to this view"),
    ("g", "back to the grid"),
    ("?", "this sheet"),
];

/// The help sheet.
pub(super) fn sheet(look: Look) -> AnyView {
    view! {
        <dialog class="help" node_ref=look.help aria-labelledby="help-title">
            <h2 id="help-title">"Keys"</h2>
            <dl>
                {SHEET.map(|(keys, what)| view! { <dt><kbd>{keys}</kbd></dt><dd>{what}</dd> })}
            </dl>
            <p>"Wheel zooms at the pointer, dragging moves the image; over the slider dragging moves the cut
                and Shift with dragging moves the image."</p>
            <form method="dialog"><button>"Close"</button></form>
        </dialog>
    }
    .into_any()
}

/// Addresses that keys lead to.
#[derive(Clone)]
pub(super) struct Ways {
    /// Pairs beside this one.
    pub(super) neighbours: Neighbours,
    /// The grid at this pair's page.
    pub(super) back: String,
}

/// Acts on a key that is not meant for a field or for the browser.
pub(super) fn pressed(look: Look, ways: &Ways, event: &KeyboardEvent) {
    let is_command = event.ctrl_key() || event.meta_key() || event.alt_key();
    let key = event.key();
    if is_command || belongs_to_focus(&key) || look.help.get_untracked().is_some_and(|dialog| dialog.open()) {
        return;
    }
    if navigated(look, ways, &key) || changed(look, &key) {
        event.prevent_default();
    }
}

/// A range keeps its own keys, a text field all of them.
fn belongs_to_focus(key: &str) -> bool {
    let Some(element) = document().active_element() else {
        return false;
    };
    let kind = element.get_attribute("type").unwrap_or_default();
    match (element.tag_name().as_str(), kind.as_str()) {
        ("INPUT", "range") => {
            key.starts_with("Arrow") || ["Home", "End", "PageUp", "PageDown"].contains(&key)
        }
        ("INPUT", "checkbox") | ("BUTTON" | "SUMMARY", _) => key == " " || key == "Enter",
        _ => browser::is_typing(),
    }
}

fn navigated(look: Look, ways: &Ways, key: &str) -> bool {
    let is_fit = look.view.with_untracked(|view| view.zoom.is_none());
    let to = match key {
        "j" => ways.neighbours.next.as_ref(),
        "k" => ways.neighbours.previous.as_ref(),
        "ArrowRight" if is_fit => ways.neighbours.next.as_ref(),
        "ArrowLeft" if is_fit => ways.neighbours.previous.as_ref(),
        "g" => Some(&ways.back),
        _ => return false,
    };
    if let Some(href) = to {
        browser::go_to(href);
    }
    true
}

fn changed(look: Look, key: &str) -> bool {
    let frame = look.frame;
    let scale = |factor| look.set_zoom(|zoom| frame.scaled(zoom, factor, (0.5, 0.5)));
    let shift = |u, v| look.set_zoom(|zoom| frame.moved(zoom, (u, v)));
    let set = |change: &dyn Fn(&mut ViewState)| look.view.update(change);
    match key {
        "1" | "2" | "3" | "4" | "5" => {
            let idx = usize::from(key.as_bytes()[0] - b'1');
            set(&|view| view.mode = Mode::ALL[idx]);
        }
        "m" => set(&|view| view.mask = view.mask.next()),
        "[" => set(&|view| view.opacity_percent = view.opacity_percent.saturating_sub(10)),
        "]" => set(&|view| view.opacity_percent = (view.opacity_percent + 10).min(100)),
        "z" => {
            if let Some(bounds) = look.edit_bounds {
                look.set_zoom(|_| frame.around(bounds));
            }
        }
        "0" => set(&|view| view.zoom = None),
        "+" | "=" => scale(1.0 / 1.5),
        "-" => scale(1.5),
        "ArrowLeft" => shift(-0.1, 0.0),
        "ArrowRight" => shift(0.1, 0.0),
        "ArrowUp" => shift(0.0, -0.1),
        "ArrowDown" => shift(0.0, 0.1),
        " " => flip(look),
        "y" => copy_link(look),
        "?" => show_help(look),
        _ => return false,
    }
    true
}

/// Holds the blinking pair still and shows the other image.
fn flip(look: Look) {
    look.view.update(|view| view.mode = Mode::Blink);
    look.blink.update(|blink| {
        *blink = Blink {
            is_paused: true,
            shows_rejected: !blink.shows_rejected,
        };
    });
}

fn copy_link(look: Look) {
    let origin = window().location().origin().unwrap_or_default();
    let link = format!("{origin}{}", look.href(&look.view.get_untracked()));
    leptos::task::spawn_local(async move {
        // A browser that forbids it leaves the link in the address bar, where it always stands.
        browser::copy(&link).await;
    });
}
