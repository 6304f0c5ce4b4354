//! The controls of the stage: every one a link to the state that it makes.

use leptos::ev::MouseEvent;
use leptos::prelude::*;

use crate::view_state::{GAINS, MaskLayer, Mode, ViewState};

use super::stage::Look;

/// The toolbar.
pub(super) fn toolbar(look: Look) -> AnyView {
    view! {
        <div class="toolbar" role="toolbar" aria-label="View">
            <div class="tools" role="group" aria-label="Compare">
                {Mode::ALL.map(|mode| choice(
                    look,
                    mode.title(),
                    move |state| ViewState { mode, ..state },
                    move |state| state.mode == mode,
                ))}
            </div>
            <div class="tools" role="group" aria-label="Amplify the difference"
                hidden=move || look.view.with(|view| view.mode != Mode::Difference)>
                {GAINS.map(|gain| choice(
                    look,
                    gain_title(gain),
                    move |state| ViewState { gain, ..state },
                    move |state| state.gain == gain,
                ))}
            </div>
            <div class="tools" role="group" aria-label="Mask">
                {MaskLayer::ALL.map(|mask| choice(
                    look,
                    mask.title(),
                    move |state| ViewState { mask, ..state },
                    move |state| state.mask == mask,
                ))}
            </div>
            <div class="tools" role="group" aria-label="Zoom">
                {choice(look, "Fit", |state| ViewState { zoom: None, ..state }, |state| state.zoom.is_none())}
                {look.edit_bounds.map(|bounds| action(look, "Frame the edit", "frame", move |state| {
                    look.zoomed(state, look.frame.around(bounds))
                }))}
                {action(look, "−", "zoom out", move |state| scaled(look, state, 1.5))}
                {action(look, "+", "zoom in", move |state| scaled(look, state, 1.0 / 1.5))}
                {action(look, "←", "move left", move |state| moved(look, state, (-0.25, 0.0)))}
                {action(look, "→", "move right", move |state| moved(look, state, (0.25, 0.0)))}
                {action(look, "↑", "move up", move |state| moved(look, state, (0.0, -0.25)))}
                {action(look, "↓", "move down", move |state| moved(look, state, (0.0, 0.25)))}
            </div>
            <button type="button" class="live-only" aria-keyshortcuts="?" title="Keys (?)"
                on:click=move |_| show_help(look)>"Keys"</button>
        </div>
    }
    .into_any()
}

/// Opens the help sheet.
pub(super) fn show_help(look: Look) {
    if let Some(dialog) = look.help.get_untracked().filter(|dialog| !dialog.open()) {
        // It is refused only where the dialog has left the document.
        drop(dialog.show_modal());
    }
}

const fn gain_title(gain: u8) -> &'static str {
    match gain {
        1 => "×1",
        4 => "×4",
        8 => "×8",
        16 => "×16",
        _ => "×32",
    }
}

fn scaled(look: Look, state: ViewState, factor: f64) -> ViewState {
    let zoom = state.zoom.unwrap_or(look.frame.fit());
    look.zoomed(
        state,
        look.frame.scaled(look.frame.clamp(zoom), factor, (0.5, 0.5)),
    )
}

fn moved(look: Look, state: ViewState, by: (f64, f64)) -> ViewState {
    let zoom = state.zoom.unwrap_or(look.frame.fit());
    look.zoomed(state, look.frame.moved(look.frame.clamp(zoom), by))
}

fn choice(
    look: Look,
    title: &'static str,
    change: impl Fn(ViewState) -> ViewState + Copy + Send + Sync + 'static,
    is_on: impl Fn(&ViewState) -> bool + Copy + Send + Sync + 'static,
) -> AnyView {
    view! {
        <a class="tool" href=move || look.href(&change(look.view.get()))
            aria-current=move || look.view.with(is_on).then_some("true")
            on:click=move |event| follow(look, &event, change)>{title}</a>
    }
    .into_any()
}

fn action(
    look: Look,
    title: &'static str,
    spoken: &'static str,
    change: impl Fn(ViewState) -> ViewState + Copy + Send + Sync + 'static,
) -> AnyView {
    view! {
        <a class="tool" href=move || look.href(&change(look.view.get())) title=spoken aria-label=spoken
            on:click=move |event| follow(look, &event, change)>{title}</a>
    }
    .into_any()
}

fn follow(look: Look, event: &MouseEvent, change: impl Fn(ViewState) -> ViewState) {
    if event.ctrl_key() || event.meta_key() || event.shift_key() || event.button() != 0 {
        return;
    }
    event.prevent_default();
    look.view.set(change(look.view.get_untracked()));
}
