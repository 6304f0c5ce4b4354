//! Plots as SVG text: pure functions from data to a picture, the same bytes on every machine.
//!
//! A plot is drawn once and worn in three ways: inside the page, where the page's variables colour it for light
//! and dark; as a file of its own, with both sets of colours in it; and as PNG, in the light one.
//! No plot needs colour to be read: series differ in marker and dash, outcomes in lightness and in their letters.

mod axis;
mod bars;
mod canvas;
mod forest;
mod matrix;
mod png;
mod radar;
mod scatter;
mod theme;

pub use axis::{Scale, Unit};
pub use bars::{Bar, Bars};
pub(in crate::report) use canvas::{escape, marker_svg, num};
pub use forest::{Forest, ForestRow};
pub use matrix::Matrix;
pub use png::to_png;
pub use radar::{Radar, RadarSeries};
pub use scatter::{Scatter, ScatterPoint};
pub use theme::{page_css, variables};

/// Width of every plot, in CSS pixels.
pub const WIDTH_PX: f64 = 720.0;

/// A value with its interval, on the scale of the data.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The value.
    pub value: f64,
    /// Lower and upper end; `None` where none was computed.
    pub interval: Option<[f64; 2]>,
}

impl Estimate {
    /// The smallest and the largest number in it.
    fn reach(&self) -> [f64; 2] {
        let [low, high] = self.interval.unwrap_or([self.value; 2]);
        [low.min(self.value), high.max(self.value)]
    }
}

/// A drawn plot.
#[derive(Clone, Debug, PartialEq)]
pub struct Plot {
    height: f64,
    /// What it shows, in one sentence: also the title for those who do not see it.
    title: String,
    body: String,
}

impl Plot {
    /// For the page: coloured by the page's style sheet ([`page_css`]).
    pub fn inline(&self) -> String {
        format!("{}{}</svg>\n", self.open(""), self.body)
    }

    /// For a file that is looked at alone, in light or dark surroundings.
    pub fn file(&self) -> String {
        format!(
            "{}<style>{}</style>\n<rect class=\"paper\" width=\"100%\" height=\"100%\"/>\n{}</svg>\n",
            self.open(" xmlns=\"http://www.w3.org/2000/svg\""),
            theme::file_css(),
            self.body
        )
    }

    /// What [`to_png`] draws: one set of colours, and the font that comes with the toolkit.
    fn for_png(&self) -> String {
        format!(
            "{}<style>{}</style>\n<rect class=\"paper\" width=\"100%\" height=\"100%\"/>\n{}</svg>\n",
            self.open(" xmlns=\"http://www.w3.org/2000/svg\""),
            theme::png_css(),
            self.body
        )
    }

    fn open(&self, attributes: &str) -> String {
        format!(
            "<svg{attributes} class=\"plot\" viewBox=\"0 0 {WIDTH_PX} {height}\" width=\"{WIDTH_PX}\" \
             height=\"{height}\" role=\"img\" aria-label=\"{label}\">\n",
            height = num(self.height),
            label = escape(&self.title),
        )
    }
}

#[cfg(test)]
mod tests;
