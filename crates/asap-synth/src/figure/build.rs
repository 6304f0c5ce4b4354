//! From a graph to solids: whatever the graph says is built, six fingers or none.

use std::collections::BTreeMap;

use asap_core::{Bone, SkeletonGraph};

use super::face::FacePaint;
use super::look::Look;
use super::pose::Thing;
use super::scene::{Blend, Coat, Grain, MELT, Melt, Part, Piece, Scene};
use super::solid::Solid;
use super::space::{Frame, V3, v3};

/// What is built beside the body.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Props {
    pub(crate) thing: Option<(Thing, asap_core::Side)>,
    pub(crate) is_seated: bool,
    /// Whether legs stand close enough together for a skirt.
    pub(crate) allows_skirt: bool,
    /// Pixels in a millimetre.
    pub(crate) unit: f64,
}

/// Collects the solids of a picture.
pub(crate) struct Builder<'a> {
    pub(crate) graph: &'a SkeletonGraph,
    pub(crate) look: &'a Look,
    pub(crate) props: Props,
    pub(crate) scene: Scene,
    /// The frame of the hand that is being built.
    pub(crate) hand_grain: Option<Grain>,
    /// The parts of flesh and of cloth that end at a node: what hangs on it runs into them.
    ends: [BTreeMap<usize, Vec<usize>>; 2],
}

/// Flesh runs into flesh and cloth into cloth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layer {
    Flesh,
    Cloth,
}

/// The scene of a graph.
///
/// `things` come from the intact body ([`things`]): a corruption moves a hand, not what it held.
pub(crate) fn scene(graph: &SkeletonGraph, look: &Look, props: Props, things: &[Part]) -> Scene {
    let mut builder = Builder::new(graph, look, props);
    builder.torso();
    builder.heads();
    builder.limbs();
    builder.hands();
    // A lifted foot throws no shadow under itself.
    let shadows = &mut builder.scene.shadows;
    let lowest = shadows
        .iter()
        .map(|shadow| shadow.center[1])
        .fold(f32::NEG_INFINITY, f32::max);
    shadows.retain(|shadow| lowest - shadow.center[1] < props.unit as f32 * 150.0);
    builder.scene.parts.extend_from_slice(things);
    let head_unit = builder
        .graph
        .bones
        .iter()
        .find(|bone| bone.segment == asap_core::Segment::Neck)
        .map_or(props.unit, |bone| builder.measure_head(bone).unit);
    builder.scene.face = FacePaint::of(graph, head_unit);
    builder.scene
}

/// What an intact body holds and sits on.
pub(crate) fn things(graph: &SkeletonGraph, look: &Look, props: Props) -> Vec<Part> {
    let mut builder = Builder::new(graph, look, props);
    builder.things();
    builder.scene.parts
}

impl<'a> Builder<'a> {
    fn new(graph: &'a SkeletonGraph, look: &'a Look, props: Props) -> Self {
        Self {
            graph,
            look,
            props,
            scene: Scene::default(),
            hand_grain: None,
            ends: [BTreeMap::new(), BTreeMap::new()],
        }
    }
}

impl Builder<'_> {
    /// Where a node is.
    pub(crate) fn at(&self, node_idx: usize) -> V3 {
        let node = &self.graph.nodes[node_idx];
        v3(node.position.x, node.position.y, node.z)
    }

    /// Half the thickness at a node, never nothing.
    pub(crate) fn radius(&self, node_idx: usize) -> f64 {
        self.graph.nodes[node_idx].radius.max(0.5)
    }

    /// Millimetres in pixels.
    pub(crate) fn mm(&self, millimetres: f64) -> f64 {
        millimetres * self.props.unit
    }

    pub(crate) fn add(&mut self, solid: Solid, coat: Coat, piece: Piece, grain: Grain) -> usize {
        self.scene.parts.push(Part {
            solid,
            coat,
            piece,
            grain,
        });
        self.scene.parts.len() - 1
    }

    pub(crate) fn blend(&mut self, a: usize, b: usize, width: f64) {
        if width > 0.0 && a != b {
            self.scene.blends.push(Blend {
                a,
                b,
                width: width as f32,
            });
        }
    }

    /// Runs parts into one; what it returns stands for them all in a blend.
    pub(crate) fn melt(&mut self, parts: Vec<usize>, width: f64) -> usize {
        self.scene.melts.push(Melt {
            parts,
            width: width as f32,
        });
        MELT + self.scene.melts.len() - 1
    }

    /// Says that a part ends at a node.
    pub(crate) fn ends_at(&mut self, layer: Layer, node_idx: usize, part: usize) {
        self.ends[layer as usize].entry(node_idx).or_default().push(part);
    }

    /// Runs a part into everything that ends at a node.
    pub(crate) fn join(&mut self, layer: Layer, node_idx: usize, part: usize, width: f64) {
        let ends = self.ends[layer as usize]
            .get(&node_idx)
            .cloned()
            .unwrap_or_default();
        for end in ends {
            self.blend(end, part, width);
        }
    }

    /// Bones that start at a node, in order.
    pub(crate) fn children(&self, node_idx: usize) -> Vec<Bone> {
        self.graph
            .bones
            .iter()
            .filter(|bone| bone.from == node_idx)
            .copied()
            .collect()
    }

    /// A frame along a bone: x along it, z as near to `front` as it can be.
    pub(crate) fn bone_frame(from: V3, to: V3, front: V3) -> Frame {
        let x = (to - from).unit();
        let mut z = front.without(x);
        if z.length() < 1e-6 {
            z = v3(0.0, 1.0, 0.3).without(x);
        }
        let z = z.unit();
        Frame { x, y: z.cross(x), z }
    }
}
