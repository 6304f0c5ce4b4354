//! The words of the sheet, in the font that comes with the toolkit: the same pixels on every machine.

use std::fmt::Write as _;
use std::sync::{Arc, LazyLock};

use anyhow::Context as _;
use image::RgbImage;
use resvg::tiny_skia::{Color, Pixmap, Transform};
use resvg::usvg;

/// A line of words.
pub(super) struct Line {
    size_px: u32,
    weight: &'static str,
    color: &'static str,
    text: String,
}

impl Line {
    pub(super) fn plain(size_px: u32, text: String) -> Self {
        Self {
            size_px,
            weight: "normal",
            color: "#333333",
            text,
        }
    }

    pub(super) fn bold(size_px: u32, text: String) -> Self {
        Self {
            weight: "bold",
            color: "#111111",
            ..Self::plain(size_px, text)
        }
    }

    pub(super) fn colored(self, color: &'static str) -> Self {
        Self { color, ..self }
    }
}

/// White paper with words.
pub(super) struct Words {
    width: u32,
    height: u32,
    svg: String,
}

impl Words {
    pub(super) fn new(width: u32, height: u32) -> Self {
        Self {
            width,
            height,
            svg: format!(
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
                 font-family=\"DejaVu Sans\" font-stretch=\"condensed\">"
            ),
        }
    }

    /// Puts a line with its foot at (x, y); what does not fit to the right is left out.
    pub(super) fn put(&mut self, x: u32, y: u32, line: &Line) {
        // The mean width of the font's letters is a little more than half of its size.
        let n_fit = (self.width.saturating_sub(x) * 9 / (5 * line.size_px)) as usize;
        let text = match line.text.chars().count() > n_fit {
            true => {
                let kept: String = line.text.chars().take(n_fit.saturating_sub(1)).collect();
                format!("{kept}\u{2026}")
            }
            false => line.text.clone(),
        };
        let (size, weight, color) = (line.size_px, line.weight, line.color);
        _ = write!(
            self.svg,
            "<text x=\"{x}\" y=\"{y}\" font-size=\"{size}\" font-weight=\"{weight}\" fill=\"{color}\" \
             xml:space=\"preserve\">{}</text>",
            escaped(&text)
        );
    }

    /// The paper as pixels.
    pub(super) fn drawn(self) -> anyhow::Result<RgbImage> {
        static FONTS: LazyLock<Arc<usvg::fontdb::Database>> = LazyLock::new(|| {
            let mut fonts = usvg::fontdb::Database::new();
            fonts.load_font_data(dejavu::sans_condensed::regular().to_vec());
            fonts.load_font_data(dejavu::sans_condensed::bold().to_vec());
            Arc::new(fonts)
        });
        let options = usvg::Options {
            fontdb: Arc::clone(&FONTS),
            ..usvg::Options::default()
        };
        let tree = usvg::Tree::from_str(&format!("{}</svg>", self.svg), &options)?;
        let mut pixmap = Pixmap::new(self.width, self.height)
            .with_context(|| format!("no room for a sheet of {} x {} pixels", self.width, self.height))?;
        pixmap.fill(Color::WHITE);
        resvg::render(&tree, Transform::identity(), &mut pixmap.as_mut());
        let rgb: Vec<u8> = pixmap
            .data()
            .chunks_exact(4)
            .flat_map(|pixel| [pixel[0], pixel[1], pixel[2]])
            .collect();
        RgbImage::from_raw(self.width, self.height, rgb).context("a sheet has three bytes a pixel")
    }
}

/// As text of XML, which knows no control characters.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_drawn_whatever_they_are() {
        let mut words = Words::new(200, 40);
        words.put(4, 20, &Line::bold(16, "<&\u{1}> \u{ffff}".to_owned()));
        words.put(
            4,
            36,
            &Line::plain(12, "far too long for a sheet of this width ".repeat(9)),
        );
        let drawn = words.drawn().unwrap();
        assert_eq!(drawn.dimensions(), (200, 40));
        assert!(drawn.pixels().any(|pixel| pixel.0 != [255; 3]));
    }
}
