//! A histogram as SVG: drawn by the server, brushed in the browser.

use leptos::prelude::*;

use crate::filter::Bounds;
use crate::model::Histogram;

/// Width and height of the plot in user units.
const WIDTH: f64 = 240.0;
const HEIGHT: f64 = 64.0;
const FLOOR: f64 = 52.0;

/// The plot with bars, the paper's mean and the ends of the axis; bins outside the bounds are greyed.
pub(super) fn plot(histogram: &Histogram, bounds: Bounds, own_mean: Option<f64>) -> AnyView {
    let scale = Scale::new(histogram);
    let tallest = histogram.bins.iter().copied().max().unwrap_or(0).max(1);
    let bars: Vec<_> = histogram
        .bins
        .iter()
        .enumerate()
        .map(|(idx, &n)| {
            let (low, high) = scale.bin(idx);
            let is_inside =
                bounds.max.is_none_or(|max| low <= max) && bounds.min.is_none_or(|min| high >= min);
            // A square root keeps single pairs visible beside thousands; empty bins stay empty.
            let height = (n as f64 / tallest as f64).sqrt() * (FLOOR - 4.0);
            let class = if is_inside { "bar" } else { "bar out" };
            view! {
                <rect class=class x=text(scale.x(low) + 0.5) y=text(FLOOR - height)
                    width=text((scale.x(high) - scale.x(low) - 1.0).max(0.5)) height=text(height)>
                    <title>{format!("{low:.4} to {high:.4}: {n}")}</title>
                </rect>
            }
        })
        .collect();
    let paper = histogram.measure.paper_mean();
    view! {
        <svg class="histogram" viewBox=format!("0 0 {WIDTH} {HEIGHT}") role="img" aria-label=summary(histogram, own_mean)>
            <line class="axis" x1="0" x2=text(WIDTH) y1=text(FLOOR) y2=text(FLOOR)/>
            {bars}
            {(paper >= histogram.low && paper <= histogram.high).then(|| mark("paper", scale.x(paper)))}
            {own_mean.map(|mean| mark("own", scale.x(mean)))}
            <text class="tick" x="0" y=text(HEIGHT - 1.0)>{format!("{:.2}", histogram.low)}</text>
            <text class="tick end" x=text(WIDTH) y=text(HEIGHT - 1.0)>{format!("{:.2}", histogram.high)}</text>
        </svg>
    }
    .into_any()
}

fn mark(class: &'static str, x: f64) -> impl IntoView {
    view! { <line class=format!("mean {class}") x1=text(x) x2=text(x) y1="0" y2=text(FLOOR)/> }
}

fn summary(histogram: &Histogram, own_mean: Option<f64>) -> String {
    let n: usize = histogram.bins.iter().sum();
    let own = own_mean.map_or_else(String::new, |mean| format!(", mean {mean:.4}"));
    format!(
        "{}: {n} pairs from {:.2} to {:.2}{own}, {} not computed; the paper's mean is {}",
        histogram.measure.title(),
        histogram.low,
        histogram.high,
        histogram.n_missing,
        histogram.measure.paper_mean()
    )
}

/// From values to user units.
pub(super) struct Scale {
    low: f64,
    high: f64,
    n_bins: usize,
}

impl Scale {
    /// The scale of a histogram.
    pub(super) fn new(histogram: &Histogram) -> Self {
        Self {
            low: histogram.low,
            high: histogram.high,
            n_bins: histogram.bins.len().max(1),
        }
    }

    fn x(&self, value: f64) -> f64 {
        ((value - self.low) / (self.high - self.low) * WIDTH).clamp(0.0, WIDTH)
    }

    fn bin(&self, idx: usize) -> (f64, f64) {
        let width = (self.high - self.low) / self.n_bins as f64;
        (self.low + idx as f64 * width, self.low + (idx + 1) as f64 * width)
    }

    /// The value at a share of the width, rounded to a thousandth of the axis.
    pub(super) fn value(&self, share: f64) -> f64 {
        let value = self.low + share * (self.high - self.low);
        (value * 1e4).round() / 1e4
    }
}

fn text(value: f64) -> String {
    format!("{:.2}", value)
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;
    use crate::filter::Measure;

    #[test]
    fn bins_outside_the_bounds_are_greyed() {
        let histogram = Histogram {
            measure: Measure::SsimInside,
            low: 0.0,
            high: 1.0,
            bins: vec![4, 0, 1, 0],
            n_missing: 2,
        };
        let bounds = Bounds {
            min: Some(0.3),
            max: None,
        };
        let html = plot(&histogram, bounds, None).to_html();
        assert_eq!(html.matches("class=\"bar out\"").count(), 1, "{html}");
        assert_eq!(html.matches("class=\"bar\"").count(), 3, "{html}");
        assert!(
            html.contains("5 pairs from 0.00 to 1.00, 2 not computed; the paper&#39;s mean is 0.5315")
                || html.contains("5 pairs from 0.00 to 1.00, 2 not computed; the paper's mean is 0.5315"),
            "{html}"
        );
    }
}
