//! From a graph to pixels and region codes.

use asap_core::{BoxPx, Region, SkeletonGraph};
use image::RgbImage;

use super::build::{self, Props};
use super::look::{Look, Rgb};
use super::pose::Framing;
use super::scene::{Part, Scene};
use super::{background, trace};

/// A drawn picture.
#[derive(Clone, Debug)]
pub(crate) struct Drawn {
    pub(crate) image: RgbImage,
    /// 1 + the index of the part of the scene that is seen in each pixel, 0 for the backdrop.
    pub(crate) ids: Vec<u16>,
    pub(crate) scene: Scene,
}

impl Drawn {
    /// 1 + the index of the region in [`Region::ALL`] in each pixel, 0 where no body is seen.
    pub(crate) fn regions(&self) -> Vec<u8> {
        self.ids.iter().map(|&id| code(id, &self.scene)).collect()
    }
}

/// A picture drawn over another one.
#[derive(Clone, Debug)]
pub(crate) struct Redrawn {
    pub(crate) image: RgbImage,
    pub(crate) regions: Vec<u8>,
}

/// What a pair shares beside the graph.
#[derive(Clone, Debug)]
pub(crate) struct Stage {
    pub(crate) look: Look,
    pub(crate) props: Props,
    pub(crate) size: u32,
    things: Vec<Part>,
    backdrop: Vec<Rgb>,
}

impl Stage {
    /// The stage of an intact body.
    pub(crate) fn new(graph: &SkeletonGraph, look: Look, props: Props, framing: Framing, size: u32) -> Self {
        let backdrop = background::paint(&look, framing, size);
        Self {
            things: build::things(graph, &look, props),
            look,
            props,
            size,
            backdrop,
        }
    }

    /// Draws a graph.
    pub(crate) fn draw(&self, graph: &SkeletonGraph) -> Drawn {
        let scene = build::scene(graph, &self.look, self.props, &self.things);
        let size = self.size;
        let whole = BoxPx {
            x0: 0,
            y0: 0,
            x1: size,
            y1: size,
        };
        let picture = trace::render(&scene, &self.look, &self.lit_backdrop(&scene), size, whole);
        let mut image = RgbImage::new(size, size);
        for (pixel, color) in image.pixels_mut().zip(&picture.colors) {
            *pixel = encode(*color);
        }
        Drawn {
            image,
            ids: picture.ids,
            scene,
        }
    }

    /// Draws a graph that differs in places from that of `before`, following rays only where they can
    /// have changed.
    ///
    /// Away from the change a ray may end a hair's breadth beside where it ended before; a difference of
    /// one level is such rounding and not kept.
    pub(crate) fn redraw(&self, before: &Drawn, graph: &SkeletonGraph) -> Redrawn {
        let scene = build::scene(graph, &self.look, self.props, &self.things);
        let mut image = before.image.clone();
        let mut regions = before.regions();
        let Some(window) = changed_window(&before.scene, &scene, &self.look, self.size) else {
            return Redrawn { image, regions };
        };
        let picture = trace::render(&scene, &self.look, &self.lit_backdrop(&scene), self.size, window);
        let mut found = picture.colors.iter().zip(&picture.ids);
        for y in window.y0..window.y1 {
            for (x, (&color, &id)) in (window.x0..window.x1).zip(&mut found) {
                let pixel = encode(color);
                let old = image.get_pixel_mut(x, y);
                if old.0.iter().zip(pixel.0).any(|(a, b)| a.abs_diff(b) > 1) {
                    *old = pixel;
                }
                regions[(y * self.size + x) as usize] = code(id, &scene);
            }
        }
        Redrawn { image, regions }
    }

    fn lit_backdrop(&self, scene: &Scene) -> Vec<Rgb> {
        let mut colors = self.backdrop.clone();
        background::cast(&mut colors, &scene.shadows, self.size);
        colors
    }
}

/// The box in which two scenes can look different; `None` if nowhere.
fn changed_window(a: &Scene, b: &Scene, look: &Look, size: u32) -> Option<BoxPx> {
    let mut boxes: Vec<[f32; 4]> = Vec::new();
    let reach = trace::Reach::of(size);
    let light = super::solid::single(look.light);
    for (this, other) in [(a, b), (b, a)] {
        let widths = trace::blend_widths(this);
        for (part, width) in this.parts.iter().zip(widths) {
            if other.parts.contains(part) {
                continue;
            }
            let margin = reach.corner + width + 3.0;
            let (low, high) = (part.solid.bounds.low, part.solid.bounds.high);
            // Shadows fall away from the light.
            let fall = [0, 1].map(|i| -light[i] * reach.shadow * 1.3);
            boxes.push([
                low[0] - margin + fall[0].min(0.0),
                low[1] - margin + fall[1].min(0.0),
                high[0] + margin + fall[0].max(0.0),
                high[1] + margin + fall[1].max(0.0),
            ]);
        }
        for shadow in this
            .shadows
            .iter()
            .filter(|shadow| !other.shadows.contains(shadow))
        {
            let (c, h) = (shadow.center, shadow.half);
            boxes.push([c[0] - h[0], c[1] - h[1], c[0] + h[0], c[1] + h[1]]);
        }
    }
    boxes.extend(
        a.face
            .differences(&b.face)
            .into_iter()
            .map(|(l, h)| [l[0], l[1], h[0], h[1]]),
    );
    let corners: Vec<asap_core::Point> = boxes
        .iter()
        .flat_map(|b| [(b[0], b[1]), (b[2], b[3])])
        .map(|(x, y)| asap_core::Point::new(f64::from(x), f64::from(y)))
        .collect();
    BoxPx::around(&corners, 2.0, size, size)
}

/// The region code of an id.
fn code(id: u16, scene: &Scene) -> u8 {
    let part = usize::from(id).checked_sub(1).map(|idx| &scene.parts[idx]);
    part.and_then(|part| part.piece.region).map_or(0, region_code)
}

/// 1 + the index of a region.
pub(crate) fn region_code(region: Region) -> u8 {
    Region::ALL
        .iter()
        .position(|&r| r == region)
        .map_or(0, |idx| idx as u8 + 1)
}

/// A linear colour as 8-bit RGB; what is brighter than white is compressed softly.
fn encode(color: Rgb) -> image::Rgb<u8> {
    image::Rgb(color.map(|c| {
        let c = c.max(0.0);
        let soft = if c > 0.8 {
            0.8 + 0.2 * (1.0 - 1.0 / (1.0 + (c - 0.8) * 5.0))
        } else {
            c
        };
        (soft.sqrt() * 255.0 + 0.5) as u8
    }))
}
