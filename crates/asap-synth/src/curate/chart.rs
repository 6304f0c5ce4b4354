//! The funnel as an SVG picture.

use std::fmt::Write as _;

use asap_core::{Criterion, SourceKind};

use super::funnel::{Funnel, FunnelRow};

const WIDTH: f64 = 960.0;
const LEFT: f64 = 190.0;
const RIGHT: f64 = 118.0;
const TOP: f64 = 104.0;
const ROW: f64 = 22.0;
const BAR: f64 = 14.0;
const GROUP_GAP: f64 = 34.0;
/// Fill of the kept pairs; the criteria below are told apart by lightness too, not by hue alone.
const KEPT: (&str, &str) = ("kept", "#1b7f5c");
const FAILED: [(Criterion, &str, &str); 5] = [
    (Criterion::PositiveQuality, "positive", "#c8553d"),
    (Criterion::VisibleDegradation, "not visible", "#e9a23b"),
    (Criterion::BackgroundPreserved, "background", "#5b6fa8"),
    (Criterion::MaskSanity, "mask", "#a9b4d0"),
    (Criterion::NearDuplicate, "duplicate", "#cfcfc9"),
];

/// Draws a bar for every row, as long as its number of pairs and divided by the first failed criterion.
pub(super) fn svg(funnel: &Funnel) -> String {
    let mut body = String::new();
    let mut y = TOP;
    let longest = funnel.rows.iter().map(|row| row.made).max().unwrap_or(1).max(1);
    for kind in SourceKind::ALL {
        let rows: Vec<&FunnelRow> = funnel
            .rows
            .iter()
            .filter(|row| row.source_kind == Some(kind))
            .collect();
        if rows.is_empty() {
            continue;
        }
        text(&mut body, (24.0, y + 12.0), "group", &title(kind));
        y += 24.0;
        for row in rows {
            bar(&mut body, row, y, longest);
            y += ROW;
        }
        y += GROUP_GAP - ROW;
    }
    let height = y + 14.0;
    let mut head = String::new();
    text(&mut head, (24.0, 36.0), "title", &headline(&funnel.all));
    legend(&mut head, 64.0);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" \
         height=\"{height}\" role=\"img\" aria-label=\"{}\">\n<style>{STYLE}</style>\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n{head}{body}</svg>\n",
        headline(&funnel.all)
    )
}

const STYLE: &str = "text{font-family:system-ui,'Segoe UI','DejaVu Sans',sans-serif;font-size:12px;fill:#33363a}\
                     .title{font-size:19px;font-weight:600;fill:#15171a}\
                     .group{font-size:11px;font-weight:600;letter-spacing:.06em;fill:#6b7076}\
                     .n{font-size:11px;fill:#6b7076}.l{text-anchor:end}";

fn headline(all: &FunnelRow) -> String {
    let percent = all
        .kept_share()
        .map_or_else(String::new, |share| format!(" ({:.0} %)", share * 100.0));
    format!("{} of {} pairs kept{percent}", all.kept, all.made)
}

fn title(kind: SourceKind) -> String {
    match kind {
        SourceKind::Photograph => "PHOTOGRAPHS",
        SourceKind::Figure => "RENDERED FIGURES",
        SourceKind::Generated => "GENERATED PICTURES",
        SourceKind::Imported => "IMPORTED PAIRS",
    }
    .to_owned()
}

/// What became of the pairs of a row: label, colour, number; kept first, then by criterion.
fn pieces(row: &FunnelRow) -> Vec<(&'static str, &'static str, u64)> {
    let kept = (KEPT.0, KEPT.1, row.kept);
    let failed = FAILED.map(|(criterion, label, color)| (label, color, row.first_failed.get(criterion)));
    std::iter::once(kept)
        .chain(failed)
        .filter(|(.., n)| *n > 0)
        .collect()
}

fn bar(out: &mut String, row: &FunnelRow, y: f64, longest: u64) {
    let scale = (WIDTH - LEFT - RIGHT) / longest as f64;
    text(out, (LEFT - 10.0, y + 11.0), "l", &row.operator);
    let mut x = LEFT;
    for (label, color, n) in pieces(row) {
        let width = n as f64 * scale;
        // A gap of a pixel between pieces, where they are wide enough to lose one.
        let drawn = if width > 3.0 { width - 1.0 } else { width };
        let _ = writeln!(
            out,
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{drawn:.1}\" height=\"{BAR}\" rx=\"1.5\" fill=\"{color}\">\
             <title>{}: {n} {label}</title></rect>",
            escaped(&row.operator)
        );
        x += width;
    }
    let share = row.kept_share().unwrap_or(0.0) * 100.0;
    let numbers = format!("{} / {} · {share:.0} %", row.kept, row.made);
    text(out, (x + 8.0, y + 11.0), "n", &numbers);
}

fn legend(out: &mut String, y: f64) {
    let mut x = 24.0;
    let failed = FAILED.map(|(_, label, color)| (label, color));
    for (label, color) in std::iter::once(KEPT).chain(failed) {
        let _ = writeln!(
            out,
            "<rect x=\"{x}\" y=\"{y}\" width=\"12\" height=\"12\" rx=\"2\" fill=\"{color}\"/>"
        );
        text(out, (x + 18.0, y + 10.5), "", label);
        x += 40.0 + 6.6 * label.len() as f64;
    }
}

fn text(out: &mut String, at: (f64, f64), class: &str, content: &str) {
    let _ = writeln!(
        out,
        "<text x=\"{:.1}\" y=\"{:.1}\" class=\"{class}\">{}</text>",
        at.0,
        at.1,
        escaped(content)
    );
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
