//! What is known about a pair, as tables and lists.

use asap_core::{Assessment, RegionStats};
use leptos::prelude::*;

use crate::filter::{Facet, Filter};
use crate::model::{ImageLink, PairModel};
use crate::query::GridQuery;
use crate::words::{self, NOT_COMPUTED};

use super::card::badge;

/// All facts of the page.
pub(super) fn facts(model: &PairModel) -> impl IntoView + use<> {
    view! {
        <div class="facts">
            {model.assessment.as_ref().map(statistics)}
            <section aria-label="Prompt">
                <h2>"Prompt"</h2>
                <p class="prompt">{if model.prompt.is_empty() { "none".to_owned() } else { model.prompt.clone() }}</p>
            </section>
            {model.assessment.as_ref().map(decision)}
            {labels(model)}
            {provenance(model)}
            {bytes(model)}
        </div>
    }
}

fn decision(assessment: &Assessment) -> AnyView {
    let curation = &assessment.curation;
    let rows = curation.rejections.iter().map(|reason| {
        view! {
            <tr>
                <td>{words::spaced(reason.criterion.name())}</td>
                <td><code>{reason.rule.clone()}</code></td>
                <td class="n">{words::number(reason.measured, 4)}</td>
                <td class="n">{format!("{:.4}", reason.threshold)}</td>
            </tr>
        }
    });
    let rows = rows.collect_view();
    let has_reasons = !curation.rejections.is_empty();
    view! {
        <section aria-label="Decision">
            <h2>"Decision"</h2>
            <p>{badge(curation.decision, String::new())}
                {format!(" · {} split · cluster {}", curation.split.name(), curation.cluster)}</p>
            {has_reasons.then(|| view! {
                <div class="scroll-x"><table>
                    <thead><tr><th>"Criterion"</th><th>"Rule"</th><th class="n">"Measured"</th><th class="n">"Threshold"</th></tr></thead>
                    <tbody>{rows}</tbody>
                </table></div>
            })}
        </section>
    }
    .into_any()
}

fn statistics(assessment: &Assessment) -> AnyView {
    let mut profiles: Vec<&str> = assessment
        .stats
        .iter()
        .map(|stats| stats.profile.as_str())
        .collect();
    profiles.sort_unstable();
    profiles.dedup();
    let profiles = profiles.join(", ");
    view! {
        <section class="wide" aria-label="Statistics">
            <h2>"Inside and outside"</h2>
            <div class="scroll-x"><table>
                <caption>"Profile "<code>{profiles}</code></caption>
                <thead><tr>
                    <th>"Region"</th><th class="n">"Area, px"</th>
                    <th class="n">"SSIM in"</th><th class="n">"SSIM out"</th>
                    <th class="n">"LPIPS in"</th><th class="n">"LPIPS out"</th>
                    <th class="n">"PSNR out, dB"</th><th class="n">"Mean |d| in"</th>
                    <th class="n">"Max |d| out"</th><th class="n">"Changed px out"</th>
                </tr></thead>
                <tbody>{assessment.stats.iter().map(row).collect_view()}</tbody>
            </table></div>
        </section>
    }
    .into_any()
}

fn row(stats: &RegionStats) -> impl IntoView + use<> {
    let is_equal_outside = stats.changed_outside_px == 0 && stats.max_abs_diff_outside == 0;
    let psnr = match stats.psnr_outside_db {
        None if is_equal_outside => "equal".to_owned(),
        value => words::number(value, 2),
    };
    let cell = |text: String| {
        let class = if text == NOT_COMPUTED { "n missing" } else { "n" };
        view! { <td class=class>{text}</td> }
    };
    view! {
        <tr>
            <th scope="row">{words::spaced(stats.region.name())}</th>
            {cell(words::count(stats.area_px as usize))}
            {cell(words::number(stats.ssim_inside, 4))}
            {cell(words::number(stats.ssim_outside, 4))}
            {cell(words::number(stats.lpips_inside, 4))}
            {cell(words::number(stats.lpips_outside, 4))}
            {cell(psnr)}
            {cell(words::number(stats.mean_abs_diff_inside, 2))}
            {cell(stats.max_abs_diff_outside.to_string())}
            {cell(words::count(stats.changed_outside_px as usize))}
        </tr>
    }
}

/// A value of a facet as a link to the pairs that share it.
fn value_link(facet: Facet, name: &str) -> impl IntoView + use<> {
    let href = GridQuery::from(Filter::only(facet, name)).href();
    view! { <a href=href>{words::spaced(name)}</a> }
}

fn labels(model: &PairModel) -> AnyView {
    let errors = model.degradations.iter().map(|error| {
        let details = format!(" · {} · {}", error.scope.name(), error.severity.name());
        view! {
            <li>{value_link(Facet::Kind, error.kind.name())}" "{value_link(Facet::Part, error.part.name())}{details}</li>
        }
    });
    view! {
        <section aria-label="Labels">
            <h2>"Labels"</h2>
            <ul class="plain">{errors.collect_view()}</ul>
            <dl>
                <dt>"Regions"</dt>
                <dd>{model.regions.iter().map(|name| view! { {value_link(Facet::Region, name)}" " }).collect_view()}</dd>
                <dt>"Mechanism"</dt>
                <dd>{value_link(Facet::Mechanism, model.mechanism.name())}</dd>
            </dl>
        </section>
    }
    .into_any()
}

fn provenance(model: &PairModel) -> AnyView {
    let or_none = |text: &str| {
        if text.is_empty() {
            "not stated".to_owned()
        } else {
            text.to_owned()
        }
    };
    let siblings = GridQuery::from(Filter {
        text: model.source.name.clone(),
        ..Filter::default()
    })
    .href();
    view! {
        <section class="tall" aria-label="Provenance">
            <h2>"Provenance"</h2>
            <dl>
                <dt>"Source"</dt>
                <dd>{value_link(Facet::Source, model.source.kind.name())}" "<a href=siblings>{model.source.name.clone()}</a></dd>
                <dt>"Licence"</dt><dd>{or_none(&model.source.licence)}</dd>
                <dt>"Source SHA-256"</dt><dd><code>{or_none(&model.source.sha256)}</code></dd>
                <dt>"Operators"</dt>
                <dd>{model.operators.iter().map(|name| view! { {value_link(Facet::Operator, name)}" " }).collect_view()}</dd>
                <dt>"Seed"</dt><dd><code>{model.seed.clone()}</code></dd>
                <dt>"Code"</dt><dd>{model.code_version.clone()}</dd>
                <dt>"Pair"</dt><dd><code>{model.id.clone()}</code></dd>
                <dt>"Preferred"</dt><dd><code>{model.positive_id.clone()}</code></dd>
            </dl>
            <details>
                <summary>"Parameters"</summary>
                <pre>{model.parameters.clone()}</pre>
            </details>
        </section>
    }
    .into_any()
}

fn bytes(model: &PairModel) -> AnyView {
    let images = &model.images;
    let all = [
        &images.preferred,
        &images.rejected,
        &images.mask_edit,
        &images.mask_part,
    ];
    let rows = all.into_iter().chain(&images.patch).map(file).collect_view();
    view! {
        <section class="wide" aria-label="Files">
            <h2>"Files"</h2>
            <p class="note">{format!("{} × {} px. The links give the stored bytes; ", model.width, model.height)}
                <code>"sha256sum"</code>" of a download equals the hash beside it."</p>
            <div class="scroll-x"><table>
                <thead><tr><th>"File"</th><th class="n">"Bytes"</th><th>"SHA-256"</th></tr></thead>
                <tbody>{rows}</tbody>
            </table></div>
        </section>
    }
    .into_any()
}

fn file(link: &ImageLink) -> impl IntoView + use<> {
    view! {
        <tr>
            <th scope="row"><a href=link.href.clone()>{link.title.clone()}</a></th>
            <td class="n">{words::count(link.size_bytes)}</td>
            <td><code class="hash">{link.sha256.clone()}</code></td>
        </tr>
    }
}
