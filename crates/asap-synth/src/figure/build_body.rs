//! Torso, arms, legs and feet with the clothes on them.

use asap_core::{Bone, Segment, Side};

use super::build::{Builder, Layer};
use super::look::{Legwear, Sleeves};
use super::scene::{Coat, FloorShadow, Grain, Piece};
use super::solid::Solid;
use super::space::{Frame, V3, v3};

/// The torso as the graph has it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Torso {
    pub(crate) frame: Frame,
    pub(crate) neck: V3,
    /// Pixels from the neck to the middle of the hips.
    pub(crate) spine: f64,
    /// Pixels in a millimetre across.
    pub(crate) unit: f64,
}

impl Builder<'_> {
    fn end_of(&self, segment: Segment) -> Option<V3> {
        self.graph
            .bone(segment)
            .map(|idx| self.at(self.graph.bones[idx].to))
    }

    /// The torso's frame from neck, shoulders and hips; `None` without a flank.
    pub(crate) fn measure_torso(&self) -> Option<Torso> {
        let flank = self
            .graph
            .bones
            .iter()
            .find(|bone| matches!(bone.segment, Segment::Flank(_)))?;
        let neck = self.at(flank.from);
        let hips = [Segment::Flank(Side::Left), Segment::Flank(Side::Right)].map(|s| self.end_of(s));
        let middle = match hips {
            [Some(left), Some(right)] => left.lerp(right, 0.5),
            _ => self.at(flank.to),
        };
        let spine = (middle - neck).length().max(1.0);
        let y = (middle - neck).unit();
        let shoulders =
            [Segment::Shoulder(Side::Left), Segment::Shoulder(Side::Right)].map(|s| self.end_of(s));
        let (wide, unit) = match (shoulders, hips) {
            ([Some(left), Some(right)], _) => (
                left - right,
                (left - right).length() / (2.0 * super::anatomy::SHOULDER_MM),
            ),
            (_, [Some(left), Some(right)]) => (left - right, self.props.unit),
            _ => (v3(1.0, 0.0, 0.0), self.props.unit),
        };
        // Exchanged sides would turn the torso's front to its back.
        let wide = if wide.x < 0.0 { -wide } else { wide };
        let x = wide.without(y).unit();
        let unit = unit.clamp(self.props.unit * 0.6, self.props.unit * 1.5);
        Some(Torso {
            frame: Frame { x, y, z: x.cross(y) },
            neck,
            spine,
            unit,
        })
    }

    /// Chest, waist and hips, shoulders and neck.
    pub(crate) fn torso(&mut self) {
        let Some(torso) = self.measure_torso() else {
            return;
        };
        let grain = Grain::new(torso.neck, &torso.frame, self.props.unit, torso.spine);
        let piece = Piece::of(Segment::Flank(Side::Left), 0);
        let look = self.look;
        let u = torso.unit;
        let at =
            |x: f64, down: f64, z: f64| torso.neck + torso.frame.out(v3(x * u, down * torso.spine, z * u));
        let spine_mm = torso.spine / u;
        let ball = |center: V3, x: f64, y: f64, z: f64| {
            Solid::ellipsoid(center, &torso.frame, v3(x * u, y * u, z * u))
        };
        let (w, h) = (look.waist, look.hips);
        let mut body = vec![
            self.add(
                ball(
                    at(0.0, 0.28, 2.0),
                    142.0 * (0.5 + w * 0.5),
                    spine_mm * 0.36,
                    102.0,
                ),
                Coat::Torso,
                piece,
                grain,
            ),
            self.add(
                ball(at(0.0, 0.62, 4.0), 122.0 * w, spine_mm * 0.34, 90.0),
                Coat::Torso,
                piece,
                grain,
            ),
            self.add(
                ball(at(0.0, 0.96, 0.0), 136.0 * h, spine_mm * 0.28, 106.0),
                Coat::Torso,
                piece,
                grain,
            ),
        ];
        if look.bust > 0.0 {
            for side in [1.0, -1.0] {
                let center = at(64.0 * side, 0.37, 54.0 + 12.0 * look.bust);
                body.push(self.add(ball(center, 60.0, 60.0, 50.0), Coat::Torso, piece, grain));
            }
        }
        let bones = self.graph.bones.clone();
        for bone in bones
            .iter()
            .filter(|bone| matches!(bone.segment, Segment::Shoulder(_)))
        {
            body.extend(self.shoulder(bone, &torso, &grain));
        }
        let body = self.melt(body, 46.0 * u);
        for bone in &bones {
            match bone.segment {
                Segment::Shoulder(_) if self.look.sleeves == Sleeves::None => {
                    self.ends_at(Layer::Flesh, bone.to, body);
                }
                Segment::Shoulder(_) => self.ends_at(Layer::Cloth, bone.to, body),
                Segment::Flank(_) => {
                    self.ends_at(Layer::Cloth, bone.to, body);
                    self.ends_at(Layer::Flesh, bone.to, body);
                }
                _ => {}
            }
        }
        self.scene.torso = Some(grain);
        self.skirt(&torso, body, &grain);
    }

    /// The shoulder cap and the slope from the neck to it.
    fn shoulder(&mut self, bone: &Bone, torso: &Torso, grain: &Grain) -> [usize; 2] {
        let (neck, end) = (self.at(bone.from), self.at(bone.to));
        let u = torso.unit;
        let radius = self.radius(bone.to);
        let piece = Piece::of(bone.segment, bone.copy);
        let local = |x: f64, y: f64, z: f64| torso.frame.out(v3(x, y, z) * u);
        let inner = neck.lerp(end, 0.3) + local(0.0, 38.0, 0.0);
        let cap = Solid::cone(inner, radius * 1.3, end + local(-2.0, 8.0, 0.0), radius * 0.9);
        let high = neck + local(0.0, -44.0, -14.0);
        let slope = Solid::cone(
            high,
            36.0 * u,
            neck.lerp(end, 0.9) + local(0.0, -2.0, -4.0),
            38.0 * u,
        );
        [cap, slope].map(|solid| self.add(solid, Coat::Torso, piece, *grain))
    }

    fn skirt(&mut self, torso: &Torso, body: usize, grain: &Grain) {
        if !self.wears_skirt() {
            return;
        }
        let u = torso.unit;
        let top = torso.neck + torso.frame.out(v3(0.0, torso.spine * 0.84, 0.0));
        let hem = torso.neck + torso.frame.out(v3(0.0, torso.spine + 330.0 * u, 10.0 * u));
        let below = hem + torso.frame.out(v3(0.0, 150.0 * u, 0.0));
        let solid = Solid::cone(top, 112.0 * u, below, 286.0 * u).cut(hem, torso.frame.y);
        let part = self.add(
            solid,
            Coat::Bottom,
            Piece::region(asap_core::Region::Torso),
            *grain,
        );
        self.blend(body, part, 30.0 * u);
    }

    pub(crate) fn wears_skirt(&self) -> bool {
        self.look.legwear == Legwear::Skirt && self.props.allows_skirt
    }

    /// Arms and legs, wherever they hang.
    pub(crate) fn limbs(&mut self) {
        for bone in self.graph.bones.clone() {
            match bone.segment {
                Segment::UpperArm(_) => self.upper_arm(&bone),
                Segment::Forearm(_) => self.forearm(&bone),
                Segment::Thigh(_) => self.thigh(&bone),
                Segment::Shin(_) => self.shin(&bone),
                Segment::Toe(..) => self.toe(&bone),
                _ => {}
            }
        }
        self.bare_heels();
    }

    fn limb_grain(&self, bone: &Bone) -> Grain {
        let (a, b) = (self.at(bone.from), self.at(bone.to));
        let frame = Self::bone_frame(a, b, v3(0.0, 0.0, 1.0));
        Grain::new(a, &frame, self.props.unit, (b - a).length())
    }

    fn upper_arm(&mut self, bone: &Bone) {
        let (a, b) = (self.at(bone.from), self.at(bone.to));
        let (r0, r1) = (
            self.radius(bone.from).min(self.mm(56.0)) * 0.9,
            self.radius(bone.to) * 0.98,
        );
        let grain = self.limb_grain(bone);
        let piece = Piece::of(bone.segment, bone.copy);
        if self.look.sleeves != Sleeves::Long {
            let part = self.add(Solid::cone(a, r0 * 0.93, b, r1 * 0.93), Coat::Skin, piece, grain);
            self.join(Layer::Flesh, bone.from, part, self.mm(30.0));
            self.ends_at(Layer::Flesh, bone.to, part);
        }
        let loose = self.mm(5.0);
        match self.look.sleeves {
            Sleeves::None => {}
            Sleeves::Short => {
                let solid = Solid::cone(a, r0 + loose, b, r1 + loose * 2.2).cut(a.lerp(b, 0.52), b - a);
                let part = self.add(solid, Coat::Sleeve, piece, grain);
                self.join(Layer::Cloth, bone.from, part, self.mm(34.0));
            }
            Sleeves::Long => {
                let part = self.add(
                    Solid::cone(a, r0 + loose * 0.6, b, r1 + loose * 0.8),
                    Coat::Sleeve,
                    piece,
                    grain,
                );
                self.join(Layer::Cloth, bone.from, part, self.mm(34.0));
                self.ends_at(Layer::Cloth, bone.to, part);
            }
        }
    }

    fn forearm(&mut self, bone: &Bone) {
        let (a, b) = (self.at(bone.from), self.at(bone.to));
        let (r0, r1) = (self.radius(bone.from) * 0.9, self.radius(bone.to));
        let grain = self.limb_grain(bone);
        let piece = Piece::of(bone.segment, bone.copy);
        // The belly of the muscle lies in the upper third.
        let middle = a.lerp(b, 0.3);
        let upper = self.add(
            Solid::cone(a, r0 * 0.94, middle, r0 * 1.02),
            Coat::Skin,
            piece,
            grain,
        );
        let lower = self.add(
            Solid::cone(middle, r0 * 1.02, b, r1 * 0.97),
            Coat::Skin,
            piece,
            grain,
        );
        self.blend(upper, lower, self.mm(24.0));
        self.join(Layer::Flesh, bone.from, upper, self.mm(13.0));
        self.ends_at(Layer::Flesh, bone.to, lower);
        if self.look.sleeves == Sleeves::Long {
            let loose = self.mm(7.0);
            let solid = Solid::cone(a, r0 + loose, b, r1 + loose).cut(a.lerp(b, 0.86), b - a);
            let part = self.add(solid, Coat::Sleeve, piece, grain);
            self.join(Layer::Cloth, bone.from, part, self.mm(16.0));
        }
    }

    fn thigh(&mut self, bone: &Bone) {
        let (a, b) = (self.at(bone.from), self.at(bone.to));
        let (r0, r1) = (self.radius(bone.from).min(self.mm(94.0)), self.radius(bone.to));
        let grain = self.limb_grain(bone);
        let piece = Piece::of(bone.segment, bone.copy);
        let legwear = self.look.legwear;
        let is_bare = self.wears_skirt() || legwear == Legwear::Shorts;
        if is_bare {
            let part = self.add(
                Solid::cone(a.lerp(b, 0.22), r0 * 0.86, b, r1 * 0.94),
                Coat::Skin,
                piece,
                grain,
            );
            self.ends_at(Layer::Flesh, bone.to, part);
        }
        if !self.wears_skirt() {
            let mut solid = Solid::cone(a, r0 * 0.98, b, r1 + self.mm(if is_bare { 18.0 } else { 5.0 }));
            if is_bare {
                solid = solid.cut(a.lerp(b, 0.7), b - a);
            }
            let part = self.add(solid, Coat::Bottom, piece, grain);
            self.join(Layer::Cloth, bone.from, part, self.mm(46.0));
            self.ends_at(Layer::Cloth, bone.to, part);
        }
    }

    fn shin(&mut self, bone: &Bone) {
        let (a, b) = (self.at(bone.from), self.at(bone.to));
        let (r0, r1) = (self.radius(bone.from), self.radius(bone.to));
        let grain = self.limb_grain(bone);
        let piece = Piece::of(bone.segment, bone.copy);
        let is_bare = self.wears_skirt() || self.look.legwear == Legwear::Shorts;
        let middle = a.lerp(b, 0.3) - v3(0.0, 0.0, self.mm(8.0));
        let (coat, layer, more) = if is_bare {
            (Coat::Skin, Layer::Flesh, 0.0)
        } else {
            (Coat::Bottom, Layer::Cloth, self.mm(7.0))
        };
        let upper = self.add(
            Solid::cone(a, r0 * 0.92 + more * 0.6, middle, r0 * 0.97 + more),
            coat,
            piece,
            grain,
        );
        let mut calf = Solid::cone(middle, r0 * 0.97 + more, b, r1 * 0.95 + more * 1.4);
        if !is_bare {
            calf = calf.cut(a.lerp(b, 0.96), b - a);
            let skin = Solid::cone(a.lerp(b, 0.7), r1, b, r1 * 0.92);
            self.add(skin, Coat::Skin, piece, grain);
        }
        let lower = self.add(calf, coat, piece, grain);
        self.blend(upper, lower, self.mm(30.0));
        self.join(layer, bone.from, upper, self.mm(16.0));
    }

    fn toe(&mut self, bone: &Bone) {
        let ankle = self.at(bone.from);
        let toe = self.at(bone.to);
        let (r0, r1) = (self.radius(bone.from), self.radius(bone.to));
        let heel = self
            .children(bone.from)
            .into_iter()
            .find(|other| matches!(other.segment, Segment::Heel(_)));
        let piece = Piece::of(bone.segment, bone.copy);
        let back = heel.map_or(ankle, |heel| self.at(heel.to));
        let back_radius = heel.map_or(r0, |heel| self.radius(heel.to));
        let down = (back - ankle).without((toe - back).unit()).unit();
        let frame = Self::bone_frame(back, toe, -down);
        let grain = Grain::new(back, &frame, self.props.unit, (toe - back).length());
        let sole = self.add(Solid::cone(back, back_radius, toe, r1), Coat::Shoe, piece, grain);
        let instep = Solid::cone(
            ankle + down * (r0 * 0.1),
            r0 * 1.02,
            toe.lerp(back, 0.25),
            r1 * 0.95,
        );
        let instep = self.add(instep, Coat::Shoe, piece, grain);
        self.blend(sole, instep, self.mm(22.0));
        self.join(Layer::Cloth, usize::MAX - bone.from, sole, self.mm(20.0));
        self.ends_at(Layer::Cloth, usize::MAX - bone.from, sole);
        let lowest = toe.lerp(back, 0.5);
        self.scene.shadows.push(FloorShadow {
            center: [lowest.x as f32, (lowest.y + r1 * 0.8) as f32],
            half: [
                ((toe.x - back.x).abs() * 0.6 + self.mm(95.0)) as f32,
                self.mm(26.0) as f32,
            ],
        });
    }

    /// Heels without a toe.
    fn bare_heels(&mut self) {
        for bone in self.graph.bones.clone() {
            let has_toe = || {
                self.children(bone.from)
                    .iter()
                    .any(|other| matches!(other.segment, Segment::Toe(..)))
            };
            if matches!(bone.segment, Segment::Heel(_)) && !has_toe() {
                let (a, b) = (self.at(bone.from), self.at(bone.to));
                let solid = Solid::cone(a, self.radius(bone.from), b, self.radius(bone.to));
                let grain = self.limb_grain(&bone);
                self.add(solid, Coat::Shoe, Piece::of(bone.segment, bone.copy), grain);
            }
        }
    }
}
