//! Things in hands and under people.

use asap_core::{Finger, Segment, Side};

use super::build::Builder;
use super::pose::Thing;
use super::scene::{Coat, Grain, Piece};
use super::solid::Solid;
use super::space::{Frame, V3, v3};

impl Builder<'_> {
    /// What a hand holds and what a person sits on.
    pub(crate) fn things(&mut self) {
        if let Some((thing, side)) = self.props.thing
            && let Some(grip) = self.grip(side)
        {
            self.thing(thing, &grip);
        }
        if self.props.is_seated {
            self.stool();
        }
    }

    /// The frame of a hand: x along the fingers, y to the thumb, z out of the palm; the origin is in the
    /// middle of the palm.
    fn grip(&self, side: Side) -> Option<(V3, Frame)> {
        let palm = |finger| {
            let idx = self.graph.bone(Segment::Palm(side, finger))?;
            let bone = self.graph.bones[idx];
            Some((self.at(bone.from), self.at(bone.to)))
        };
        let known: Vec<(V3, V3)> = [Finger::Index, Finger::Middle, Finger::Ring, Finger::Little]
            .into_iter()
            .filter_map(palm)
            .collect();
        let (&(root, first), &(_, last)) = (known.first()?, known.last()?);
        let along = ((first - root).unit() + (last - root).unit()).unit();
        let sign = if side == Side::Left { 1.0 } else { -1.0 };
        let normal = ((first - root).cross(last - root) * sign).without(along).unit();
        let across = along.cross(normal) * sign;
        let frame = Frame {
            x: along,
            y: across,
            z: normal,
        };
        Some((root.lerp(first.lerp(last, 0.5), 0.85), frame))
    }

    fn thing(&mut self, thing: Thing, (palm, hand): &(V3, Frame)) {
        let u = self.props.unit;
        let grain = Grain::new(*palm, hand, u, 0.0);
        let at = |x: f64, y: f64, z: f64| *palm + hand.out(v3(x, y, z) * u);
        let mut add = |solid: Solid, color: u8| {
            self.add(solid, Coat::Thing(color), Piece::NOTHING, grain);
        };
        match thing {
            Thing::Cup => {
                let (low, high) = (at(24.0, -62.0, 46.0), at(24.0, 66.0, 46.0));
                let axis = high - low;
                let wall = Solid::cone(low - axis * 0.4, 24.0 * u, high + axis * 0.4, 46.0 * u);
                add(wall.cut(low, -axis).cut(high, axis), 0);
                let drink = Solid::cone(low, 20.0 * u, high + axis * 0.4, 41.0 * u);
                add(drink.cut(low, -axis).cut(high + axis * 0.012, axis), 1);
            }
            Thing::Ball => {
                let center = at(26.0, 8.0, 66.0);
                add(
                    Solid::cone(center, 56.0 * u, center + v3(0.0, 1.0, 0.0), 56.0 * u),
                    2,
                );
            }
            Thing::Phone => {
                let frame = Frame {
                    x: hand.x,
                    y: hand.y,
                    z: hand.z,
                };
                add(
                    Solid::block(at(26.0, 22.0, 39.0), &frame, v3(39.0, 78.0, 6.0) * u, 5.5 * u),
                    3,
                );
                add(
                    Solid::block(at(26.0, 22.0, 44.0), &frame, v3(35.0, 73.0, 2.5) * u, 1.5 * u),
                    4,
                );
            }
            Thing::Umbrella => {
                let axis = hand.y;
                let top = at(22.0, 590.0, 24.0);
                add(Solid::cone(at(22.0, -110.0, 24.0), 7.0 * u, top, 6.0 * u), 3);
                add(
                    Solid::cone(at(22.0, -110.0, 24.0), 13.0 * u, at(22.0, -40.0, 24.0), 12.0 * u),
                    5,
                );
                let canopy = Frame {
                    x: hand.x,
                    y: axis,
                    z: hand.z,
                };
                let rim = top - axis * (130.0 * u);
                let dome = Solid::ellipsoid(rim, &canopy, v3(330.0, 160.0, 330.0) * u).cut(rim, -axis);
                add(dome, 0);
            }
            Thing::Book => {
                add(
                    Solid::block(at(52.0, 18.0, 48.0), hand, v3(72.0, 104.0, 12.0) * u, 3.0 * u),
                    0,
                );
                add(
                    Solid::block(at(55.0, 18.0, 48.0), hand, v3(71.0, 101.0, 9.0) * u, 1.0 * u),
                    1,
                );
            }
            Thing::Pencil => self.pencil(hand, grain),
        }
    }

    /// A pencil through the tips of thumb and index finger.
    fn pencil(&mut self, hand: &Frame, grain: Grain) {
        let Some((_, side)) = self.props.thing else {
            return;
        };
        let tip = |finger| {
            let idx = self.graph.bone(Segment::Phalanx(side, finger, 2))?;
            Some(self.at(self.graph.bones[idx].to))
        };
        let (Some(a), Some(b)) = (tip(Finger::Thumb), tip(Finger::Index)) else {
            return;
        };
        let u = self.props.unit;
        let middle = a.lerp(b, 0.5);
        let axis = (hand.x * 0.6 - hand.y * 0.5 + hand.z * 0.62).unit();
        let at = |along: f64| middle + axis * (along * u);
        let body = Solid::cone(at(-95.0), 5.0 * u, at(42.0), 5.0 * u);
        self.add(body, Coat::Thing(2), Piece::NOTHING, grain);
        let point = Solid::cone(at(42.0), 5.0 * u, at(62.0), 0.8 * u);
        self.add(point, Coat::Thing(6), Piece::NOTHING, grain);
        let rubber = Solid::cone(at(-104.0), 5.2 * u, at(-96.0), 5.2 * u);
        self.add(rubber, Coat::Thing(7), Piece::NOTHING, grain);
    }

    fn stool(&mut self) {
        let Some(torso) = self.measure_torso() else {
            return;
        };
        let u = self.props.unit;
        let seat = torso.neck + torso.frame.y * (torso.spine + 118.0 * u) + torso.frame.z * (60.0 * u);
        let floor = seat + v3(0.0, 395.0 * u, 0.0);
        let frame = Frame {
            x: torso.frame.x,
            y: v3(0.0, 1.0, 0.0),
            z: torso.frame.x.cross(v3(0.0, 1.0, 0.0)).unit(),
        };
        let grain = Grain::new(seat, &frame, u, 0.0);
        let plate = Solid::block(seat, &frame, v3(190.0, 22.0, 170.0) * u, 16.0 * u);
        self.add(plate, Coat::Thing(5), Piece::NOTHING, grain);
        for (x, z) in [(-1.0, -1.0), (1.0, -1.0), (-1.0, 1.0), (1.0, 1.0)] {
            let top = seat + frame.out(v3(150.0 * x, 0.0, 130.0 * z) * u);
            let foot = floor + frame.out(v3(175.0 * x, 0.0, 150.0 * z) * u);
            self.add(
                Solid::cone(top, 15.0 * u, foot, 12.0 * u),
                Coat::Thing(5),
                Piece::NOTHING,
                grain,
            );
        }
    }
}
