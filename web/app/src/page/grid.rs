//! The grid of pairs: filters, chips, cards, pages; endless where the page is live.

use std::collections::BTreeMap;

use leptos::html;
use leptos::prelude::*;
use serde::Deserialize;

use crate::browser;
use crate::filter::{Bounds, Facet, Filter, Measure};
use crate::model::{Card, GridModel};
use crate::query::{GridQuery, PAGE_LEN};
use crate::window::{Layout, Window};
use crate::words;

use super::card;
use super::filters::{self, FormContext};

const MARGIN_ROWS: usize = 2;

/// The page.
pub(super) fn page(model: GridModel) -> impl IntoView {
    let context = FormContext {
        brush: RwSignal::new(None),
        open: StoredValue::new(filters::open_facets(&model)),
        on_bounds: Callback::new(|_| ()),
    };
    let live = Live::new(model);
    let context = FormContext {
        on_bounds: Callback::new(move |(measure, bounds): (Measure, Bounds)| {
            let mut filter = live.model.with_untracked(|model| model.query.filter.clone());
            *filter.bounds_mut(measure) = bounds;
            live.filter_changed(filter);
        }),
        ..context
    };
    live.start();
    let send = move || {
        let form = live.form.get_untracked();
        if let Some(query) = form.and_then(|form| browser::form_query(&form))
            && let Ok(query) = GridQuery::parse(&query)
        {
            live.load(query, History::Push);
        }
    };
    let follow = move |event: leptos::ev::MouseEvent| {
        if let Some(query) = browser::state_link_query(&event)
            && let Ok(query) = GridQuery::parse(&query)
        {
            event.prevent_default();
            live.load(query, History::Push);
        }
    };
    view! {
        <div class="grid-page" on:click=follow>
            <input type="checkbox" id="show-filters" class="filters-toggle"/>
            <label for="show-filters" class="filters-toggle-label">"Filters"</label>
            <form class="filters" method="get" action="/pairs" node_ref=live.form role="search"
                aria-label="Filter pairs"
                on:change=move |_| send()
                on:submit=move |event| { event.prevent_default(); send(); }>
                {move || live.model.with(|model| filters::fields(model, context))}
            </form>
            <section class="results" aria-label="Pairs" aria-busy=move || live.is_loading.get().to_string()>
                {move || live.model.with(|model| view! {
                    {heading(model)}
                    {chips(&model.query.filter)}
                })}
                <ol class="cards" node_ref=live.list
                    class:endless=move || live.window.with(Option::is_some)>
                    <For each=move || live.shown() key=|(position, card)| {
                        (*position, card.as_ref().map(|card| card.id.clone()))
                    } let((position, card))>
                        {live.model.with_untracked(|model| {
                            card::item(position, model.n_matching, card, &model.query)
                        })}
                    </For>
                </ol>
                {move || live.model.with(|model| pager(model, live.window.with(Option::is_some)))}
            </section>
        </div>
    }
}

fn heading(model: &GridModel) -> AnyView {
    let text = if model.query.filter.is_empty() {
        format!("{} pairs", words::count(model.n_total))
    } else {
        format!(
            "{} of {} pairs",
            words::count(model.n_matching),
            words::count(model.n_total)
        )
    };
    let hint = (model.n_matching == 0).then_some({
        if model.n_total == 0 {
            "The data set is empty. `asap synth figures` adds pairs."
        } else {
            "No pair passes all of these filters. Take one away."
        }
    });
    view! {
        <h1 aria-live="polite">{text}</h1>
        <p class="empty-hint">{hint}</p>
    }
    .into_any()
}

/// What is asked for, each with a link that takes it away.
fn chips(filter: &Filter) -> AnyView {
    let mut chips: Vec<(String, Filter)> = Vec::new();
    for facet in Facet::ALL {
        for name in filter.names(facet) {
            chips.push((words::spaced(name), filter.clone().without(facet, name)));
        }
    }
    for measure in Measure::ALL {
        let bounds = filter.bounds(measure);
        if !bounds.is_open() {
            let mut rest = filter.clone();
            *rest.bounds_mut(measure) = Bounds::default();
            let end = |value: Option<f64>| value.map(|v| v.to_string()).unwrap_or_default();
            chips.push((
                format!("{} {}–{}", measure.title(), end(bounds.min), end(bounds.max)),
                rest,
            ));
        }
    }
    if !filter.text.is_empty() {
        let rest = Filter {
            text: String::new(),
            ..filter.clone()
        };
        chips.push((format!("“{}”", filter.text), rest));
    }
    let chip = |(text, rest): (String, Filter)| {
        let title = format!("Take away {text}");
        view! {
            <li><a class="chip" data-state="" href=GridQuery::from(rest).href() aria-label=title>
                {text}<span aria-hidden="true">" ×"</span>
            </a></li>
        }
    };
    view! { <ul class="chips">{chips.into_iter().map(chip).collect_view()}</ul> }.into_any()
}

fn pager(model: &GridModel, is_endless: bool) -> AnyView {
    let n_pages = model.n_matching.div_ceil(PAGE_LEN).max(1) as u32;
    let page = model.query.page.min(n_pages);
    let link = |text: &'static str, to: u32| {
        let href = (to >= 1 && to <= n_pages && to != page).then(|| model.query.at_page(to).href());
        view! { <a data-state="" class="page-link" aria-disabled=href.is_none().to_string() href=href>{text}</a> }
    };
    let is_hidden = is_endless || n_pages == 1;
    view! {
        <nav class="pager" aria-label="Pages of pairs" hidden=is_hidden>
            {link("First", 1)}
            {link("Previous", page.saturating_sub(1))}
            <span>{format!("Page {page} of {n_pages}")}</span>
            {link("Next", page + 1)}
            {link("Last", n_pages)}
        </nav>
    }
    .into_any()
}

/// What the page does with the history when its state changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum History {
    Push,
    Keep,
}

/// The answer of `/api/v1/pairs`, as far as the grid needs it.
#[derive(Deserialize)]
struct PairsAnswer {
    pairs: Vec<Card>,
}

/// The state of a live grid. On the server only `model` is ever read.
#[derive(Clone, Copy)]
struct Live {
    model: RwSignal<GridModel>,
    /// Cards by their place, of all pages that were fetched for this state.
    cards: RwSignal<BTreeMap<usize, Card>>,
    /// Pages that were asked for, so that scrolling asks once.
    asked: StoredValue<Vec<usize>>,
    /// The cards on the screen; `None` while the grid is paged.
    window: RwSignal<Option<Window>>,
    layout: StoredValue<Option<Layout>>,
    is_loading: RwSignal<bool>,
    /// Counts states, so that a late answer to an earlier question is dropped.
    turn: StoredValue<u64>,
    form: NodeRef<html::Form>,
    list: NodeRef<html::Ol>,
}

impl Live {
    fn new(model: GridModel) -> Self {
        let first = (model.query.page as usize - 1) * PAGE_LEN;
        Self {
            cards: RwSignal::new(by_position(model.cards.clone())),
            asked: StoredValue::new(vec![first / PAGE_LEN]),
            window: RwSignal::new(None),
            layout: StoredValue::new(None),
            is_loading: RwSignal::new(false),
            turn: StoredValue::new(0),
            form: NodeRef::new(),
            list: NodeRef::new(),
            model: RwSignal::new(model),
        }
    }

    /// The items of the list: the window's, or those of the page.
    fn shown(&self) -> Vec<(usize, Option<Card>)> {
        let window = self.window.get();
        self.cards.with(|cards| match window {
            Some(window) => (window.first..window.end)
                .map(|idx| (idx, cards.get(&idx).cloned()))
                .collect(),
            None => cards
                .iter()
                .map(|(&idx, card)| (idx, Some(card.clone())))
                .collect(),
        })
    }

    fn filter_changed(self, filter: Filter) {
        let query = self.model.with_untracked(|model| GridQuery {
            filter,
            page: 1,
            ..model.query.clone()
        });
        self.load(query, History::Push);
    }

    /// Listens to scrolling, resizing and the history, and lays the list out once it stands.
    fn start(self) {
        Effect::new(move || {
            self.measure(Start::AtPage);
            let on_scroll = window_event_listener(leptos::ev::scroll, move |_| self.scrolled());
            let on_resize = window_event_listener(leptos::ev::resize, move |_| self.measure(Start::Where));
            let on_history = window_event_listener(leptos::ev::popstate, move |_| {
                if let Ok(query) = GridQuery::parse(&browser::location_query()) {
                    self.load(query, History::Keep);
                }
            });
            on_cleanup(move || {
                on_scroll.remove();
                on_resize.remove();
                on_history.remove();
            });
        });
    }

    /// Fetches another state and shows it; where that fails the browser loads the page itself.
    fn load(self, query: GridQuery, history: History) {
        if history == History::Push && self.model.with_untracked(|model| model.query == query) {
            return;
        }
        let turn = self.turn.get_value() + 1;
        self.turn.set_value(turn);
        self.is_loading.set(true);
        leptos::task::spawn_local(async move {
            let answer: Option<GridModel> =
                browser::fetch_json(&format!("/api/v1/grid?{}", query.to_query())).await;
            if self.turn.get_value() != turn {
                return;
            }
            self.is_loading.set(false);
            let Some(model) = answer else {
                browser::go_to(&query.href());
                return;
            };
            if history == History::Push {
                browser::push_address(&query.href());
            }
            self.show(model);
        });
    }

    fn show(self, model: GridModel) {
        self.asked.set_value(vec![model.query.page as usize - 1]);
        self.page_again();
        self.cards.set(by_position(model.cards.clone()));
        self.model.set(model);
        request_animation_frame(move || self.measure(Start::AtPage));
    }

    /// Measures one card and lays the list out by it.
    fn measure(self, start: Start) {
        let Some(list) = self.list.get_untracked() else {
            return;
        };
        let (n_cards, page) = self
            .model
            .with_untracked(|model| (model.n_matching, model.query.page as usize - 1));
        let Some((n_columns, row_px)) = measure_cells(&list).filter(|_| n_cards > PAGE_LEN) else {
            self.page_again();
            return;
        };
        let viewport_px = window()
            .inner_height()
            .ok()
            .and_then(|px| px.as_f64())
            .unwrap_or(800.0);
        let layout = Layout {
            n_cards,
            n_columns,
            row_px,
            viewport_px,
        };
        self.layout.set_value(Some(layout));
        if start == Start::AtPage {
            let list_top = list.get_bounding_client_rect().top() + scroll_y();
            // The list must have its height before the page can scroll into it.
            self.draw(
                &list,
                layout,
                layout.window(layout.scrolled_to(page * PAGE_LEN), MARGIN_ROWS),
            );
            if page > 0 {
                window().scroll_to_with_x_and_y(0.0, list_top + layout.scrolled_to(page * PAGE_LEN));
            } else if list_top < scroll_y() {
                window().scroll_to_with_x_and_y(0.0, 0.0);
            }
        }
        self.scrolled();
    }

    /// Draws the cards that are on the screen now and fetches what is missing of them.
    fn scrolled(self) {
        let (Some(layout), Some(list)) = (self.layout.get_value(), self.list.get_untracked()) else {
            return;
        };
        let window = layout.window(-list.get_bounding_client_rect().top(), MARGIN_ROWS);
        if self.window.get_untracked() != Some(window) {
            self.draw(&list, layout, window);
        }
        for page in window.first / PAGE_LEN..=window.end.saturating_sub(1) / PAGE_LEN {
            self.fetch_page(page);
        }
    }

    /// Gives the list its height and shows the cards of a window at their place.
    ///
    /// By script and not by attribute: the pages allow no inline styles.
    fn draw(self, list: &web_sys::HtmlElement, layout: Layout, window: Window) {
        let style = list.style();
        for (name, px) in [("height", layout.scroll_px()), ("padding-top", window.top_px)] {
            // A property that is refused leaves a shorter list: the pages of the server are still there.
            drop(style.set_property(name, &format!("{px}px")));
        }
        self.window.set(Some(window));
    }

    /// Shows the cards of one page, as the server does.
    fn page_again(self) {
        if let Some(list) = self.list.get_untracked() {
            let style = web_sys::HtmlElement::style(&list);
            for name in ["height", "padding-top"] {
                drop(style.remove_property(name));
            }
        }
        self.layout.set_value(None);
        self.window.set(None);
    }

    fn fetch_page(self, page: usize) {
        if self.asked.with_value(|asked| asked.contains(&page)) {
            return;
        }
        self.asked.update_value(|asked| asked.push(page));
        let turn = self.turn.get_value();
        let query = self
            .model
            .with_untracked(|model| model.query.at_page(page as u32 + 1).to_query());
        leptos::task::spawn_local(async move {
            let answer: Option<PairsAnswer> = browser::fetch_json(&format!("/api/v1/pairs?{query}")).await;
            if self.turn.get_value() != turn {
                return;
            }
            match answer {
                Some(answer) => self.cards.update(|cards| cards.extend(by_position(answer.pairs))),
                // Asked again when it is scrolled past the next time.
                None => self
                    .asked
                    .update_value(|asked| asked.retain(|&other| other != page)),
            }
        });
    }
}

/// Where a list that is laid out begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Start {
    /// At the page of the address.
    AtPage,
    /// Where it is.
    Where,
}

fn by_position(cards: Vec<Card>) -> BTreeMap<usize, Card> {
    cards.into_iter().map(|card| (card.position, card)).collect()
}

fn scroll_y() -> f64 {
    window().scroll_y().unwrap_or(0.0)
}

/// Columns of the list and the distance of its rows, from the items that stand; `None` below two rows.
fn measure_cells(list: &web_sys::Element) -> Option<(usize, f64)> {
    let tops: Vec<f64> = (0..list.child_element_count())
        .filter_map(|idx| list.children().item(idx))
        .map(|item| item.get_bounding_client_rect().top())
        .collect();
    let first = *tops.first()?;
    let n_columns = tops.iter().take_while(|&&top| (top - first).abs() < 1.0).count();
    let second = *tops.get(n_columns)?;
    Some((n_columns, second - first))
}
