//! Plots as PNG, in the font that comes with the toolkit: the same pixels on every machine.

use std::sync::{Arc, LazyLock};

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg;

use super::Plot;

/// Pixels of the file for one CSS pixel.
const ZOOM: f32 = 2.0;
/// Free room round the plot, in CSS pixels.
const MARGIN_PX: f32 = 16.0;

/// Why there is no PNG.
#[derive(Debug, thiserror::Error)]
pub enum PngError {
    /// The plot's text is not SVG.
    #[error("the plot is no SVG")]
    Svg(#[from] usvg::Error),
    /// The plot is too large to be drawn.
    #[error("no room for {width} x {height} pixels")]
    Size {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
    },
    /// The encoder failed.
    #[error("cannot encode the PNG: {message}")]
    Encode {
        /// What it said.
        message: String,
    },
}

/// Draws a plot in its light colours at twice its size.
///
/// # Errors
/// When it is too large for memory.
pub fn to_png(plot: &Plot) -> Result<Vec<u8>, PngError> {
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
    let tree = usvg::Tree::from_str(&plot.for_png(), &options)?;
    let pixels = |length: f32| ((length + 2.0 * MARGIN_PX) * ZOOM).ceil() as u32;
    let (width, height) = (pixels(tree.size().width()), pixels(tree.size().height()));
    let mut pixmap = Pixmap::new(width, height).ok_or(PngError::Size { width, height })?;
    pixmap.fill(resvg::tiny_skia::Color::WHITE);
    let place = Transform::from_translate(MARGIN_PX, MARGIN_PX).post_scale(ZOOM, ZOOM);
    resvg::render(&tree, place, &mut pixmap.as_mut());
    pixmap.encode_png().map_err(|error| PngError::Encode {
        message: error.to_string(),
    })
}
