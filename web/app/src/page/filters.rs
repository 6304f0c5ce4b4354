//! The filter form: a plain GET form; live pages send it as it changes.

use leptos::prelude::*;

use crate::browser;
use crate::filter::{Bounds, Facet, Measure};
use crate::model::{FacetModel, FacetOption, GridModel, Histogram};
use crate::query::{MAX_TEXT_CHARS, Order, SortKey};
use crate::words;

use super::histogram::{Scale, plot};

/// What a brush over a histogram has swept so far, as shares of its width.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Brush {
    measure: Measure,
    from: f64,
    to: f64,
}

/// What the form needs besides its data.
#[derive(Clone, Copy)]
pub(super) struct FormContext {
    /// The brush in progress.
    pub(super) brush: RwSignal<Option<Brush>>,
    /// Called when a brush has set new bounds.
    pub(super) on_bounds: Callback<(Measure, Bounds)>,
    /// The facets that stand open, fixed when the page is made.
    pub(super) open: StoredValue<Vec<Facet>>,
}

/// The facets that stand open at first: the first three and those that are narrowed.
pub(super) fn open_facets(model: &GridModel) -> Vec<Facet> {
    Facet::ALL
        .into_iter()
        .enumerate()
        .filter(|&(idx, facet)| idx < 3 || model.query.filter.names(facet).next().is_some())
        .map(|(_, facet)| facet)
        .collect()
}

/// The fields of the form.
pub(super) fn fields(model: &GridModel, context: FormContext) -> AnyView {
    let query = &model.query;
    let text = query.filter.text.clone();
    view! {
        <label class="field search">
            <span>"Search"</span>
            <input type="search" name="q" value=text.clone() prop:value=text maxlength=MAX_TEXT_CHARS.to_string()
                placeholder="prompt, source, operator, id"/>
        </label>
        <div class="field-row">
            <label class="field">
                <span>"Sort by"</span>
                <select name="sort">
                    {SortKey::ALL.map(|key| view! {
                        <option value=key.name() selected={key == query.sort}>{key.title()}</option>
                    })}
                </select>
            </label>
            <label class="field">
                <span>"Order"</span>
                <select name="order">
                    <option value="asc" selected={query.order == Order::Ascending}>"low first"</option>
                    <option value="desc" selected={query.order == Order::Descending}>"high first"</option>
                </select>
            </label>
        </div>
        {model.histograms.iter().map(|h| range(h, query.filter.bounds(h.measure), context)).collect_view()}
        {model.facets.iter().map(|f| facet(f, context)).collect_view()}
        <div class="form-actions">
            <button type="submit">"Apply"</button>
            <a href="/pairs" data-state="">"Clear all"</a>
        </div>
    }
    .into_any()
}

fn facet(model: &FacetModel, context: FormContext) -> AnyView {
    let facet = model.facet;
    let is_open = context.open.with_value(|open| open.contains(&facet));
    let n_chosen = model.options.iter().filter(|option| option.is_chosen).count();
    view! {
        <details class="facet" open=is_open>
            <summary>
                {facet.title()}
                <span class="n-chosen">{(n_chosen > 0).then(|| format!("{n_chosen} chosen"))}</span>
            </summary>
            <ul role="group" aria-label=facet.title()>
                {model.options.iter().map(|option| checkbox(facet, option)).collect_view()}
            </ul>
        </details>
    }
    .into_any()
}

fn checkbox(facet: Facet, option: &FacetOption) -> AnyView {
    let class = if option.n == 0 && !option.is_chosen {
        "option empty"
    } else {
        "option"
    };
    view! {
        <li>
            <label class=class>
                <input type="checkbox" name=facet.key() value=option.name.clone()
                    checked=option.is_chosen prop:checked=option.is_chosen/>
                <span class="option-name">{words::spaced(&option.name)}</span>
                <span class="option-n">{words::count(option.n)}</span>
            </label>
        </li>
    }
    .into_any()
}

fn range(histogram: &Histogram, bounds: Bounds, context: FormContext) -> AnyView {
    let measure = histogram.measure;
    let (min_key, max_key) = measure.keys();
    view! {
        <fieldset class="range">
            <legend>{measure.title()}</legend>
            {brushable(histogram, bounds, context)}
            <div class="field-row">
                {bound("from", min_key, bounds.min)}
                {bound("to", max_key, bounds.max)}
            </div>
            <p class="range-note">
                <span class="key paper"></span>{format!("paper {:.4}", measure.paper_mean())}
                {(histogram.n_missing > 0).then(|| {
                    format!(" · {} not computed", words::count(histogram.n_missing))
                })}
            </p>
        </fieldset>
    }
    .into_any()
}

fn bound(title: &'static str, key: &'static str, value: Option<f64>) -> AnyView {
    let text = value.map(|value| value.to_string()).unwrap_or_default();
    view! {
        <label class="field bound">
            <span>{title}</span>
            <input type="number" name=key value=text.clone() prop:value=text step="any" inputmode="decimal"/>
        </label>
    }
    .into_any()
}

fn brushable(histogram: &Histogram, bounds: Bounds, context: FormContext) -> AnyView {
    let measure = histogram.measure;
    let scale = StoredValue::new(Scale::new(histogram));
    let brush = context.brush;
    let share = |event: &leptos::ev::PointerEvent| {
        let element: web_sys::Element = event_target(event);
        let frame = element.closest(".brushable").ok().flatten().unwrap_or(element);
        browser::share_of(&frame, f64::from(event.client_x()), f64::from(event.client_y())).0
    };
    let down = move |event: leptos::ev::PointerEvent| {
        if event.button() == 0 {
            event.prevent_default();
            let at = share(&event);
            brush.set(Some(Brush {
                measure,
                from: at,
                to: at,
            }));
        }
    };
    let moved = move |event: leptos::ev::PointerEvent| {
        if brush.with_untracked(|brush| brush.is_some_and(|brush| brush.measure == measure)) {
            let at = share(&event);
            brush.update(|brush| {
                if let Some(brush) = brush {
                    brush.to = at;
                }
            });
        }
    };
    let up = move |_: leptos::ev::PointerEvent| {
        if let Some(swept) = brush.get_untracked().filter(|brush| brush.measure == measure) {
            brush.set(None);
            context
                .on_bounds
                .run((measure, scale.with_value(|scale| swept_bounds(swept, scale))));
        }
    };
    let selection = move |edge: fn(&Brush) -> f64| {
        move || {
            let swept = brush.get().filter(|brush| brush.measure == measure);
            swept.map_or_else(|| "0".to_owned(), |brush| format!("{:.2}", edge(&brush) * 100.0))
        }
    };
    view! {
        <div class="brushable" on:pointerdown=down on:pointermove=moved on:pointerup=up
            on:pointerleave=up>
            {plot(histogram, bounds, None)}
            <svg class="brush" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
                <rect y="0" height="10" x=selection(|b| b.from.min(b.to)) width=selection(|b| (b.to - b.from).abs())/>
            </svg>
        </div>
    }
    .into_any()
}

/// A sweep sets both bounds; a click without a sweep opens the range again.
fn swept_bounds(swept: Brush, scale: &Scale) -> Bounds {
    let (low, high) = (swept.from.min(swept.to), swept.from.max(swept.to));
    if high - low < 0.01 {
        return Bounds::default();
    }
    // The ends of the axis are open: rounding there would cut off the outermost pairs.
    Bounds {
        min: (low > 0.0).then(|| scale.value(low)),
        max: (high < 1.0).then(|| scale.value(high)),
    }
}
