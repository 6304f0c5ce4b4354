//! Means of groups with their intervals, one row each.

use super::axis::{Axis, power_of_ten, thousands};
use super::canvas::{Canvas, Plot, WIDTH_PX};
use super::figure::Groups;

const LEFT: f64 = 128.0;
const RIGHT: f64 = WIDTH_PX - 76.0;
const TOP: f64 = 72.0;
const ROW: f64 = 24.0;

/// Draws means of groups.
pub(super) fn draw(figure: &Groups) -> Plot {
    let values = figure.rows.iter().flat_map(|row| {
        let [low, high] = row.interval.unwrap_or([row.value; 2]);
        [low, row.value, high]
    });
    let references = figure.references.iter().map(|reference| reference.value);
    let x = Axis::over(values.chain(references), figure.unit, [LEFT, RIGHT]);
    let quantity = match x.exponent {
        0 => figure.quantity.to_owned(),
        exponent => format!("{} (in {})", figure.quantity, power_of_ten(exponent)),
    };
    let mut canvas = Canvas::new(figure.title, &quantity);
    let bottom = TOP + ROW * figure.rows.len() as f64;
    for (at, text) in x.ticks() {
        canvas.line((at, TOP), (at, bottom), "grid");
        canvas.text((at, bottom + 18.0), "tick mid", text);
    }
    canvas.line((LEFT, bottom), (RIGHT, bottom), "axis");
    canvas.text((WIDTH_PX - 4.0, TOP - 9.0), "tick end", "n");
    for reference in figure
        .references
        .iter()
        .filter(|reference| x.has(reference.value))
    {
        let at = x.at(reference.value);
        if reference.label.is_empty() {
            canvas.line((at, TOP), (at, bottom), "axis");
        } else {
            canvas.line((at, TOP), (at, bottom), "ref");
            canvas.text((at, TOP - 9.0), "muted mid", &reference.label);
        }
    }
    for (idx, row) in figure.rows.iter().enumerate() {
        let y = TOP + ROW * (idx as f64 + 0.5);
        canvas.text((LEFT - 12.0, y + 4.5), "end", &row.label);
        canvas.text((WIDTH_PX - 4.0, y + 4.5), "tick end", &thousands(row.n as f64));
        let interval = row
            .interval
            .map(|ends| format!(" ({})", figure.unit.write_interval(ends)));
        let tooltip = format!(
            "{}: {}{}",
            row.label,
            figure.unit.write(row.value),
            interval.unwrap_or_default()
        );
        if !row.value.is_finite() {
            canvas.text((LEFT + 6.0, y + 4.5), "lost-label", "not finite");
            continue;
        }
        canvas.told(&tooltip, |canvas| {
            if let Some([low, high]) = row.interval {
                canvas.line((x.at(low), y), (x.at(high), y), "bar l0");
            }
            canvas.marker((x.at(row.value), y), 0);
        });
    }
    canvas.finish(bottom + 28.0)
}
