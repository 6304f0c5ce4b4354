//! One picture on the stage: an SVG whose view box is the zoom, so that a zoom needs no script to be drawn.

use leptos::prelude::*;
use leptos::{ev, html};

use crate::browser;
use crate::model::PairImages;
use crate::query::GridQuery;
use crate::view_state::{Frame, MaskLayer, Mode, ViewState, Zoom};

/// How the pair is looked at, with what links and layers need. Shared by everything on the page.
#[derive(Clone, Copy)]
pub(super) struct Look {
    /// The state.
    pub(super) view: RwSignal<ViewState>,
    /// Whether a blinking pair is held still, and which image is up then.
    pub(super) blink: RwSignal<Blink>,
    /// Size of the images.
    pub(super) frame: Frame,
    /// What `z` shows.
    pub(super) edit_bounds: Option<[f64; 4]>,
    /// The pair's id.
    pub(super) id: StoredValue<String>,
    /// The list that the pair was reached from.
    pub(super) grid: StoredValue<GridQuery>,
    /// The images.
    pub(super) images: StoredValue<PairImages>,
    /// The help sheet.
    pub(super) help: NodeRef<html::Dialog>,
}

/// The state of a blinking pair.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Blink {
    /// Held still.
    pub(super) is_paused: bool,
    /// The rejected image is up while held.
    pub(super) shows_rejected: bool,
}

impl Look {
    /// The part of the image that is shown.
    pub(super) fn zoom(&self) -> Zoom {
        let zoom = self.view.with(|view| view.zoom);
        zoom.map_or(self.frame.fit(), |zoom| self.frame.clamp(zoom))
    }

    /// The state with another zoom; the whole image is no zoom.
    pub(super) fn zoomed(&self, state: ViewState, zoom: Zoom) -> ViewState {
        ViewState {
            zoom: (zoom != self.frame.fit()).then_some(zoom),
            ..state
        }
    }

    /// Changes the zoom of a live page.
    pub(super) fn set_zoom(&self, change: impl FnOnce(Zoom) -> Zoom) {
        let state = self.view.get_untracked();
        let zoom = state.zoom.map_or(self.frame.fit(), |zoom| self.frame.clamp(zoom));
        self.view.set(self.zoomed(state, change(zoom)));
    }

    /// The address of a state.
    pub(super) fn href(&self, state: &ViewState) -> String {
        self.id
            .with_value(|id| self.grid.with_value(|grid| state.href(id, grid)))
    }

    fn view_box(&self) -> String {
        let Zoom { x, y, width } = self.zoom();
        format!(
            "{x} {y} {width} {:.2}",
            width * self.frame.height / self.frame.width
        )
    }
}

/// What a picture shows under the masks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Show {
    /// x_w.
    Preferred,
    /// x_l.
    Rejected,
    /// x_w left of the slider, x_l right of it.
    Cut,
    /// Both in turn.
    Blinking,
    /// The amplified difference.
    Difference,
    /// x_l over x_w, half transparent.
    Onion,
}

impl Show {
    const fn key(self) -> &'static str {
        match self {
            Self::Preferred => "preferred",
            Self::Rejected => "rejected",
            Self::Cut => "cut",
            Self::Blinking => "blinking",
            Self::Difference => "difference",
            Self::Onion => "onion",
        }
    }

    const fn alt(self) -> &'static str {
        match self {
            Self::Preferred => "Preferred image",
            Self::Rejected => "Rejected image",
            Self::Cut => "Preferred image left of the slider, rejected image right of it",
            Self::Blinking => "Preferred and rejected image in turn",
            Self::Difference => "Amplified difference of both images",
            Self::Onion => "Rejected image laid over the preferred image",
        }
    }
}

/// A picture with its masks, dragged and zoomed by pointer.
pub(super) fn picture(look: Look, show: Show) -> AnyView {
    let Frame { width, height } = look.frame;
    // Larger than any screen: the style sheet's limits then fit it, keeping its shape.
    let (natural_width, natural_height) = (width * 8.0, height * 8.0);
    let drag = RwSignal::new(None::<(f64, f64)>);
    let class = move || {
        let zoom = look.zoom();
        let is_deep = zoom.width * 4.0 < width;
        let is_zoomed = zoom != look.frame.fit();
        format!(
            "picture{}{}",
            if is_zoomed { " zoomed" } else { "" },
            if is_deep { " deep" } else { "" }
        )
    };
    view! {
        <svg class=class viewBox=move || look.view_box() width=natural_width height=natural_height
            role="img" aria-label=show.alt()
            on:wheel=move |event| wheel(look, &event)
            on:pointerdown=move |event| press(look, drag, &event)
            on:pointermove=move |event| pull(look, drag, &event)
            on:pointerup=move |_| drag.set(None)
            on:pointercancel=move |_| drag.set(None)>
            {layers(look, show)}
            {move || masks(look, show)}
        </svg>
    }
    .into_any()
}

fn image(look: Look, href: impl Fn(&PairImages) -> &str) -> impl IntoView {
    let href = look.images.with_value(|images| href(images).to_owned());
    view! { <image href=href x="0" y="0" width=look.frame.width height=look.frame.height/> }
}

fn layers(look: Look, show: Show) -> AnyView {
    let preferred = || image(look, |images| &images.preferred.href);
    let rejected = || image(look, |images| &images.rejected.href);
    let split_x = move || {
        let zoom = look.zoom();
        zoom.x + zoom.width * f64::from(look.view.with(|view| view.split_percent)) / 100.0
    };
    match show {
        Show::Preferred => preferred().into_any(),
        Show::Rejected => rejected().into_any(),
        Show::Cut => view! {
            <clipPath id="right-of-the-slider">
                <rect x=split_x y="0" width=look.frame.width height=look.frame.height/>
            </clipPath>
            {preferred()}
            <g clip-path="url(#right-of-the-slider)">{rejected()}</g>
            <line class="divider" x1=split_x x2=split_x y1="0" y2=look.frame.height/>
        }
        .into_any(),
        Show::Blinking => view! { {preferred()}<g class="blink-top">{rejected()}</g> }.into_any(),
        Show::Onion => view! {
            {preferred()}
            <g opacity=move || opacity(look)>{rejected()}</g>
        }
        .into_any(),
        Show::Difference => {
            let href = move || {
                let id = look.id.get_value();
                format!(
                    "/images/pair/{id}/difference.png?gain={}",
                    look.view.with(|view| view.gain)
                )
            };
            view! { <image href=href x="0" y="0" width=look.frame.width height=look.frame.height/> }
                .into_any()
        }
    }
}

fn opacity(look: Look) -> String {
    format!(
        "{:.2}",
        f64::from(look.view.with(|view| view.opacity_percent)) / 100.0
    )
}

fn masks(look: Look, show: Show) -> Option<AnyView> {
    let layer = look.view.with(|view| view.mask);
    let Frame { width, height } = look.frame;
    match layer {
        MaskLayer::Off => None,
        MaskLayer::Outline => {
            let href = format!("/images/pair/{}/outline.png", look.id.get_value());
            Some(
                view! { <image class="outline" href=href x="0" y="0" width=width height=height/> }.into_any(),
            )
        }
        MaskLayer::Edit | MaskLayer::Part => {
            let mask_id = format!("mask-of-{}", show.key());
            let paint = format!("url(#{mask_id})");
            let class = format!("mask-fill {}", layer.name());
            let of_layer = move |images: &PairImages| match layer {
                MaskLayer::Part => images.mask_part.href.clone(),
                _ => images.mask_edit.href.clone(),
            };
            let href = look.images.with_value(of_layer);
            Some(
                view! {
                    <mask id=mask_id maskUnits="userSpaceOnUse" x="0" y="0" width=width height=height>
                        <image href=href x="0" y="0" width=width height=height/>
                    </mask>
                    <rect class=class x="0" y="0" width=width height=height mask=paint
                        opacity=move || opacity(look)/>
                }
                .into_any(),
            )
        }
    }
}

fn share(event: &ev::PointerEvent) -> Option<(f64, f64)> {
    let element = event
        .current_target()
        .map(wasm_bindgen::JsCast::unchecked_into::<web_sys::Element>)?;
    Some(browser::share_of(
        &element,
        f64::from(event.client_x()),
        f64::from(event.client_y()),
    ))
}

fn wheel(look: Look, event: &ev::WheelEvent) {
    use wasm_bindgen::JsCast;
    event.prevent_default();
    let Some(element) = event
        .current_target()
        .map(JsCast::unchecked_into::<web_sys::Element>)
    else {
        return;
    };
    let at = browser::share_of(&element, f64::from(event.client_x()), f64::from(event.client_y()));
    // Lines and pages are reported by some mice; a line is about 16 pixels.
    let pixels = event.delta_y() * [1.0, 16.0, 400.0][(event.delta_mode() as usize).min(2)];
    let factor = (pixels.clamp(-400.0, 400.0) * 0.002).exp();
    look.set_zoom(|zoom| look.frame.scaled(zoom, factor, at));
}

fn press(look: Look, drag: RwSignal<Option<(f64, f64)>>, event: &ev::PointerEvent) {
    use wasm_bindgen::JsCast;
    if event.button() != 0 {
        return;
    }
    event.prevent_default();
    if let Some(element) = event
        .current_target()
        .map(JsCast::unchecked_into::<web_sys::Element>)
    {
        // Without the capture a drag ends at the picture's edge: a nuisance, no fault.
        drop(element.set_pointer_capture(event.pointer_id()));
    }
    let at = share(event);
    drag.set(at);
    if let Some((x, _)) = at.filter(|_| moves_slider(look, event)) {
        look.view
            .update(|view| view.split_percent = (x * 100.0).round() as u8);
    }
}

fn pull(look: Look, drag: RwSignal<Option<(f64, f64)>>, event: &ev::PointerEvent) {
    let (Some(from), Some(to)) = (drag.get_untracked(), share(event)) else {
        return;
    };
    drag.set(Some(to));
    if moves_slider(look, event) {
        look.view
            .update(|view| view.split_percent = (to.0 * 100.0).round() as u8);
    } else {
        look.set_zoom(|zoom| look.frame.moved(zoom, (from.0 - to.0, from.1 - to.1)));
    }
}

/// Over the slider a drag moves the cut; with Shift it moves the picture as everywhere else.
fn moves_slider(look: Look, event: &ev::PointerEvent) -> bool {
    look.view.with_untracked(|view| view.mode) == Mode::Slider && !event.shift_key()
}
