//! What the operators share: picking a part of a graph, amplitudes by severity, plane geometry.

use asap_core::{Bone, Finger, Node, Point, Region, Segment, Severity, Side, SkeletonGraph, Stream};

/// A finger that reaches less far than this share of the longest one is curled or foreshortened.
const MIN_REACH: f64 = 0.5;

/// A finger whose four pieces are in the graph.
#[derive(Clone, Copy)]
pub(super) struct Chain {
    /// Which finger.
    pub(super) finger: Finger,
    /// Palm piece and the three phalanges, by bone index.
    pub(super) bones: [usize; 4],
    /// The far ends of those bones: knuckle, two joints, tip, by node index.
    pub(super) joints: [usize; 4],
}

impl Chain {
    fn find(graph: &SkeletonGraph, side: Side, finger: Finger) -> Option<Self> {
        let bones = [
            graph.bone(Segment::Palm(side, finger))?,
            graph.bone(Segment::Phalanx(side, finger, 0))?,
            graph.bone(Segment::Phalanx(side, finger, 1))?,
            graph.bone(Segment::Phalanx(side, finger, 2))?,
        ];
        Some(Self {
            finger,
            bones,
            joints: bones.map(|bone| graph.bones[bone].to),
        })
    }

    /// Where a joint is: 0 the knuckle, 3 the tip.
    pub(super) fn at(&self, graph: &SkeletonGraph, joint: usize) -> Point {
        graph.nodes[self.joints[joint]].position
    }

    /// Direction from the knuckle to the tip, in radians.
    pub(super) fn heading(&self, graph: &SkeletonGraph) -> f64 {
        heading(self.at(graph, 0), self.at(graph, 3))
    }

    /// How far the tip is from the knuckle in the picture: small for a finger that is curled or points at the
    /// camera.
    pub(super) fn reach_px(&self, graph: &SkeletonGraph) -> f64 {
        self.at(graph, 0).distance(self.at(graph, 3))
    }
}

/// A hand that hangs on its wrist.
#[derive(Clone)]
pub(super) struct Hand {
    /// Whose left or right.
    pub(super) side: Side,
    /// The bone from the wrist to the hand root.
    pub(super) wrist_bone: usize,
    /// The node of the wrist.
    pub(super) wrist: usize,
    /// The node that the fingers start from.
    pub(super) root: usize,
    /// The whole fingers, thumb first.
    pub(super) chains: Vec<Chain>,
}

impl Hand {
    /// The hand of a side, with whatever whole fingers it has.
    pub(super) fn find(graph: &SkeletonGraph, side: Side) -> Option<Self> {
        let wrist_bone = graph.bone(Segment::Wrist(side))?;
        Some(Self {
            side,
            wrist_bone,
            wrist: graph.bones[wrist_bone].from,
            root: graph.bones[wrist_bone].to,
            chains: Finger::ALL
                .into_iter()
                .filter_map(|finger| Chain::find(graph, side, finger))
                .collect(),
        })
    }

    /// One of the hands that have all five fingers.
    pub(super) fn pick_whole(graph: &SkeletonGraph, stream: &mut Stream) -> Option<Self> {
        let hands: Vec<Self> = Side::BOTH
            .into_iter()
            .filter_map(|side| Self::find(graph, side))
            .filter(|hand| hand.chains.len() == Finger::ALL.len())
            .collect();
        pick(&hands, stream).cloned()
    }

    /// A finger of a whole hand.
    pub(super) fn chain(&self, finger: Finger) -> &Chain {
        &self.chains[finger.idx()]
    }

    /// Where a finger would point if it were stretched: its own direction, or that of its bone in the palm when it
    /// is curled so far that the tip says nothing.
    pub(super) fn fan_heading(&self, graph: &SkeletonGraph, finger: Finger) -> f64 {
        let chain = self.chain(finger);
        let palm = heading(graph.nodes[self.root].position, chain.at(graph, 0));
        let own = chain.heading(graph);
        if turn(palm, own).abs() < std::f64::consts::FRAC_PI_3 {
            own
        } else {
            palm
        }
    }

    /// The fingers in random order, those that are seen stretched before those that are not: an error on a
    /// curled finger is hardly seen.
    pub(super) fn by_reach(&self, graph: &SkeletonGraph, stream: &mut Stream) -> Vec<Chain> {
        let mut chains = self.chains.clone();
        stream.shuffle(&mut chains);
        chains.sort_by_key(|chain| !self.is_stretched(graph, chain.finger));
        chains
    }

    /// Whether a finger reaches about as far as the longest one does.
    pub(super) fn is_stretched(&self, graph: &SkeletonGraph, finger: Finger) -> bool {
        let reach = |chain: &Chain| chain.reach_px(graph);
        let longest = self.chains.iter().map(reach).fold(0.0, f64::max);
        reach(self.chain(finger)) >= MIN_REACH * longest
    }

    /// As [`Hand::by_reach`], without the thumb.
    pub(super) fn by_reach_without_thumb(&self, graph: &SkeletonGraph, stream: &mut Stream) -> Vec<Chain> {
        let mut chains = self.by_reach(graph, stream);
        chains.retain(|chain| chain.finger != Finger::Thumb);
        chains
    }

    /// From the root to the knuckle of the middle finger, in pixels, depth included: a hand that points at
    /// the camera is not a small hand.
    pub(super) fn palm_px(&self, graph: &SkeletonGraph) -> f64 {
        let root = graph.nodes[self.root];
        let knuckle = graph.nodes[self.chain(Finger::Middle).joints[0]];
        let depth = knuckle.z - root.z;
        root.position.distance(knuckle.position).hypot(depth)
    }

    /// Mean distance of neighbouring knuckles from the index to the little finger, in pixels.
    pub(super) fn knuckle_spacing_px(&self, graph: &SkeletonGraph) -> f64 {
        self.chain(Finger::Index)
            .at(graph, 0)
            .distance(self.chain(Finger::Little).at(graph, 0))
            / 3.0
    }

    /// The region that an edit of this hand changes.
    pub(super) fn regions(&self) -> Vec<Region> {
        vec![Region::hand(self.side)]
    }
}

/// One of the items, or none of an empty slice.
pub(super) fn pick<'a, T>(items: &'a [T], stream: &mut Stream) -> Option<&'a T> {
    (!items.is_empty()).then(|| stream.choose(items))
}

/// A value from the range of the severity.
pub(super) fn amplitude(severity: Severity, ranges: [(f64, f64); 3], stream: &mut Stream) -> f64 {
    let (low, high) = ranges[severity as usize];
    stream.between(low, high)
}

/// A factor under or over 1, each half of the time, stronger with severity.
pub(super) fn factor(
    severity: Severity,
    smaller: [(f64, f64); 3],
    larger: [(f64, f64); 3],
    stream: &mut Stream,
) -> f64 {
    let ranges = if stream.chance(0.5) { smaller } else { larger };
    amplitude(severity, ranges, stream)
}

/// -1 or 1.
pub(super) fn sign(stream: &mut Stream) -> f64 {
    if stream.chance(0.5) { 1.0 } else { -1.0 }
}

/// Direction from one point to another, in radians.
pub(super) fn heading(from: Point, to: Point) -> f64 {
    (to.y - from.y).atan2(to.x - from.x)
}

/// The signed turn from one direction to another, in (-pi, pi].
pub(super) fn turn(from: f64, to: f64) -> f64 {
    let turned = (to - from).rem_euclid(std::f64::consts::TAU);
    if turned > std::f64::consts::PI {
        turned - std::f64::consts::TAU
    } else {
        turned
    }
}

/// A unit vector.
pub(super) fn unit(radians: f64) -> Point {
    Point::new(radians.cos(), radians.sin())
}

/// Mirrored across the line through `a` and `b`.
pub(super) fn reflected(p: Point, a: Point, b: Point) -> Point {
    let axis = unit(heading(a, b));
    let d = p - a;
    let along = d.x * axis.x + d.y * axis.y;
    a + axis * (2.0 * along) - d
}

/// Scaled about a center.
pub(super) fn scaled(p: Point, center: Point, factor: f64) -> Point {
    center + (p - center) * factor
}

/// Scales the place of nodes about another one, depth included.
pub(super) fn scale_nodes(graph: &mut SkeletonGraph, nodes: &[usize], about: usize, factor: f64) {
    let center = graph.nodes[about];
    for &idx in nodes {
        let node = &mut graph.nodes[idx];
        node.position = scaled(node.position, center.position, factor);
        node.z = center.z + (node.z - center.z) * factor;
    }
}

/// The regions of some bones, each once, in the order of [`Region::ALL`].
pub(super) fn regions_of(graph: &SkeletonGraph, bones: &[usize]) -> Vec<Region> {
    Region::ALL
        .into_iter()
        .filter(|&region| {
            bones
                .iter()
                .any(|&bone| graph.bones[bone].segment.region() == region)
        })
        .collect()
}

/// Copies a subtree onto `root`, moves the new nodes by `f` and puts them `depth_px` behind the originals.
pub(super) fn add_copy(
    graph: &mut SkeletonGraph,
    bone_idx: usize,
    root: usize,
    depth_px: f64,
    f: impl Fn(Node) -> Node,
) {
    for added in graph.duplicate_subtree(bone_idx, root) {
        let node = graph.bones[added].to;
        let mut moved = f(graph.nodes[node]);
        moved.z -= depth_px;
        graph.nodes[node] = moved;
    }
}

/// Splits a bone in two at a new node; what hung on the bone hangs on the second half.
///
/// The first half keeps the place and number of the bone, the second is numbered as a copy.
pub(super) fn insert_joint(graph: &mut SkeletonGraph, bone_idx: usize, node: Node) {
    let bone = graph.bones[bone_idx];
    let copy = 1 + graph
        .bones
        .iter()
        .filter(|other| other.segment == bone.segment)
        .map(|other| other.copy)
        .max()
        .unwrap_or(0);
    graph.nodes.push(Node {
        keypoint: None,
        ..node
    });
    let middle = graph.nodes.len() - 1;
    graph.bones[bone_idx].to = middle;
    let second = Bone {
        from: middle,
        copy,
        ..bone
    };
    graph.bones.insert(bone_idx + 1, second);
}

/// Puts parents before children again after bones were rewired; otherwise the order stays.
pub(super) fn restore_order(graph: &mut SkeletonGraph) {
    let mut waiting = std::mem::take(&mut graph.bones);
    while !waiting.is_empty() {
        let ends: Vec<usize> = waiting.iter().map(|bone| bone.to).collect();
        let (ready, rest): (Vec<Bone>, Vec<Bone>) = waiting
            .iter()
            .copied()
            .partition(|bone| !ends.contains(&bone.from));
        if ready.is_empty() {
            // A cycle cannot be ordered; the bones are kept as they are.
            graph.bones.extend(rest);
            return;
        }
        graph.bones.extend(ready);
        waiting = rest;
    }
}
