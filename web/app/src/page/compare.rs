//! The stage in its five modes.

use leptos::prelude::*;

use crate::view_state::{MaskLayer, Mode};

use super::stage::{Look, Show, picture};

/// The stage.
pub(super) fn stage(look: Look) -> impl IntoView {
    let mode = Memo::new(move |_| look.view.with(|view| view.mode));
    view! {
        <div class="stage">
            {move || match mode.get() {
                Mode::Side => side(look),
                Mode::Slider => single(look, Show::Cut, "preferred | rejected"),
                Mode::Blink => blink(look),
                Mode::Difference => difference(look),
                Mode::Onion => single(look, Show::Onion, "rejected over preferred"),
            }}
            {sliders(look)}
        </div>
    }
}

fn side(look: Look) -> AnyView {
    view! {
        <div class="pictures two">
            <figure>{picture(look, Show::Preferred)}<figcaption>"preferred"</figcaption></figure>
            <figure>{picture(look, Show::Rejected)}<figcaption>"rejected"</figcaption></figure>
        </div>
    }
    .into_any()
}

fn single(look: Look, show: Show, caption: &'static str) -> AnyView {
    view! {
        <div class="pictures one">
            <figure>{picture(look, show)}<figcaption>{caption}</figcaption></figure>
        </div>
    }
    .into_any()
}

fn difference(look: Look) -> AnyView {
    let caption = move || {
        let gain = look.view.with(|view| view.gain);
        format!("|preferred − rejected| × {gain}; black is equal")
    };
    view! {
        <div class="pictures one">
            <figure>{picture(look, Show::Difference)}<figcaption>{caption}</figcaption></figure>
        </div>
    }
    .into_any()
}

/// Blinks by style sheet alone; the boxes hold it, and reduced motion holds it always.
fn blink(look: Look) -> AnyView {
    let blink = look.blink;
    view! {
        <div class="pictures one blink">
            <div class="blink-controls">
                <label>
                    <input type="checkbox" class="blink-pause" prop:checked=move || blink.get().is_paused
                        on:change=move |event| blink.update(|b| b.is_paused = event_target_checked(&event))/>
                    "Hold still"
                </label>
                <label>
                    <input type="checkbox" class="blink-flip" prop:checked=move || blink.get().shows_rejected
                        on:change=move |event| blink.update(|b| b.shows_rejected = event_target_checked(&event))/>
                    "Show the rejected image while held"
                </label>
                <span class="reduced-motion-note">"Your system asks for less motion: it does not blink."</span>
            </div>
            <figure>
                {picture(look, Show::Blinking)}
                <figcaption><span class="blink-under">"preferred"</span><span class="blink-top">"rejected"</span></figcaption>
            </figure>
        </div>
    }
    .into_any()
}

/// The ranges of the slider and of the opacity; a plain form where the page is not live.
fn sliders(look: Look) -> AnyView {
    let has_split = move || look.view.with(|view| view.mode == Mode::Slider);
    let has_opacity = move || {
        look.view
            .with(|view| view.mode == Mode::Onion || matches!(view.mask, MaskLayer::Edit | MaskLayer::Part))
    };
    let set = move |change: fn(&mut crate::view_state::ViewState, u8)| {
        move |event: leptos::ev::Event| {
            if let Ok(percent) = event_target_value(&event).parse::<u8>() {
                look.view.update(|view| change(view, percent.min(100)));
            }
        }
    };
    view! {
        <form class="sliders" method="get" action=format!("/pairs/{}", look.id.get_value())
            hidden=move || !has_split() && !has_opacity()
            on:submit=|event| event.prevent_default()>
            {hidden_fields(look)}
            <label class="slider" hidden=move || !has_split()>
                <span>"Cut at"</span>
                <input type="range" name="split_at" min="0" max="100" step="1" aria-label="Position of the slider"
                    disabled=move || !has_split()
                    value=look.view.get_untracked().split_percent.to_string()
                    prop:value=move || look.view.with(|view| view.split_percent.to_string())
                    on:input=set(|view, percent| view.split_percent = percent)/>
            </label>
            <label class="slider" hidden=move || !has_opacity()>
                <span>"Opacity"</span>
                <input type="range" name="opacity" min="0" max="100" step="1" aria-label="Opacity of the overlay"
                    disabled=move || !has_opacity()
                    value=look.view.get_untracked().opacity_percent.to_string()
                    prop:value=move || look.view.with(|view| view.opacity_percent.to_string())
                    on:input=set(|view, percent| view.opacity_percent = percent)/>
            </label>
            <button type="submit" class="plain-only">"Show"</button>
        </form>
    }
    .into_any()
}

/// The rest of the state, so that the plain form keeps it.
fn hidden_fields(look: Look) -> impl IntoView {
    let query = look
        .grid
        .with_value(|grid| look.view.get_untracked().to_query(grid));
    form_urlencoded::parse(query.as_bytes())
        .filter(|(key, _)| key != "split_at" && key != "opacity")
        .map(|(key, value)| view! { <input type="hidden" name=key.into_owned() value=value.into_owned()/> })
        .collect_view()
}
