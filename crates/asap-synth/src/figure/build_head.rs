//! Heads: skull, jaw, nose and ears from the graph, hair from the look.

use asap_core::graph::Feature;
use asap_core::{Bone, Region, Segment, Side};

use super::build::{Builder, Layer};
use super::head::{self, FaceShape};
use super::look::HairStyle;
use super::scene::{Coat, Grain, Piece};
use super::solid::Solid;
use super::space::{Frame, V3, v3};

/// A head as the graph has it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head {
    pub(crate) center: V3,
    pub(crate) frame: Frame,
    /// Pixels in a millimetre.
    pub(crate) unit: f64,
}

impl Head {
    fn at(&self, x: f64, y: f64, z: f64) -> V3 {
        self.center + self.frame.out(v3(x, y, z) * self.unit)
    }

    fn ball(&self, center: V3, radii: V3) -> Solid {
        Solid::ellipsoid(
            self.at(center.x, center.y, center.z),
            &self.frame,
            radii * self.unit,
        )
    }

    /// A landmark's place in space: where the picture has it, as deep as the mean face has it.
    fn lifted(&self, point: asap_core::Point, mean: V3) -> V3 {
        v3(point.x, point.y, self.at(mean.x, mean.y, mean.z).z)
    }
}

const MEAN: FaceShape = FaceShape {
    jaw: 1.0,
    chin: 1.0,
    eye: 1.0,
    smile: 0.0,
    open: 0.0,
    brow: 0.0,
};

impl Builder<'_> {
    /// Builds every head of the graph.
    pub(crate) fn heads(&mut self) {
        let necks: Vec<Bone> = self
            .graph
            .bones
            .iter()
            .filter(|bone| bone.segment == Segment::Neck)
            .copied()
            .collect();
        for (idx, bone) in necks.iter().enumerate() {
            let head = self.measure_head(bone);
            self.skull(&head, bone, idx == 0);
            self.hair(&head);
        }
        for bone in self.graph.bones.clone() {
            if let Segment::Ear(side) = bone.segment {
                self.ear(&bone, side, &necks);
            }
        }
    }

    /// The frame of the head that hangs on a neck bone.
    pub(crate) fn measure_head(&self, neck: &Bone) -> Head {
        let nose = self.at(neck.to);
        let eyes: Vec<Bone> = self.children(neck.to);
        let eye = |side| {
            eyes.iter()
                .find(|b| b.segment == Segment::Eye(side))
                .map(|b| b.to)
        };
        let ear = |side| {
            eyes.iter()
                .flat_map(|b| self.children(b.to))
                .find(|b| b.segment == Segment::Ear(side))
                .map(|b| b.to)
        };
        let pair = |a: Option<usize>, b: Option<usize>| Some((self.at(a?), self.at(b?)));
        let eyes = pair(eye(Side::Left), eye(Side::Right));
        let ears = pair(ear(Side::Left), ear(Side::Right));
        let by_radius = self.radius(neck.to) / super::anatomy::radius_mm::HEAD;
        let (Some((ear_l, ear_r)), Some((eye_l, eye_r))) = (ears, eyes) else {
            let center = nose - head::NOSE_TIP * by_radius;
            return Head {
                center,
                frame: Frame::PICTURE,
                unit: by_radius,
            };
        };
        let mid_ears = ear_l.lerp(ear_r, 0.5);
        let mid_eyes = eye_l.lerp(eye_r, 0.5);
        let mut x = ((ear_l - ear_r) + (eye_l - eye_r)).unit();
        let mean_ears = v3(0.0, head::LEFT_EAR.y, head::LEFT_EAR.z);
        let mean_eyes = v3(0.0, head::LEFT_EYE.y, head::LEFT_EYE.z);
        let mean_forward = (head::NOSE_TIP - mean_ears) + (mean_eyes - mean_ears) * 0.5;
        let forward = ((nose - mid_ears) + (mid_eyes - mid_ears) * 0.5)
            .without(x)
            .unit();
        let down = mean_forward.y.atan2(mean_forward.z);
        let neck_at = self.at(neck.from);
        let frame_of = |x: V3| {
            let y0 = forward.cross(x);
            let z = forward * down.cos() - y0 * down.sin();
            Frame { x, y: z.cross(x), z }
        };
        // Exchanged sides must not turn the head upside down.
        if frame_of(x).y.dot(neck_at - mid_ears) < 0.0 {
            x = -x;
        }
        let frame = frame_of(x);
        let mut units = [
            (ear_l - ear_r).length() / (2.0 * head::LEFT_EAR.x),
            (eye_l - eye_r).length() / (2.0 * head::LEFT_EYE.x),
            (nose - mid_ears).length() / (head::NOSE_TIP - mean_ears).length(),
            by_radius,
        ];
        units.sort_by(f64::total_cmp);
        let unit = f64::midpoint(units[1], units[2]);
        Head {
            center: mid_ears - frame.out(mean_ears * unit),
            frame,
            unit,
        }
    }

    fn skull(&mut self, head: &Head, neck: &Bone, has_landmarks: bool) {
        let u = head.unit;
        let grain = Grain::new(head.center, &head.frame, u, 0.0);
        let piece = Piece::region(Region::Face);
        let skull = self.add(
            head.ball(v3(0.0, -24.0, -8.0), v3(76.0, 96.0, 96.0)),
            Coat::Head,
            piece,
            grain,
        );
        let face = self.add(
            head.ball(v3(0.0, 22.0, 18.0), v3(62.0, 76.0, 70.0)),
            Coat::Head,
            piece,
            grain,
        );
        let mut parts = vec![skull, face];
        if has_landmarks {
            parts.extend(self.jaws(head, &grain));
        }
        let face = self.melt(parts, 20.0 * u);
        if has_landmarks {
            self.noses(head, face, &grain);
        }
        let (a, radius) = (self.at(neck.from), self.radius(neck.from));
        let top = head.at(0.0, 46.0, -22.0);
        let low = a + v3(0.0, radius * 0.35, -radius * 0.1);
        let column = Solid::cone(low, radius * 1.02, top, u * 50.0);
        let column = self.add(column, Coat::Skin, Piece::of(neck.segment, neck.copy), grain);
        self.blend(column, face, 10.0 * u);
        self.ends_at(Layer::Flesh, neck.to, face);
    }

    fn jaws(&mut self, head: &Head, grain: &Grain) -> Vec<usize> {
        let u = head.unit;
        let mean = MEAN.landmarks(Feature::Jaw);
        let mut parts = Vec::new();
        for feature in self.graph.face.clone() {
            if feature.feature != Feature::Jaw || feature.points.len() != mean.len() {
                continue;
            }
            let core = head.at(0.0, 24.0, 24.0);
            // A landmark lies on the skin; the end of a solid lies its radius inside.
            let inside = |idx: usize, radius: f64| {
                let skin = head.lifted(feature.points[idx], mean[idx]);
                skin + (core - skin).unit() * (radius * u)
            };
            for (idx, radius) in [(3, 24.0), (5, 24.0), (8, 23.0), (11, 24.0), (13, 24.0)] {
                let solid = Solid::cone(core, 54.0 * u, inside(idx, radius), radius * u);
                parts.push(self.add(solid, Coat::Head, Piece::region(Region::Face), *grain));
            }
        }
        parts
    }

    fn noses(&mut self, head: &Head, face: usize, grain: &Grain) {
        let u = head.unit;
        let mean = MEAN.landmarks(Feature::Nose);
        for feature in self.graph.face.clone() {
            if feature.feature != Feature::Nose || feature.points.len() != mean.len() {
                continue;
            }
            let at =
                |idx: usize, inside: f64| head.lifted(feature.points[idx], mean[idx] - v3(0.0, 0.0, inside));
            let ridge = Solid::cone(at(0, 20.0), 9.5 * u, at(3, 18.0), 10.5 * u);
            let tip = Solid::cone(at(3, 13.5), 11.0 * u, at(3, 13.0), 11.0 * u);
            let mut parts = [ridge, tip]
                .map(|solid| self.add(solid, Coat::Head, Piece::region(Region::Face), *grain))
                .to_vec();
            for idx in [4, 8] {
                let wing = at(idx, 4.0).lerp(at(6, 10.0), 0.3);
                let solid = Solid::cone(wing, 8.0 * u, at(6, 8.0), 7.0 * u);
                parts.push(self.add(solid, Coat::Head, Piece::region(Region::Face), *grain));
            }
            let nose = self.melt(parts, 7.0 * u);
            self.blend(face, nose, 20.0 * u);
        }
    }

    fn ear(&mut self, bone: &Bone, side: Side, necks: &[Bone]) {
        let Some(neck) = necks.first() else {
            return;
        };
        let head = self.measure_head(neck);
        let u = self.radius(bone.to) / super::anatomy::radius_mm::EAR;
        let sign = super::body::sign(side);
        let tilted = head.frame.turned(-18.0 * sign, 0.0, 8.0 * sign);
        let at = self.at(bone.to);
        let center = at + head.frame.out(v3(2.0 * sign, 2.0, -10.0) * u);
        let grain = Grain::new(center, &tilted, u, sign);
        let piece = Piece::of(bone.segment, bone.copy);
        self.add(
            Solid::ellipsoid(center, &tilted, v3(9.0, 29.0, 17.0) * u),
            Coat::Ear,
            piece,
            grain,
        );
    }

    fn hair(&mut self, head: &Head) {
        let grain = Grain::new(head.center, &head.frame, head.unit, 0.0);
        let mut parts: Vec<Solid> = Vec::new();
        let mut ball = |x: f64, y: f64, z: f64, rx: f64, ry: f64, rz: f64| {
            parts.push(head.ball(v3(x, y, z), v3(rx, ry, rz)));
        };
        match self.look.style {
            HairStyle::Bald => {}
            HairStyle::Cropped => ball(0.0, -34.0, -16.0, 79.0, 93.0, 96.0),
            HairStyle::Short => {
                ball(0.0, -40.0, -15.0, 83.0, 94.0, 98.0);
                ball(0.0, -82.0, 4.0, 66.0, 54.0, 78.0);
            }
            HairStyle::Quiff => {
                ball(0.0, -37.0, -18.0, 80.0, 93.0, 97.0);
                ball(10.0, -98.0, 24.0, 54.0, 44.0, 58.0);
            }
            HairStyle::Bob | HairStyle::Long | HairStyle::Bun => ball(0.0, -36.0, -16.0, 86.0, 98.0, 102.0),
            HairStyle::Curly => ball(0.0, -44.0, -18.0, 90.0, 100.0, 104.0),
        }
        self.hair_more(head, &mut parts);
        if parts.is_empty() {
            return;
        }
        let width = if self.look.style == HairStyle::Curly {
            7.0
        } else {
            18.0
        };
        let parts = parts
            .into_iter()
            .map(|solid| self.add(solid, Coat::Hair, Piece::region(Region::Face), grain))
            .collect();
        self.melt(parts, width * head.unit);
    }

    /// What hangs down or stands out.
    fn hair_more(&self, head: &Head, parts: &mut Vec<Solid>) {
        let u = head.unit;
        let mut lock = |a: V3, ra: f64, b: V3, rb: f64| {
            parts.push(Solid::cone(
                head.at(a.x, a.y, a.z),
                ra * u,
                head.at(b.x, b.y, b.z),
                rb * u,
            ));
        };
        match self.look.style {
            HairStyle::Long | HairStyle::Bob => {
                let down = if self.look.style == HairStyle::Long {
                    205.0
                } else {
                    84.0
                };
                for side in [1.0, -1.0] {
                    lock(
                        v3(66.0 * side, -30.0, -14.0),
                        30.0,
                        v3(80.0 * side, down * 0.5, -22.0),
                        27.0,
                    );
                    lock(
                        v3(80.0 * side, down * 0.5, -22.0),
                        27.0,
                        v3(84.0 * side, down, -12.0),
                        22.0,
                    );
                    lock(
                        v3(30.0 * side, -40.0, -62.0),
                        46.0,
                        v3(46.0 * side, down, -62.0),
                        40.0,
                    );
                    lock(
                        v3(18.0 * side, -112.0, 42.0),
                        24.0,
                        v3(68.0 * side, -44.0, 34.0),
                        16.0,
                    );
                }
            }
            HairStyle::Bun => {
                lock(v3(0.0, -146.0, -30.0), 40.0, v3(0.0, -152.0, -34.0), 38.0);
                for side in [1.0, -1.0] {
                    lock(
                        v3(12.0 * side, -112.0, 40.0),
                        24.0,
                        v3(70.0 * side, -40.0, 20.0),
                        14.0,
                    );
                }
            }
            // Tufts, so that the hairline is no straight edge.
            HairStyle::Short | HairStyle::Quiff => {
                for k in -3..=3 {
                    let (x, far) = (f64::from(k) * 17.0, f64::from(k * k));
                    let tip = v3(x * 1.1 + 7.0, -70.0 + f64::from((k & 1) * 7), 80.0 - far * 3.8);
                    lock(v3(x, -96.0, 58.0 - far * 2.6), 16.0, tip, 5.5);
                }
            }
            HairStyle::Curly => {
                for idx in 0..26 {
                    // Points spread evenly over the upper and back part of a ball.
                    let turn = f64::from(idx) * 2.399_963;
                    let height = -1.0 + f64::from(idx) * 0.052;
                    let around = (1.0 - height * height).max(0.0).sqrt();
                    let (x, z) = (around * turn.sin(), around * turn.cos());
                    if z > 0.35 && height > -0.72 {
                        continue;
                    }
                    let center = v3(x * 84.0, -44.0 + height * 88.0, -14.0 + z * 90.0);
                    lock(center, 27.0, center + v3(0.0, 1.0, 0.0), 27.0);
                }
            }
            _ => {}
        }
    }
}
