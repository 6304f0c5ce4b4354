//! What a hand says: the joint angles of each gesture.

use asap_core::{Finger, Stream};

use super::anatomy::THUMB_LIMITS;
use super::hand;
use super::space::{V3, v3};

/// The angles of a finger.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct FingerPose {
    /// Flexion of the knuckle, the middle and the last joint.
    pub(crate) flexion_deg: [f64; 3],
    /// Towards the thumb when positive.
    pub(crate) spread_deg: f64,
}

/// The directions of the three bones of the thumb in (along, across, palm) coordinates.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct ThumbPose {
    pub(crate) directions: [V3; 3],
}

/// The angles of a hand.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct HandPose {
    /// Index to little finger.
    pub(crate) fingers: [FingerPose; 4],
    pub(crate) thumb: ThumbPose,
}

/// What a hand says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Gesture {
    /// All fingers spread.
    Open,
    /// Fingers straight and side by side.
    Flat,
    /// Fingers a little bent, as in a hand that hangs.
    Relaxed,
    /// All fingers closed, the thumb across them.
    Fist,
    /// A fist with the thumb out.
    ThumbUp,
    /// Index and middle finger spread, the others closed.
    Victory,
    /// Thumb and index finger in a ring, the others spread.
    Okay,
    /// The index finger alone.
    Point,
    /// Index, middle and ring finger.
    Three,
    /// All fingers but the thumb.
    Four,
    /// Index and little finger.
    Horns,
    /// Thumb and little finger.
    CallMe,
    /// Fingers round something.
    Grip,
    /// Fingers round something thin.
    RodGrip,
    /// Thumb and index finger hold something thin.
    Pinch,
}

const STRAIGHT: [f64; 3] = [4.0, 7.0, 5.0];
const CLOSED: [f64; 3] = [86.0, 102.0, 62.0];
const SPREADS: [f64; 4] = [12.0, 2.5, -7.0, -17.0];
const THUMB_OUT: [V3; 3] = [v3(0.52, 0.80, 0.28), v3(0.66, 0.73, 0.16), v3(0.76, 0.64, 0.08)];
const THUMB_UP: [V3; 3] = [v3(0.36, 0.90, 0.24), v3(0.10, 0.99, 0.06), v3(-0.14, 0.98, -0.02)];
const THUMB_BESIDE: [V3; 3] = [v3(0.80, 0.50, 0.34), v3(0.94, 0.26, 0.22), v3(0.97, 0.14, 0.20)];
const THUMB_ACROSS: [V3; 3] = [v3(0.74, 0.30, 0.60), v3(0.72, -0.42, 0.55), v3(0.42, -0.88, 0.22)];
const THUMB_TUCKED: [V3; 3] = [v3(0.66, 0.20, 0.72), v3(0.46, -0.72, 0.52), v3(0.20, -0.96, 0.18)];
const THUMB_OPPOSED: [V3; 3] = [v3(0.62, 0.40, 0.68), v3(0.84, 0.02, 0.54), v3(0.98, -0.10, 0.18)];

impl Gesture {
    /// Every gesture.
    pub const ALL: [Self; 15] = [
        Self::Open,
        Self::Flat,
        Self::Relaxed,
        Self::Fist,
        Self::ThumbUp,
        Self::Victory,
        Self::Okay,
        Self::Point,
        Self::Three,
        Self::Four,
        Self::Horns,
        Self::CallMe,
        Self::Grip,
        Self::RodGrip,
        Self::Pinch,
    ];

    /// The name used in captions.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Flat => "flat",
            Self::Relaxed => "relaxed",
            Self::Fist => "fist",
            Self::ThumbUp => "thumb_up",
            Self::Victory => "victory",
            Self::Okay => "okay",
            Self::Point => "point",
            Self::Three => "three",
            Self::Four => "four",
            Self::Horns => "horns",
            Self::CallMe => "call_me",
            Self::Grip => "grip",
            Self::RodGrip => "rod_grip",
            Self::Pinch => "pinch",
        }
    }

    /// The angles of the gesture without any variation.
    pub(crate) fn hand_pose(self) -> HandPose {
        let pose = |flexions: [[f64; 3]; 4], spread: f64, thumb: [V3; 3]| HandPose {
            fingers: std::array::from_fn(|idx| FingerPose {
                flexion_deg: flexions[idx],
                spread_deg: SPREADS[idx] * spread,
            }),
            thumb: ThumbPose { directions: thumb },
        };
        let up = |straight: [bool; 4]| straight.map(|out| if out { STRAIGHT } else { CLOSED });
        match self {
            Self::Open => pose([STRAIGHT; 4], 1.0, THUMB_OUT),
            Self::Flat => pose([STRAIGHT; 4], 0.25, THUMB_BESIDE),
            Self::Relaxed => pose(
                [
                    [18.0, 24.0, 12.0],
                    [24.0, 28.0, 14.0],
                    [28.0, 32.0, 16.0],
                    [32.0, 34.0, 18.0],
                ],
                0.45,
                THUMB_BESIDE,
            ),
            Self::Fist => pose([CLOSED; 4], 0.0, THUMB_ACROSS),
            Self::ThumbUp => pose([CLOSED; 4], 0.0, THUMB_UP),
            Self::Victory => pose(up([true, true, false, false]), 1.0, THUMB_TUCKED),
            Self::Okay => pinched(pose([STRAIGHT; 4], 0.9, THUMB_OPPOSED), [46.0, 62.0, 34.0]),
            Self::Point => pose(up([true, false, false, false]), 0.1, THUMB_ACROSS),
            Self::Three => pose(up([true, true, true, false]), 0.9, THUMB_TUCKED),
            Self::Four => pose([STRAIGHT; 4], 0.8, THUMB_TUCKED),
            Self::Horns => pose(up([true, false, false, true]), 0.8, THUMB_ACROSS),
            Self::CallMe => pose(up([false, false, false, true]), 1.0, THUMB_OUT),
            Self::Grip => pose([[48.0, 42.0, 24.0]; 4], 0.35, THUMB_OPPOSED),
            Self::RodGrip => pose([[72.0, 84.0, 40.0]; 4], 0.1, THUMB_ACROSS),
            Self::Pinch => pinched(
                pose(
                    [
                        STRAIGHT,
                        [58.0, 70.0, 36.0],
                        [66.0, 78.0, 40.0],
                        [70.0, 82.0, 42.0],
                    ],
                    0.3,
                    THUMB_OPPOSED,
                ),
                [44.0, 48.0, 22.0],
            ),
        }
    }

    /// The angles of the gesture, varied a little from hand to hand.
    pub(crate) fn sample(self, stream: &mut Stream) -> HandPose {
        let mut pose = self.hand_pose();
        for finger in &mut pose.fingers {
            let bend = stream.between(-5.0, 6.0);
            for flexion in &mut finger.flexion_deg {
                *flexion += bend + stream.between(-2.5, 2.5);
            }
            finger.spread_deg += stream.between(-1.4, 1.4);
        }
        if matches!(self, Self::Okay | Self::Pinch) {
            let flexion = pose.fingers[0].flexion_deg;
            pose = pinched(pose, flexion);
        }
        pose
    }

    /// The fingers that stand out, for tests and captions.
    pub fn extended(self) -> &'static [Finger] {
        use Finger::{Index, Little, Middle, Ring, Thumb};
        match self {
            Self::Open | Self::Flat | Self::Relaxed => &[Thumb, Index, Middle, Ring, Little],
            Self::ThumbUp => &[Thumb],
            Self::Victory => &[Index, Middle],
            Self::Okay => &[Middle, Ring, Little],
            Self::Point => &[Index],
            Self::Three => &[Index, Middle, Ring],
            Self::Four => &[Index, Middle, Ring, Little],
            Self::Horns => &[Index, Little],
            Self::CallMe => &[Thumb, Little],
            Self::Fist | Self::Grip | Self::RodGrip | Self::Pinch => &[],
        }
    }
}

/// The pose with the index finger bent and the thumb brought to its tip.
fn pinched(mut pose: HandPose, index_flexion_deg: [f64; 3]) -> HandPose {
    pose.fingers[0].flexion_deg = index_flexion_deg;
    pose.fingers[0].spread_deg = 6.0;
    let target = hand::finger_chain(Finger::Index, &pose.fingers[0])[3] + v3(-6.0, 2.0, 10.0);
    pose.thumb = thumb_to(target);
    pose
}

/// The thumb whose tip comes nearest to a target, searched over the angles that its joints allow.
fn thumb_to(target: V3) -> ThumbPose {
    let mut best = (
        f64::INFINITY,
        ThumbPose {
            directions: THUMB_OPPOSED,
        },
    );
    for (radial, palmar) in (0..9).flat_map(|r| (0..9).map(move |p| (r, p))) {
        let (radial, palmar) = (f64::from(radial) * 8.0, f64::from(palmar) * 9.0);
        let (r, p) = (radial.to_radians(), palmar.to_radians());
        let base = v3(r.cos() * p.cos(), r.sin() * p.cos(), p.sin());
        // The thumb bends in the plane that leads back over the palm.
        let inwards = v3(0.2, -1.0, -0.15).without(base).unit();
        for (first, second) in (0..8).flat_map(|a| (0..8).map(move |b| (a, b))) {
            let first_rad = THUMB_LIMITS[0].clamp(f64::from(first) * 8.0).to_radians();
            let second_rad = first_rad + THUMB_LIMITS[1].clamp(f64::from(second) * 9.0).to_radians();
            let bent = |angle: f64| base * angle.cos() + inwards * angle.sin();
            let pose = ThumbPose {
                directions: [base, bent(first_rad), bent(second_rad)],
            };
            let miss = (hand::thumb_chain(&pose)[3] - target).length();
            if miss < best.0 {
                best = (miss, pose);
            }
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ring_of_the_ok_sign_closes() {
        for gesture in [Gesture::Okay, Gesture::Pinch] {
            let pose = gesture.hand_pose();
            let tip = hand::finger_chain(Finger::Index, &pose.fingers[0])[3];
            let gap = (hand::thumb_chain(&pose.thumb)[3] - tip).length();
            assert!(gap < 20.0, "{gesture:?} {gap}");
        }
    }
}
