//! One pair in the grid.

use asap_core::Decision;
use leptos::prelude::*;

use crate::model::Card;
use crate::query::GridQuery;
use crate::view_state::ViewState;
use crate::words;

/// A list item with both thumbnails; without a card it keeps the place of one that is being fetched.
pub(super) fn item(position: usize, n_total: usize, card: Option<Card>, grid: &GridQuery) -> AnyView {
    let href = card
        .as_ref()
        .map(|card| ViewState::default().href(&card.id, &grid.at_page(1)));
    view! {
        <li class="card" aria-setsize=n_total.to_string() aria-posinset=(position + 1).to_string()>
            {card.map(|card| contents(card, href.unwrap_or_default()))}
        </li>
    }
    .into_any()
}

fn contents(card: Card, href: String) -> AnyView {
    let labels = card.labels.join(", ");
    let reasons = card.rejections.join(", ");
    let title = if labels.is_empty() {
        "unlabelled".to_owned()
    } else {
        labels
    };
    let thumb = |role: &str, src: String| {
        view! {
            <figure>
                <img src=src alt="" width="192" height="192" loading="lazy" decoding="async"/>
                <figcaption>{role.to_owned()}</figcaption>
            </figure>
        }
    };
    view! {
        <a class="card-link" href=href>
            <span class="thumbs">
                {thumb("preferred", format!("/thumbs/positive/{}.jpg", card.positive_id))}
                {thumb("rejected", format!("/thumbs/pair/{}.jpg", card.id))}
            </span>
            <span class="card-title">{title}</span>
        </a>
        <p class="card-prompt" title=card.prompt.clone()>{card.prompt.clone()}</p>
        <p class="card-facts">
            {badge(card.decision, reasons)}
            <span class="figures">
                {ssim("in", card.ssim_inside)}
                {ssim("out", card.ssim_outside)}
            </span>
        </p>
    }
    .into_any()
}

fn ssim(place: &'static str, value: Option<f64>) -> impl IntoView {
    let shown = value.map_or_else(|| "–".to_owned(), |value| format!("{value:.3}"));
    let spoken = format!("SSIM {place}side: {}", words::number(value, 4));
    view! { <span title=spoken><abbr>{place}</abbr>" "{shown}</span> }
}

/// The decision as a word with a colour.
pub(super) fn badge(decision: Decision, reasons: String) -> impl IntoView {
    view! { <span class=format!("badge {}", decision.name()) title=reasons>{decision.name()}</span> }
}
