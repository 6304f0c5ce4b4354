//! Marks on a picture: text, lines, boxes, markers.

use std::fmt::Write as _;

use super::theme::N_SERIES;
use super::{Plot, WIDTH_PX};

/// Collects the marks of a plot from top to bottom.
pub(super) struct Canvas {
    body: String,
    title: String,
    /// Where the next thing below the head begins.
    pub(super) top: f64,
}

impl Canvas {
    /// A canvas with its title and the line under it.
    pub(super) fn new(title: &str, subtitle: &str) -> Self {
        let mut canvas = Self {
            body: String::new(),
            title: title.to_owned(),
            top: 30.0,
        };
        canvas.text((0.0, 16.0), "title", title);
        // Short of the edge: the widest of the readers' fonts must fit too.
        for line in wrapped(subtitle, WIDTH_PX * 0.9, 12.0) {
            canvas.top += 7.0;
            let y = canvas.top;
            canvas.text((0.0, y), "sub", &line);
            canvas.top += 9.0;
        }
        canvas.top += 10.0;
        canvas
    }

    pub(super) fn text(&mut self, (x, y): (f64, f64), class: &str, text: &str) {
        _ = writeln!(
            self.body,
            "<text x=\"{}\" y=\"{}\" class=\"{class}\">{}</text>",
            num(x),
            num(y),
            escape(text)
        );
    }

    /// Text with a rim in the colour of the paper, to be read over lines.
    pub(super) fn label(&mut self, at: (f64, f64), class: &str, text: &str) {
        self.text(at, &format!("{class} halo"), text);
        self.text(at, class, text);
    }

    pub(super) fn line(&mut self, from: (f64, f64), to: (f64, f64), class: &str) {
        _ = writeln!(
            self.body,
            "<path d=\"M{} {}L{} {}\" class=\"{class}\"/>",
            num(from.0),
            num(from.1),
            num(to.0),
            num(to.1)
        );
    }

    pub(super) fn rect(&mut self, (x, y): (f64, f64), (width, height): (f64, f64), class: &str) {
        _ = writeln!(
            self.body,
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" class=\"{class}\"/>",
            num(x),
            num(y),
            num(width),
            num(height)
        );
    }

    /// Any element, as it is.
    pub(super) fn raw(&mut self, element: &str) {
        self.body.push_str(element);
        self.body.push('\n');
    }

    /// Draws `marks` as one thing that says `tooltip` when pointed at.
    pub(super) fn told(&mut self, tooltip: &str, marks: impl FnOnce(&mut Self)) {
        _ = writeln!(self.body, "<g><title>{}</title>", escape(tooltip));
        marks(self);
        self.body.push_str("</g>\n");
    }

    /// The marker of a series.
    pub(super) fn marker(&mut self, (x, y): (f64, f64), series: usize) {
        let idx = series % N_SERIES;
        let class = format!("f{idx}");
        let [px, py] = [num(x), num(y)];
        let closed = |points: &[(f64, f64)]| {
            let corners: Vec<String> = points
                .iter()
                .map(|(dx, dy)| format!("{} {}", num(x + dx), num(y + dy)))
                .collect();
            format!("<path d=\"M{}Z\" class=\"{class}\"/>", corners.join("L"))
        };
        let element = match idx {
            0 => format!("<circle cx=\"{px}\" cy=\"{py}\" r=\"5\" class=\"{class}\"/>"),
            1 => closed(&[(-4.6, -4.6), (4.6, -4.6), (4.6, 4.6), (-4.6, 4.6)]),
            2 => closed(&[(0.0, -6.2), (5.8, 4.4), (-5.8, 4.4)]),
            3 => closed(&[(0.0, -6.4), (6.4, 0.0), (0.0, 6.4), (-6.4, 0.0)]),
            4 => closed(&[(0.0, 6.2), (5.8, -4.4), (-5.8, -4.4)]),
            _ => closed(&[
                (-3.0, -6.0),
                (3.0, -6.0),
                (6.0, 0.0),
                (3.0, 6.0),
                (-3.0, 6.0),
                (-6.0, 0.0),
            ]),
        };
        self.raw(&element);
    }

    pub(super) fn finish(self, height: f64) -> Plot {
        Plot {
            height,
            title: self.title,
            body: self.body,
        }
    }
}

/// A coordinate with at most two decimals.
pub(in crate::report) fn num(value: f64) -> String {
    let text = format!("{value:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" {
        "0".to_owned()
    } else {
        text.to_owned()
    }
}

/// Text as it may stand in XML and HTML, in attributes too.
pub(in crate::report) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            // No control character may stand in XML.
            c if c.is_control() => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}

/// About how wide a text is. Readers' fonts differ, so this errs on the wide side.
pub(super) fn text_width(text: &str, size_px: f64) -> f64 {
    let ems: f64 = text
        .chars()
        .map(|c| match c {
            'i' | 'j' | 'l' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' => 0.3,
            'f' | 't' | 'r' | '(' | ')' | '[' | ']' | ' ' | '-' | '/' | 'I' => 0.38,
            'm' | 'w' | 'M' | 'W' | '%' | '@' => 0.88,
            c if c.is_ascii_uppercase() => 0.66,
            c if c.is_ascii() => 0.56,
            _ => 0.8,
        })
        .sum();
    ems * size_px
}

/// The text cut with an ellipsis where it is wider than `width`.
pub(super) fn clipped(text: &str, width: f64, size_px: f64) -> String {
    if text_width(text, size_px) <= width {
        return text.to_owned();
    }
    let mut kept = String::new();
    for c in text.chars() {
        if text_width(&kept, size_px) + size_px * 1.4 > width {
            break;
        }
        kept.push(c);
    }
    format!("{}…", kept.trim_end())
}

/// The text in lines that are no wider than `width`.
pub(super) fn wrapped(text: &str, width: f64, size_px: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if text_width(&format!("{line} {word}"), size_px) <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// The marker of a series as a small picture of its own, for texts.
pub(in crate::report) fn marker_svg(series: usize) -> String {
    let mut canvas = Canvas {
        body: String::new(),
        title: String::new(),
        top: 0.0,
    };
    canvas.marker((7.0, 7.0), series);
    format!(
        "<svg class=\"plot\" width=\"14\" height=\"14\" viewBox=\"0 0 14 14\" aria-hidden=\"true\">{}</svg>",
        canvas.body.trim_end()
    )
}
