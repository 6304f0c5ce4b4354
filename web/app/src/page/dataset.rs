//! The whole data set: funnel, distributions, coverage. Every number is a link to its pairs.

use leptos::prelude::*;

use crate::filter::{Bounds, Facet, Filter};
use crate::model::{Coverage, DatasetModel, FunnelRow, Tally};
use crate::query::GridQuery;
use crate::words;

use super::histogram::plot;

/// The page.
pub(super) fn page(model: DatasetModel) -> impl IntoView {
    view! {
        <div class="dataset-page">
            <h1>{model.name.clone()}</h1>
            {totals(&model)}
            {distributions(&model)}
            {funnel(&model.funnel)}
            {coverage(&model.coverage)}
            <div class="tallies">
                {model.tallies.iter().map(|(facet, tallies)| tally_table(*facet, tallies)).collect_view()}
            </div>
        </div>
    }
}

fn link(n: usize, filter: Filter) -> AnyView {
    if n == 0 {
        return view! { <span class="zero">"0"</span> }.into_any();
    }
    view! { <a href=GridQuery::from(filter).href()>{words::count(n)}</a> }.into_any()
}

fn decided(name: &str) -> Filter {
    Filter::only(Facet::Decision, name)
}

fn totals(model: &DatasetModel) -> AnyView {
    let n_pending = model.n_pairs - model.n_kept - model.n_rejected;
    let total = |n: AnyView, what: &'static str, note: String| {
        view! { <li><strong>{n}</strong><span>{what}</span><small>{note}</small></li> }
    };
    let of_all = |n: usize| words::percent(n, model.n_pairs);
    view! {
        <ul class="totals">
            {total(link(model.n_pairs, Filter::default()), "pairs", format!("of {} preferred images", words::count(model.n_positives)))}
            {total(link(model.n_kept, decided("kept")), "kept", of_all(model.n_kept))}
            {total(link(model.n_rejected, decided("rejected")), "rejected", of_all(model.n_rejected))}
            {total(link(n_pending, decided("pending")), "pending", of_all(n_pending))}
        </ul>
    }
    .into_any()
}

fn distributions(model: &DatasetModel) -> AnyView {
    let over = if model.n_kept > 0 {
        "kept pairs"
    } else {
        "all pairs: none is decided"
    };
    let charts: Vec<_> = model
        .histograms
        .iter()
        .zip(&model.means)
        .map(|(histogram, mean)| {
            let missing = (histogram.n_missing > 0)
                .then(|| format!(" · {} not computed", words::count(histogram.n_missing)));
            view! {
                <figure>
                    <figcaption>{histogram.measure.title()}</figcaption>
                    {plot(histogram, Bounds::default(), *mean)}
                    <p class="range-note">
                        <span class="key own"></span>{format!("mean {}", words::number(*mean, 4))}" · "
                        <span class="key paper"></span>{format!("paper {:.4}", histogram.measure.paper_mean())}
                        {missing}
                    </p>
                </figure>
            }
        })
        .collect();
    view! {
        <section aria-labelledby="distributions">
            <h2 id="distributions">"Similarity"</h2>
            <p class="note">{format!("Over {over}. Bar heights are square roots of counts.")}</p>
            <div class="charts">{charts}</div>
        </section>
    }
    .into_any()
}

fn funnel(rows: &[FunnelRow]) -> AnyView {
    let widest = rows.iter().map(|row| row.tally.n).max().unwrap_or(1).max(1);
    view! {
        <section aria-labelledby="funnel">
            <h2 id="funnel">"Funnel per operator"</h2>
            <div class="scroll-x"><table class="funnel">
                <thead><tr>
                    <th>"Operator"</th><th class="n">"Made"</th><th class="n">"Kept"</th>
                    <th class="n">"Rejected"</th><th><span class="visually-hidden">"Share"</span></th>
                    <th>"Failed rules"</th>
                </tr></thead>
                <tbody>{rows.iter().map(|row| funnel_row(row, widest)).collect_view()}</tbody>
            </table></div>
        </section>
    }
    .into_any()
}

fn funnel_row(row: &FunnelRow, widest: usize) -> impl IntoView + use<> {
    let tally = &row.tally;
    let of = |decision: Option<&str>| {
        let filter = Filter::only(Facet::Operator, &tally.name);
        decision.map_or(filter.clone(), |name| filter.and(Facet::Decision, name))
    };
    let width = |n: usize| format!("{:.2}", n as f64 / widest as f64 * 100.0);
    let failed: Vec<String> = row
        .failed
        .iter()
        .map(|rule| format!("{} {}", rule.rule, words::count(rule.n)))
        .collect();
    view! {
        <tr>
            <th scope="row">{tally.name.clone()}</th>
            <td class="n">{link(tally.n, of(None))}</td>
            <td class="n">{link(tally.n_kept, of(Some("kept")))}</td>
            <td class="n">{link(tally.n_rejected, of(Some("rejected")))}</td>
            <td>
                <svg class="share" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
                    <rect class="made" width=width(tally.n) height="10"/>
                    <rect class="gone" width=width(tally.n_kept + tally.n_rejected) height="10"/>
                    <rect class="kept" width=width(tally.n_kept) height="10"/>
                </svg>
            </td>
            <td class="failed">{failed.join(", ")}</td>
        </tr>
    }
}

fn coverage(cells: &[Coverage]) -> AnyView {
    let used = |facet: Facet, of: fn(&Coverage) -> &str| -> Vec<&'static str> {
        let names = facet.names().unwrap_or_default();
        names
            .into_iter()
            .filter(|name| cells.iter().any(|cell| of(cell) == *name))
            .collect()
    };
    let parts = used(Facet::Part, |cell| &cell.part);
    let kinds = used(Facet::Kind, |cell| &cell.kind);
    let most = cells.iter().map(|cell| cell.n).max().unwrap_or(1).max(1);
    let head = kinds
        .iter()
        .map(|kind| view! { <th scope="col" class="slanted"><span>{words::spaced(kind)}</span></th> });
    let head = head.collect_view();
    let rows: Vec<_> = parts
        .iter()
        .map(|&part| {
            let row = kinds.iter().map(|&kind| {
                let n = cells
                    .iter()
                    .find(|cell| cell.part == part && cell.kind == kind)
                    .map_or(0, |cell| cell.n);
                let filter = Filter::only(Facet::Part, part).and(Facet::Kind, kind);
                let class = format!("cell heat-{}", heat(n, most));
                view! { <td class=class>{(n > 0).then(|| link(n, filter))}</td> }
            });
            view! { <tr><th scope="row">{words::spaced(part)}</th>{row.collect_view()}</tr> }
        })
        .collect();
    view! {
        <section aria-labelledby="coverage">
            <h2 id="coverage">"Taxonomy: part × kind"</h2>
            <p class="note">"A pair with several errors counts in several cells; a cell links to the pairs that have
                both its part and its kind."</p>
            <div class="scroll-x"><table class="coverage">
                <thead><tr><td></td>{head}</tr></thead>
                <tbody>{rows}</tbody>
            </table></div>
        </section>
    }
    .into_any()
}

/// Five steps on a logarithmic scale, 0 for nothing.
fn heat(n: usize, most: usize) -> usize {
    if n == 0 {
        return 0;
    }
    let share = ((n + 1) as f64).ln() / ((most + 1) as f64).ln();
    ((share * 5.0).ceil() as usize).clamp(1, 5)
}

fn tally_table(facet: Facet, tallies: &[Tally]) -> AnyView {
    let rows = tallies.iter().map(|tally| {
        let of = Filter::only(facet, &tally.name);
        view! {
            <tr>
                <th scope="row">{words::spaced(&tally.name)}</th>
                <td class="n">{link(tally.n, of.clone())}</td>
                <td class="n">{link(tally.n_kept, of.clone().and(Facet::Decision, "kept"))}</td>
                <td class="n">{link(tally.n_rejected, of.and(Facet::Decision, "rejected"))}</td>
            </tr>
        }
    });
    view! {
        <section>
            <h2>{facet.title()}</h2>
            <table>
                <thead><tr><th>{facet.title()}</th><th class="n">"Made"</th><th class="n">"Kept"</th><th class="n">"Rejected"</th></tr></thead>
                <tbody>{rows.collect_view()}</tbody>
            </table>
        </section>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heat_has_five_steps() {
        assert_eq!([0, 1, 30, 1000].map(|n| heat(n, 1000)), [0, 1, 3, 5]);
    }
}
