//! Hands: a palm that fills the space between its bones, fingers that stay apart and can be counted.

use std::collections::BTreeMap;

use asap_core::{Bone, Finger, Segment, Side};

use super::build::{Builder, Layer};
use super::scene::{Coat, Grain, Piece};
use super::solid::Solid;
use super::space::{Frame, V3, v3};

/// The palm bones that hang on one root and belong to one hand.
struct Hand {
    side: Side,
    root: usize,
    palms: Vec<Bone>,
}

/// A palm bone with the part that it became.
#[derive(Clone, Copy)]
struct Ray {
    bone: Bone,
    part: usize,
}

impl Builder<'_> {
    /// Builds every hand of the graph.
    pub(crate) fn hands(&mut self) {
        for hand in self.find_hands() {
            self.hand(&hand);
        }
        self.loose_phalanges();
    }

    /// Groups palm bones by root; a copy with three bones or more is a hand of its own.
    fn find_hands(&self) -> Vec<Hand> {
        let mut groups: BTreeMap<(usize, u16, usize), Vec<Bone>> = BTreeMap::new();
        let palms = || {
            self.graph
                .bones
                .iter()
                .filter(|bone| matches!(bone.segment, Segment::Palm(..)))
        };
        for bone in palms() {
            let n_of_copy = palms()
                .filter(|b| b.from == bone.from && b.copy == bone.copy)
                .count();
            let own = if bone.copy > 0 && n_of_copy >= 3 {
                bone.copy
            } else {
                0
            };
            let side = if let Segment::Palm(side, _) = bone.segment {
                side as usize
            } else {
                0
            };
            // A finger of the other side on this root is part of this hand.
            let first = palms()
                .find(|b| b.from == bone.from)
                .map_or(side, |b| match b.segment {
                    Segment::Palm(s, _) => s as usize,
                    _ => side,
                });
            groups.entry((bone.from, own, first)).or_default().push(*bone);
        }
        groups
            .into_iter()
            .map(|((root, _, side), palms)| Hand {
                side: Side::BOTH[side],
                root,
                palms,
            })
            .collect()
    }

    fn hand(&mut self, hand: &Hand) {
        let (along, across, normal) = self.directions(hand);
        let root = self.at(hand.root);
        let frame = Frame {
            x: along,
            y: across,
            z: normal,
        };
        let unit = self.hand_unit(hand);
        let grain = Grain::new(root, &frame, unit, 0.0);
        self.hand_grain = Some(grain);
        let mut fingers: Vec<Bone> = hand.palms.clone();
        fingers.retain(|bone| !is_thumb(bone));
        fingers.sort_by(|a, b| {
            let angle = |bone: &Bone| {
                let d = self.at(bone.to) - root;
                d.dot(across).atan2(d.dot(along))
            };
            angle(b).total_cmp(&angle(a))
        });
        let rays: Vec<Ray> = fingers
            .iter()
            .map(|bone| self.palm_bone(bone, 0.1, &grain))
            .collect();
        let thumbs: Vec<Bone> = hand.palms.iter().filter(|bone| is_thumb(bone)).copied().collect();
        let thumb_rays: Vec<Ray> = thumbs
            .iter()
            .map(|bone| self.palm_bone(bone, 0.0, &grain))
            .collect();
        let mut parts: Vec<usize> = rays.iter().chain(&thumb_rays).map(|ray| ray.part).collect();
        for pair in rays.windows(2) {
            parts.extend(self.fill(pair[0], pair[1], hand.root, &grain));
        }
        for thumb in &thumb_rays {
            let nearest = rays.iter().min_by(|a, b| {
                let gap = |ray: &Ray| (self.at(ray.bone.to) - self.at(thumb.bone.to)).length();
                gap(a).total_cmp(&gap(b))
            });
            if let Some(&ray) = nearest {
                parts.extend(self.thumb_web(thumb, ray, &grain));
            }
        }
        parts.extend(self.wrists(hand, &grain));
        let palm = self.melt(parts, unit * 9.0);
        self.join_forearms(hand, palm, unit * 14.0);
        for ray in rays.iter().chain(&thumb_rays) {
            self.ends_at(Layer::Flesh, ray.bone.to, palm);
            self.finger(ray, -normal);
        }
    }

    /// Along, across (towards the thumb) and out of the palm.
    fn directions(&self, hand: &Hand) -> (V3, V3, V3) {
        let root = self.at(hand.root);
        let mut fingers: Vec<&Bone> = hand.palms.iter().filter(|bone| !is_thumb(bone)).collect();
        fingers.sort_by_key(|bone| (bone.copy, finger_of(bone)));
        let originals = fingers.iter().filter(|bone| bone.copy == fingers[0].copy).count();
        fingers.truncate(originals.max(1));
        let mean = fingers
            .iter()
            .fold(V3::default(), |sum, bone| sum + (self.at(bone.to) - root).unit());
        let along = if mean.length() > 1e-6 {
            mean.unit()
        } else {
            v3(0.0, -1.0, 0.0)
        };
        let turn = match (fingers.first(), fingers.last()) {
            (Some(first), Some(last)) if fingers.len() > 1 => {
                (self.at(first.to) - root).cross(self.at(last.to) - root)
            }
            _ => v3(0.0, 0.0, 1.0),
        };
        let sign = if hand.side == Side::Left { 1.0 } else { -1.0 };
        let mut normal = (turn * sign).without(along);
        if normal.length() < 1e-6 {
            normal = v3(0.0, 0.0, 1.0).without(along);
        }
        let normal = normal.unit();
        let across = if hand.side == Side::Left {
            along.cross(normal)
        } else {
            normal.cross(along)
        };
        (along, across, normal)
    }

    /// Pixels in a millimetre of this hand, which a corruption may have scaled.
    fn hand_unit(&self, hand: &Hand) -> f64 {
        let root = self.radius(hand.root) / super::anatomy::radius_mm::HAND_ROOT;
        root.clamp(self.props.unit * 0.3, self.props.unit * 3.0)
    }

    fn palm_bone(&mut self, bone: &Bone, start: f64, grain: &Grain) -> Ray {
        let (a, b) = (self.at(bone.from), self.at(bone.to));
        let (r0, r1) = (self.radius(bone.from) * 0.9, self.radius(bone.to));
        let solid = Solid::cone(a.lerp(b, start), r0 * 0.95, b, r1 * 1.04);
        let part = self.add(solid, Coat::Palm, Piece::of(bone.segment, bone.copy), *grain);
        Ray { bone: *bone, part }
    }

    /// Fills the palm between two neighbouring bones, however far apart they are.
    fn fill(&mut self, a: Ray, b: Ray, root: usize, grain: &Grain) -> Vec<usize> {
        let (end_a, end_b) = (self.at(a.bone.to), self.at(b.bone.to));
        let (ra, rb) = (self.radius(a.bone.to), self.radius(b.bone.to));
        let gap = (end_a - end_b).length();
        let n = ((gap / ((ra + rb) * 0.55)).ceil() as usize).clamp(1, 6);
        let mut parts = Vec::with_capacity(n);
        for step in 1..=n {
            let t = step as f64 / (n + 1) as f64;
            let end = end_a.lerp(end_b, t);
            let start = self.at(root).lerp(end, 0.12);
            // Between the knuckles the flesh ends a little earlier and is thinner.
            let dip = 1.0 - 0.10 * (1.0 - (2.0 * t - 1.0).powi(2));
            let solid = Solid::cone(
                start,
                self.radius(root) * 0.86,
                start.lerp(end, 0.99),
                (ra + (rb - ra) * t) * dip,
            );
            let owner = if t < 0.5 { a.bone } else { b.bone };
            parts.push(self.add(solid, Coat::Palm, Piece::of(owner.segment, owner.copy), *grain));
        }
        parts
    }

    /// The skin between the thumb and the palm.
    fn thumb_web(&mut self, thumb: &Ray, palm: Ray, grain: &Grain) -> Vec<usize> {
        let unit = f64::from(grain.unit);
        let base = self.at(thumb.bone.to);
        let Some(next) = self.children(thumb.bone.to).into_iter().find(is_thumb_phalanx) else {
            return Vec::new();
        };
        let (root, knuckle) = (self.at(palm.bone.from), self.at(palm.bone.to));
        let outer = self.at(next.to);
        [(0.15, 0.45, 13.0), (0.42, 0.62, 10.0), (0.62, 0.76, 7.0)]
            .into_iter()
            .map(|(on_thumb, on_palm, radius)| {
                let a = base.lerp(outer, on_thumb);
                let b = root.lerp(knuckle, on_palm);
                let solid = Solid::cone(a, unit * (radius + 2.0), b, unit * radius);
                self.add(
                    solid,
                    Coat::Palm,
                    Piece::of(palm.bone.segment, palm.bone.copy),
                    *grain,
                )
            })
            .collect()
    }

    /// The phalanges of a finger, from the palm outwards.
    fn finger(&mut self, ray: &Ray, back_of_hand: V3) {
        let mut back = back_of_hand;
        let mut before = (self.at(ray.bone.to) - self.at(ray.bone.from)).unit();
        let mut queue: Vec<(Bone, V3, V3)> = Vec::new();
        let starts = |builder: &Self, node| {
            builder
                .children(node)
                .into_iter()
                .filter(|bone| matches!(bone.segment, Segment::Phalanx(..)))
                .collect::<Vec<_>>()
        };
        for bone in starts(self, ray.bone.to) {
            queue.push((bone, before, back));
        }
        while let Some((bone, direction, dorsal)) = queue.pop() {
            (before, back) = self.phalanx(&bone, direction, dorsal);
            for next in starts(self, bone.to) {
                queue.push((next, before, back));
            }
        }
    }

    /// One phalanx; returns its direction and where its back looks.
    fn phalanx(&mut self, bone: &Bone, before: V3, back: V3) -> (V3, V3) {
        let (a, b) = (self.at(bone.from), self.at(bone.to));
        let direction = (b - a).unit();
        // The back turns with the bone, about the axis of the joint.
        let axis = before.cross(direction);
        let turned = if axis.length() > 1e-6 {
            back.turned(axis.unit(), before.angle_to(direction))
        } else {
            back
        };
        let frame = Self::bone_frame(a, b, turned);
        let is_last = !self
            .children(bone.to)
            .iter()
            .any(|next| matches!(next.segment, Segment::Phalanx(..)));
        let coat = match bone.segment {
            _ if is_last => Coat::FingerTip,
            // The ball of the thumb looks like the palm that it is part of.
            Segment::Phalanx(_, Finger::Thumb, 0) => Coat::Palm,
            _ => Coat::Phalanx,
        };
        let (r0, r1) = (self.radius(bone.from), self.radius(bone.to));
        let grain = match (coat, self.hand_grain) {
            (Coat::Palm, Some(grain)) => grain,
            _ => Grain::new(a, &frame, r1 / 8.0, (b - a).length()),
        };
        let part = self.add(
            Solid::cone(a, r0, b, r1),
            coat,
            Piece::of(bone.segment, bone.copy),
            grain,
        );
        let width = match bone.segment {
            Segment::Phalanx(_, _, 0) => r0 * 0.85,
            _ => r0 * 0.32,
        };
        self.join(Layer::Flesh, bone.from, part, width);
        self.ends_at(Layer::Flesh, bone.to, part);
        (direction, frame.z)
    }

    /// Phalanges whose palm bone is gone or which hang elsewhere.
    fn loose_phalanges(&mut self) {
        let bones = &self.graph.bones;
        let has_parent = |bone: &Bone| {
            bones.iter().any(|other| {
                other.to == bone.from && matches!(other.segment, Segment::Palm(..) | Segment::Phalanx(..))
            })
        };
        let loose: Vec<Bone> = bones
            .iter()
            .filter(|bone| matches!(bone.segment, Segment::Phalanx(..)) && !has_parent(bone))
            .copied()
            .collect();
        for bone in loose {
            let direction = (self.at(bone.to) - self.at(bone.from)).unit();
            let (mut before, mut back) = self.phalanx(&bone, direction, v3(0.0, 0.0, 1.0));
            let mut node = bone.to;
            while let Some(next) = self
                .children(node)
                .into_iter()
                .find(|bone| matches!(bone.segment, Segment::Phalanx(..)))
            {
                (before, back) = self.phalanx(&next, before, back);
                node = next.to;
            }
        }
    }

    fn wrist_bones(&self, hand: &Hand) -> Vec<Bone> {
        let is_wrist = |bone: &&Bone| bone.to == hand.root && matches!(bone.segment, Segment::Wrist(_));
        self.graph.bones.iter().filter(is_wrist).copied().collect()
    }

    fn wrists(&mut self, hand: &Hand, grain: &Grain) -> Vec<usize> {
        let mut parts = Vec::new();
        for bone in self.wrist_bones(hand) {
            let (a, b) = (self.at(bone.from), self.at(bone.to));
            let solid = Solid::cone(a, self.radius(bone.from) * 0.94, b, self.radius(bone.to) * 0.98);
            parts.push(self.add(solid, Coat::Palm, Piece::of(bone.segment, bone.copy), *grain));
        }
        parts
    }

    fn join_forearms(&mut self, hand: &Hand, palm: usize, width: f64) {
        for bone in self.wrist_bones(hand) {
            self.join(Layer::Flesh, bone.from, palm, width);
        }
    }
}

const fn finger_of(bone: &Bone) -> usize {
    match bone.segment {
        Segment::Palm(_, finger) | Segment::Phalanx(_, finger, _) => finger.idx(),
        _ => 0,
    }
}

const fn is_thumb(bone: &Bone) -> bool {
    matches!(bone.segment, Segment::Palm(_, Finger::Thumb))
}

fn is_thumb_phalanx(bone: &Bone) -> bool {
    matches!(bone.segment, Segment::Phalanx(_, Finger::Thumb, _))
}
