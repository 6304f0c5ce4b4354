//! From a graph to pixels and region codes.

use asap_core::{BoxPx, Region, SkeletonGraph};
use image::RgbImage;

use super::build::{self, Props};
use super::look::{Look, Rgb};
use super::pose::Framing;
use super::scene::{Piece, Scene};
use super::{background, trace};

/// A drawn picture.
#[derive(Clone, Debug)]
pub(crate) struct Drawn {
    pub(crate) image: RgbImage,
    /// 1 + the index of the region in [`Region::ALL`], 0 where no body is seen.
    pub(crate) regions: Vec<u8>,
    /// What is seen in each pixel of the picture.
    pub(crate) ids: Vec<u16>,
    /// The piece behind each id less 1.
    pub(crate) pieces: Vec<Piece>,
    pub(crate) scene: Scene,
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
    backdrop: Vec<Rgb>,
}

impl Stage {
    pub(crate) fn new(look: Look, props: Props, framing: Framing, size: u32) -> Self {
        let backdrop = background::paint(&look, framing, size);
        Self {
            look,
            props,
            size,
            backdrop,
        }
    }

    /// Draws a graph.
    pub(crate) fn draw(&self, graph: &SkeletonGraph) -> Drawn {
        let scene = build::scene(graph, &self.look, self.props);
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
        let pieces: Vec<Piece> = scene.parts.iter().map(|part| part.piece).collect();
        Drawn {
            image,
            regions: picture.ids.iter().map(|&id| code(id, &pieces)).collect(),
            ids: picture.ids,
            pieces,
            scene,
        }
    }

    /// Draws a graph that differs in places from that of `before`, following rays only where they can
    /// have changed.
    ///
    /// Away from the change a ray may end a hair's breadth beside where it ended before; a difference of
    /// one level is such rounding and not kept.
    pub(crate) fn redraw(&self, before: &Drawn, graph: &SkeletonGraph) -> Redrawn {
        let scene = build::scene(graph, &self.look, self.props);
        let mut image = before.image.clone();
        let mut regions = before.regions.clone();
        let Some(window) = changed_window(&before.scene, &scene, &self.look, self.size) else {
            return Redrawn { image, regions };
        };
        let picture = trace::render(&scene, &self.look, &self.lit_backdrop(&scene), self.size, window);
        let pieces: Vec<Piece> = scene.parts.iter().map(|part| part.piece).collect();
        let mut found = picture.colors.iter().zip(&picture.ids);
        for y in window.y0..window.y1 {
            for (x, (&color, &id)) in (window.x0..window.x1).zip(&mut found) {
                let pixel = encode(color);
                let old = image.get_pixel_mut(x, y);
                if old.0.iter().zip(pixel.0).any(|(a, b)| a.abs_diff(b) > 1) {
                    *old = pixel;
                }
                regions[(y * self.size + x) as usize] = code(id, &pieces);
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
        for shadow in this.shadows.iter().filter(|shadow| !other.shadows.contains(shadow)) {
            let (c, h) = (shadow.center, shadow.half);
            boxes.push([c[0] - h[0], c[1] - h[1], c[0] + h[0], c[1] + h[1]]);
        }
    }
    boxes.extend(a.face.differences(&b.face).into_iter().map(|(l, h)| [l[0], l[1], h[0], h[1]]));
    let corners: Vec<asap_core::Point> = boxes
        .iter()
        .flat_map(|b| [(b[0], b[1]), (b[2], b[3])])
        .map(|(x, y)| asap_core::Point::new(f64::from(x), f64::from(y)))
        .collect();
    BoxPx::around(&corners, 2.0, size, size)
}

/// The region code of an id.
fn code(id: u16, pieces: &[Piece]) -> u8 {
    let Some(piece) = usize::from(id).checked_sub(1).map(|idx| pieces[idx]) else {
        return 0;
    };
    piece.region.map_or(0, region_code)
}

/// 1 + the index of a region.
pub(crate) fn region_code(region: Region) -> u8 {
    Region::ALL.iter().position(|&r| r == region).map_or(0, |idx| idx as u8 + 1)
}

/// A linear colour as 8-bit RGB; what is brighter than white is compressed softly.
fn encode(color: Rgb) -> image::Rgb<u8> {
    image::Rgb(color.map(|c| {
        let c = c.max(0.0);
        let soft = if c > 0.8 { 0.8 + 0.2 * (1.0 - 1.0 / (1.0 + (c - 0.8) * 5.0)) } else { c };
        (soft.sqrt() * 255.0 + 0.5) as u8
    }))
}
