//! Marks on a picture as SVG text.

use std::fmt::Write as _;

use super::theme;

/// Width of every plot in CSS pixels: two beside each other on a screen, one on a phone with text that can be read.
pub(super) const WIDTH_PX: f64 = 460.0;

/// Around a plot that stands alone.
const MARGIN_PX: f64 = 14.0;

/// A drawn plot.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Plot {
    height: f64,
    title: String,
    body: String,
}

impl Plot {
    /// For the page, whose style sheet colours it.
    pub(super) fn inline(&self) -> String {
        format!("{}{}</svg>\n", self.open("", 0.0), self.body)
    }

    /// For a file that is looked at alone, in light or dark surroundings.
    pub(super) fn file(&self) -> String {
        format!(
            "{}<style>{}</style>\n<rect class=\"paper\" x=\"-{MARGIN_PX}\" y=\"-{MARGIN_PX}\" width=\"100%\" \
             height=\"100%\"/>\n{}</svg>\n",
            self.open(" xmlns=\"http://www.w3.org/2000/svg\"", MARGIN_PX),
            theme::file_css(),
            self.body
        )
    }

    fn open(&self, attributes: &str, margin: f64) -> String {
        let [width, height] = [WIDTH_PX, self.height].map(|size| num(size + 2.0 * margin));
        format!(
            "<svg{attributes} class=\"plot\" viewBox=\"{start} {start} {width} {height}\" width=\"{width}\" \
             height=\"{height}\" role=\"img\" aria-label=\"{}\">\n",
            escape(&self.title),
            start = num(-margin),
        )
    }
}

/// Collects the marks of a plot.
pub(super) struct Canvas {
    title: String,
    body: String,
}

impl Canvas {
    /// A canvas with its title and, under it, what is shown.
    pub(super) fn new(title: &str, quantity: &str) -> Self {
        let mut canvas = Self {
            title: title.to_owned(),
            body: String::new(),
        };
        canvas.text((0.0, 17.0), "title", title);
        canvas.text((0.0, 36.0), "sub", quantity);
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
        self.path(&[from, to], class);
    }

    /// A line through points; nothing for fewer than two.
    pub(super) fn path(&mut self, points: &[(f64, f64)], class: &str) {
        if points.len() > 1 {
            _ = writeln!(self.body, "<path d=\"M{}\" class=\"{class}\"/>", joined(points));
        }
    }

    /// A closed area.
    pub(super) fn area(&mut self, points: &[(f64, f64)], class: &str) {
        if points.len() > 2 {
            _ = writeln!(self.body, "<path d=\"M{}Z\" class=\"{class}\"/>", joined(points));
        }
    }

    /// The marker of a series: a disc, a square, or a triangle.
    pub(super) fn marker(&mut self, (x, y): (f64, f64), series: usize) {
        let class = format!("f{series}");
        match series {
            0 => {
                _ = writeln!(
                    self.body,
                    "<circle cx=\"{}\" cy=\"{}\" r=\"4\" class=\"{class}\"/>",
                    num(x),
                    num(y)
                );
            }
            1 => self.area(
                &[(-3.6, -3.6), (3.6, -3.6), (3.6, 3.6), (-3.6, 3.6)].map(|(dx, dy)| (x + dx, y + dy)),
                &class,
            ),
            _ => self.area(
                &[(0.0, -5.0), (4.6, 3.6), (-4.6, 3.6)].map(|(dx, dy)| (x + dx, y + dy)),
                &class,
            ),
        }
    }

    /// Draws `marks` as one thing that says `tooltip` when pointed at.
    pub(super) fn told(&mut self, tooltip: &str, marks: impl FnOnce(&mut Self)) {
        _ = writeln!(self.body, "<g><title>{}</title>", escape(tooltip));
        marks(self);
        self.body.push_str("</g>\n");
    }

    pub(super) fn finish(self, height: f64) -> Plot {
        Plot {
            height,
            title: self.title,
            body: self.body,
        }
    }
}

fn joined(points: &[(f64, f64)]) -> String {
    let corners: Vec<String> = points
        .iter()
        .map(|(x, y)| format!("{} {}", num(*x), num(*y)))
        .collect();
    corners.join("L")
}

/// A coordinate with at most two decimals.
fn num(value: f64) -> String {
    let text = format!("{value:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" {
        "0".to_owned()
    } else {
        text.to_owned()
    }
}

/// Text as it may stand in XML and HTML, in attributes too.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            // XML has no place for other control characters.
            letter if letter.is_control() && letter != '\n' && letter != '\t' => escaped.push('\u{fffd}'),
            letter => escaped.push(letter),
        }
    }
    escaped
}
