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

    fn lit_backdrop(&self, scene: &Scene) -> Vec<Rgb> {
        let mut colors = self.backdrop.clone();
        background::cast(&mut colors, &scene.shadows, self.size);
        colors
    }
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
