//! How the two images of a pair are looked at, as a query string: a copied address shows the same view.

use form_urlencoded::Serializer;
use serde::{Deserialize, Serialize};

use crate::query::{GridQuery, QueryError, pairs, with_query};

/// How the two images are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Both beside each other.
    #[default]
    Side,
    /// One over the other, cut at a line.
    Slider,
    /// One after the other in place.
    Blink,
    /// Their difference, amplified.
    Difference,
    /// The rejected image over the preferred one, half transparent.
    Onion,
}

impl Mode {
    /// Every mode, in the order of the keys 1 to 5.
    pub const ALL: [Self; 5] = [
        Self::Side,
        Self::Slider,
        Self::Blink,
        Self::Difference,
        Self::Onion,
    ];

    /// The name in addresses.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Side => "side",
            Self::Slider => "slider",
            Self::Blink => "blink",
            Self::Difference => "difference",
            Self::Onion => "onion",
        }
    }

    /// The name for people.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Side => "Side by side",
            Self::Slider => "Slider",
            Self::Blink => "Blink",
            Self::Difference => "Difference",
            Self::Onion => "Onion skin",
        }
    }
}

/// Which mask is drawn over the images.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MaskLayer {
    /// None.
    #[default]
    Off,
    /// The outlines of both.
    Outline,
    /// `mask_edit`, filled.
    Edit,
    /// `mask_part`, filled.
    Part,
}

impl MaskLayer {
    /// Every layer, in the order in which `m` goes through them.
    pub const ALL: [Self; 4] = [Self::Off, Self::Outline, Self::Edit, Self::Part];

    /// The name in addresses.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Outline => "outline",
            Self::Edit => "edit",
            Self::Part => "part",
        }
    }

    /// The name for people.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Off => "No mask",
            Self::Outline => "Outlines",
            Self::Edit => "Edit mask",
            Self::Part => "Part mask",
        }
    }

    /// The one after this.
    pub fn next(self) -> Self {
        let at = Self::ALL.iter().position(|&layer| layer == self).unwrap_or(0);
        Self::ALL[(at + 1) % Self::ALL.len()]
    }
}

/// Factors by which a difference can be amplified.
pub const GAINS: [u8; 5] = [1, 4, 8, 16, 32];
const DEFAULT_GAIN: u8 = 8;
/// The deepest zoom, as the smallest width in pixels that fills the stage.
const MIN_WIDTH_PX: f64 = 8.0;

/// The part of the image that is shown; it has the image's own aspect ratio.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Zoom {
    /// Left edge in image pixels.
    pub x: f64,
    /// Upper edge in image pixels.
    pub y: f64,
    /// Width in image pixels.
    pub width: f64,
}

/// The size of the image that is looked at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Frame {
    /// Columns.
    pub width: f64,
    /// Rows.
    pub height: f64,
}

impl Frame {
    /// The whole image.
    pub const fn fit(self) -> Zoom {
        Zoom {
            x: 0.0,
            y: 0.0,
            width: self.width,
        }
    }

    /// `zoom` moved and scaled so that it lies inside the image, to a tenth of a pixel.
    pub fn clamp(self, zoom: Zoom) -> Zoom {
        let width = zoom.width.clamp(MIN_WIDTH_PX.min(self.width), self.width);
        let height = width * self.height / self.width;
        let tenth = |value: f64| (value * 10.0).round() / 10.0;
        Zoom {
            x: tenth(zoom.x.clamp(0.0, self.width - width)),
            y: tenth(zoom.y.clamp(0.0, self.height - height)),
            width: tenth(width),
        }
    }

    /// `zoom` scaled by `factor` (below 1 is nearer) about the point at the shares (u, v) of what is shown.
    pub fn scaled(self, zoom: Zoom, factor: f64, (u, v): (f64, f64)) -> Zoom {
        let aspect = self.height / self.width;
        let width = (zoom.width * factor).clamp(MIN_WIDTH_PX.min(self.width), self.width);
        self.clamp(Zoom {
            x: zoom.x + u * (zoom.width - width),
            y: zoom.y + v * (zoom.width - width) * aspect,
            width,
        })
    }

    /// `zoom` moved by shares of what is shown.
    pub fn moved(self, zoom: Zoom, (du, dv): (f64, f64)) -> Zoom {
        let aspect = self.height / self.width;
        self.clamp(Zoom {
            x: zoom.x + du * zoom.width,
            y: zoom.y + dv * zoom.width * aspect,
            ..zoom
        })
    }

    /// The smallest view that shows the box with a margin of a fifth on each side.
    pub fn around(self, bounds: [f64; 4]) -> Zoom {
        let [x0, y0, x1, y1] = bounds;
        let aspect = self.height / self.width;
        let width = ((x1 - x0).max((y1 - y0) / aspect) * 1.4).clamp(MIN_WIDTH_PX.min(self.width), self.width);
        self.clamp(Zoom {
            x: (x0 + x1 - width) / 2.0,
            y: (y0 + y1 - width * aspect) / 2.0,
            width,
        })
    }
}

/// Everything about how a pair is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ViewState {
    /// The way of comparing.
    pub mode: Mode,
    /// The part that is shown; `None` for the whole image.
    pub zoom: Option<Zoom>,
    /// The mask over it.
    pub mask: MaskLayer,
    /// How strongly the mask, or the rejected image of an onion skin, is drawn, in percent.
    pub opacity_percent: u8,
    /// Where the slider cuts, in percent from the left.
    pub split_percent: u8,
    /// By how much a difference is amplified.
    pub gain: u8,
}

impl Default for ViewState {
    fn default() -> Self {
        Self {
            mode: Mode::default(),
            zoom: None,
            mask: MaskLayer::default(),
            opacity_percent: 50,
            split_percent: 50,
            gain: DEFAULT_GAIN,
        }
    }
}

impl ViewState {
    /// Reads a query string; see [`GridQuery::parse`].
    ///
    /// # Errors
    /// [`QueryError`] for a known key with a value that it does not have.
    pub fn parse(query: &str) -> Result<Self, QueryError> {
        let mut state = Self::default();
        for (key, value) in pairs(query)?.filter(|(_, value)| !value.is_empty()) {
            match key.as_str() {
                "mode" => state.mode = by_name(&Mode::ALL, Mode::name, &key, &value)?,
                "mask" => state.mask = by_name(&MaskLayer::ALL, MaskLayer::name, &key, &value)?,
                "opacity" => state.opacity_percent = percent(&key, &value)?,
                "split_at" => state.split_percent = percent(&key, &value)?,
                "gain" => {
                    state.gain = value
                        .parse()
                        .ok()
                        .filter(|gain| GAINS.contains(gain))
                        .ok_or_else(|| QueryError::value(&key, &value, "1, 4, 8, 16 or 32"))?;
                }
                "z" => state.zoom = Some(parse_zoom(&value)?),
                _ => {}
            }
        }
        Ok(state)
    }

    fn write(&self, out: &mut Serializer<'_, String>) {
        let default = Self::default();
        if self.mode != default.mode {
            out.append_pair("mode", self.mode.name());
        }
        if self.mask != default.mask {
            out.append_pair("mask", self.mask.name());
        }
        if self.opacity_percent != default.opacity_percent {
            out.append_pair("opacity", &self.opacity_percent.to_string());
        }
        if self.split_percent != default.split_percent {
            out.append_pair("split_at", &self.split_percent.to_string());
        }
        if self.gain != default.gain {
            out.append_pair("gain", &self.gain.to_string());
        }
        if let Some(Zoom { x, y, width }) = self.zoom {
            out.append_pair("z", &format!("{x},{y},{width}"));
        }
    }

    /// The query string, behind that of the grid that the pair was reached from.
    pub fn to_query(&self, grid: &GridQuery) -> String {
        let mut out = Serializer::new(String::new());
        grid.write(&mut out);
        self.write(&mut out);
        out.finish()
    }

    /// The address of a pair in this view.
    pub fn href(&self, id: &str, grid: &GridQuery) -> String {
        with_query(&format!("/pairs/{id}"), &self.to_query(grid))
    }
}

fn by_name<T: Copy>(all: &[T], name: fn(T) -> &'static str, key: &str, value: &str) -> Result<T, QueryError> {
    all.iter()
        .copied()
        .find(|&item| name(item) == value)
        .ok_or_else(|| QueryError::value(key, value, "a name that the page offers"))
}

fn percent(key: &str, value: &str) -> Result<u8, QueryError> {
    value
        .parse()
        .ok()
        .filter(|&percent: &u8| percent <= 100)
        .ok_or_else(|| QueryError::value(key, value, "a whole number from 0 to 100"))
}

fn parse_zoom(value: &str) -> Result<Zoom, QueryError> {
    let error = || QueryError::value("z", value, "`x,y,width` in pixels");
    let numbers: Vec<f64> = value
        .split(',')
        .map(|text| {
            text.parse()
                .ok()
                .filter(|n: &f64| n.is_finite() && (0.0..=1e6).contains(n))
        })
        .collect::<Option<_>>()
        .ok_or_else(error)?;
    match numbers[..] {
        [x, y, width] if width > 0.0 => Ok(Zoom { x, y, width }),
        _ => Err(error()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Frame = Frame {
        width: 800.0,
        height: 400.0,
    };

    #[test]
    fn a_view_survives_its_address() {
        let query = "mode=slider&mask=part&opacity=30&split_at=72&gain=32&z=10.5,20,300";
        let state = ViewState::parse(query).unwrap();
        assert_eq!(
            state.zoom,
            Some(Zoom {
                x: 10.5,
                y: 20.0,
                width: 300.0
            })
        );
        let written = state.to_query(&GridQuery::default());
        assert_eq!(ViewState::parse(&written), Ok(state));
        assert_eq!(ViewState::default().to_query(&GridQuery::default()), "");
    }

    #[test]
    fn wrong_views_are_refused() {
        for query in [
            "mode=x",
            "gain=2",
            "split_at=101",
            "z=1,2",
            "z=1,2,0",
            "z=1,2,inf",
            "z=-1,0,5",
        ] {
            assert!(ViewState::parse(query).is_err(), "{query}");
        }
    }

    #[test]
    fn the_slider_does_not_read_the_filter_on_splits() {
        let state = ViewState::parse("split=test").unwrap();
        assert_eq!(state, ViewState::default());
    }

    #[test]
    fn zooming_keeps_the_point_under_the_pointer() {
        let zoom = FRAME.scaled(FRAME.fit(), 0.5, (0.25, 0.5));
        assert_eq!(
            zoom,
            Zoom {
                x: 100.0,
                y: 100.0,
                width: 400.0
            }
        );
        assert_eq!(FRAME.scaled(zoom, 100.0, (0.5, 0.5)), FRAME.fit());
    }

    #[test]
    fn a_view_stays_inside_the_image() {
        assert_eq!(FRAME.moved(FRAME.fit(), (0.5, 0.5)), FRAME.fit());
        let corner = FRAME.around([790.0, 390.0, 800.0, 400.0]);
        assert!(corner.x + corner.width <= 800.0 && corner.y + corner.width / 2.0 <= 400.0);
        assert_eq!(FRAME.around([0.0, 0.0, 800.0, 400.0]), FRAME.fit());
    }
}
