//! A picture as solids: what the tracer follows rays through.

use asap_core::{Region, Segment};

use super::face::FacePaint;
use super::solid::{Solid, single};
use super::space::{Frame, V3};

/// What a solid is painted with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Coat {
    Skin,
    Palm,
    Phalanx,
    /// The last phalanx: it has a nail.
    FingerTip,
    Head,
    Ear,
    Hair,
    /// Shirt above the hem, trousers or skirt below.
    Torso,
    Sleeve,
    Bottom,
    Shoe,
    /// A thing in a hand; the number picks its colour.
    Thing(u8),
}

/// A frame on a solid in which its paint is laid: pixels from `origin`, and how many make a millimetre.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Grain {
    pub(crate) origin: [f32; 3],
    pub(crate) axes: [[f32; 3]; 3],
    /// Pixels in a millimetre.
    pub(crate) unit: f32,
    /// The length of the bone in pixels.
    pub(crate) length: f32,
}

impl Grain {
    pub(crate) fn new(origin: V3, frame: &Frame, unit: f64, length: f64) -> Self {
        Self {
            origin: single(origin),
            axes: [single(frame.x), single(frame.y), single(frame.z)],
            unit: unit as f32,
            length: length as f32,
        }
    }

    /// A point in millimetres of this frame.
    pub(crate) fn local_mm(&self, p: [f32; 3]) -> [f32; 3] {
        let d: [f32; 3] = std::array::from_fn(|i| p[i] - self.origin[i]);
        self.axes.map(|axis| dot(axis, d) / self.unit)
    }
}

/// The dot product of two vectors of the tracer.
pub(crate) fn dot(a: [f32; 3], b: [f32; 3]) -> f32 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

/// Which piece of a body a solid belongs to: the masks are cut out by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    /// The region, if it is part of a body.
    pub(crate) region: Option<Region>,
    /// The segment and its copy number, if it is a bone of the graph.
    pub(crate) bone: Option<(Segment, u16)>,
}

impl Piece {
    /// Something that belongs to no body.
    pub(crate) const NOTHING: Self = Self {
        region: None,
        bone: None,
    };

    pub(crate) const fn of(segment: Segment, copy: u16) -> Self {
        Self {
            region: Some(segment.region()),
            bone: Some((segment, copy)),
        }
    }

    pub(crate) const fn region(region: Region) -> Self {
        Self {
            region: Some(region),
            bone: None,
        }
    }
}

/// A solid with its paint.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Part {
    pub(crate) solid: Solid,
    pub(crate) coat: Coat,
    pub(crate) piece: Piece,
    pub(crate) grain: Grain,
}

/// Two solids whose surfaces run into each other over `width` pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Blend {
    pub(crate) a: usize,
    pub(crate) b: usize,
    pub(crate) width: f32,
}

/// Solids that run into each other as if they were one.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Melt {
    pub(crate) parts: Vec<usize>,
    pub(crate) width: f32,
}

/// Added to the index of a melt where a [`Blend`] names it in the place of a part.
pub(crate) const MELT: usize = 1 << 24;

/// A soft shadow on the floor: centre and half sizes in pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct FloorShadow {
    pub(crate) center: [f32; 2],
    pub(crate) half: [f32; 2],
}

/// Everything that is drawn before the backdrop.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scene {
    pub(crate) parts: Vec<Part>,
    pub(crate) melts: Vec<Melt>,
    pub(crate) blends: Vec<Blend>,
    /// The torso, whose waistline parts the shirt from what is below.
    pub(crate) torso: Option<Grain>,
    pub(crate) face: FacePaint,
    pub(crate) shadows: Vec<FloorShadow>,
}
