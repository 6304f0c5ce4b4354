//! One pair: the stage, and everything that is known about it.

use std::time::Duration;

use leptos::html;
use leptos::prelude::*;

use crate::browser;
use crate::model::{Neighbours, PairModel};
use crate::query::PAGE_LEN;
use crate::view_state::{Frame, ViewState};
use crate::words;

use super::card::badge;
use super::compare::stage;
use super::facts::facts;
use super::keys::{self, Ways};
use super::stage::{Blink, Look};
use super::toolbar::toolbar;

/// How long the address waits for the view to come to rest: browsers refuse too many changes a second.
const ADDRESS_DELAY: Duration = Duration::from_millis(120);

/// The page.
pub(super) fn page(model: PairModel) -> impl IntoView {
    let look = Look {
        view: RwSignal::new(model.view),
        blink: RwSignal::new(Blink::default()),
        frame: Frame {
            width: f64::from(model.width),
            height: f64::from(model.height),
        },
        edit_bounds: model.edit_bounds,
        id: StoredValue::new(model.id.clone()),
        grid: StoredValue::new(model.grid.clone()),
        images: StoredValue::new(model.images.clone()),
        help: NodeRef::<html::Dialog>::new(),
    };
    let back = back_href(&model);
    keep_address(look);
    listen(look, &model.neighbours, &back);
    view! {
        <article class="pair-page">
            {heading(look, &model, back)}
            {toolbar(look)}
            {stage(look)}
            {facts(&model)}
            {keys::sheet(look)}
        </article>
    }
}

/// The grid at the page on which this pair stands.
fn back_href(model: &PairModel) -> String {
    let page = model
        .neighbours
        .position
        .map_or(1, |position| position / PAGE_LEN + 1);
    model.grid.at_page(page as u32).href()
}

/// The address of a neighbour in the same way of looking, not at the same place.
fn neighbour_href(look: Look, id: &str) -> String {
    let state = ViewState {
        zoom: None,
        ..look.view.get()
    };
    look.grid.with_value(|grid| state.href(id, grid))
}

fn heading(look: Look, model: &PairModel, back: String) -> AnyView {
    let labels: Vec<String> = model.degradations.iter().map(words::phrase).collect();
    let title = if labels.is_empty() {
        "Unlabelled pair".to_owned()
    } else {
        labels.join(", ")
    };
    let place = model.neighbours.position.map_or_else(
        || "not in the current list".to_owned(),
        |position| {
            format!(
                "{} of {}",
                words::count(position + 1),
                words::count(model.neighbours.n_matching)
            )
        },
    );
    let decision = model
        .assessment
        .as_ref()
        .map(|assessment| badge(assessment.curation.decision, String::new()));
    view! {
        <div class="pair-head">
            <a class="back" href=back>"‹ Grid"</a>
            <h1>{title}</h1>
            {decision}
            <nav class="neighbours" aria-label="Pairs of the current list">
                {neighbour(look, "Previous", model.neighbours.previous.clone())}
                <span>{place}</span>
                {neighbour(look, "Next", model.neighbours.next.clone())}
            </nav>
        </div>
    }
    .into_any()
}

fn neighbour(look: Look, title: &'static str, id: Option<String>) -> AnyView {
    let is_absent = id.is_none().to_string();
    let href = move || id.as_deref().map(|id| neighbour_href(look, id));
    view! { <a class="page-link" href=href aria-disabled=is_absent>{title}</a> }.into_any()
}

/// Writes the view into the address once it rests.
fn keep_address(look: Look) {
    Effect::new(move |earlier: Option<Option<TimeoutHandle>>| {
        let href = look.href(&look.view.get());
        // The first run is the page as it was loaded.
        let is_first = earlier.is_none();
        if let Some(handle) = earlier.flatten() {
            handle.clear();
        }
        if is_first {
            return None;
        }
        set_timeout_with_handle(move || browser::replace_address(&href), ADDRESS_DELAY).ok()
    });
}

fn listen(look: Look, neighbours: &Neighbours, back: &str) {
    let neighbours = StoredValue::new(neighbours.clone());
    let back = StoredValue::new(back.to_owned());
    Effect::new(move || {
        let handle = window_event_listener(leptos::ev::keydown, move |event| {
            let neighbours = neighbours.get_value();
            let to = |id: Option<String>| id.map(|id| untrack(|| neighbour_href(look, &id)));
            let ways = Ways {
                neighbours: Neighbours {
                    previous: to(neighbours.previous.clone()),
                    next: to(neighbours.next.clone()),
                    ..neighbours
                },
                back: back.get_value(),
            };
            keys::pressed(look, &ways, &event);
        });
        on_cleanup(move || handle.remove());
    });
}
