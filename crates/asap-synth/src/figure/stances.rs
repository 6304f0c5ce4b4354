//! Arms and legs in the positions that people take.
//!
//! Vectors are (outward from the body, down, forward) in millimetres from the shoulder or the hip.

use asap_core::Stream;

use super::body::{Arm, Leg};
use super::gesture::Gesture;
use super::space::{V3, v3};

/// A position of an arm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ArmPlace {
    Hanging,
    /// Beside the head, palm to the camera.
    Raised,
    /// Before the shoulder, palm to the camera.
    Presented,
    /// Before the chest, the back of the hand to the camera, thumb up.
    ThumbUp,
    /// Holding something before the chest, fingers in front of it.
    Holding,
    /// Holding something up beside the head.
    HoldingUp,
    OnHip,
    ToChin,
    OnCheek,
    OnHeart,
    /// Forearm across the body; the upper one of two lies in front.
    CrossedUnder,
    CrossedOver,
    ClaspedUnder,
    ClaspedOver,
    /// Straight up and out.
    Overhead,
    /// Straight out to the side.
    Sideways,
    /// Bent forward, as in a stride.
    SwungForward,
    SwungBack,
    OnKnee,
}

/// Adds up to `amount` to every coordinate.
fn near(v: V3, amount: f64, stream: &mut Stream) -> V3 {
    let mut shift = || stream.between(-amount, amount);
    v + v3(shift(), shift(), shift())
}

/// An arm in a position.
pub(crate) fn arm(place: ArmPlace, gesture: Gesture, stream: &mut Stream) -> Arm {
    let (wrist, elbow, fingers, palm) = vectors(place);
    let loose = match place {
        ArmPlace::Raised | ArmPlace::Presented | ArmPlace::Overhead => 28.0,
        ArmPlace::Hanging | ArmPlace::Sideways | ArmPlace::SwungForward | ArmPlace::SwungBack => 18.0,
        _ => 7.0,
    };
    Arm {
        wrist: near(wrist, loose, stream),
        elbow,
        fingers: near(fingers, 0.08, stream),
        palm: near(palm, 0.1, stream),
        hand: gesture.sample(stream),
    }
}

/// Wrist, elbow direction, finger direction and palm direction of a position.
#[expect(clippy::too_many_lines, reason = "a table with one entry for each position")]
fn vectors(place: ArmPlace) -> (V3, V3, V3, V3) {
    let up = v3(0.05, -1.0, 0.04);
    match place {
        ArmPlace::Hanging => (
            v3(82.0, 500.0, 30.0),
            v3(0.5, 0.0, -1.0),
            v3(-0.06, 1.0, 0.1),
            v3(-0.6, 0.0, -0.8),
        ),
        ArmPlace::Raised => (
            v3(150.0, -55.0, 130.0),
            v3(0.6, 1.0, -0.1),
            up,
            v3(-0.06, 0.0, 1.0),
        ),
        ArmPlace::Presented => (
            v3(70.0, 110.0, 220.0),
            v3(0.7, 1.0, -0.2),
            up,
            v3(-0.05, 0.0, 1.0),
        ),
        ArmPlace::ThumbUp => (
            v3(40.0, 150.0, 235.0),
            v3(0.7, 1.0, -0.2),
            v3(-0.72, -0.05, 0.7),
            v3(-0.7, 0.0, -0.72),
        ),
        ArmPlace::Holding => (
            v3(35.0, 175.0, 240.0),
            v3(0.7, 1.0, -0.2),
            v3(-1.0, -0.12, 0.12),
            v3(-0.1, 0.0, -1.0),
        ),
        ArmPlace::HoldingUp => (
            v3(95.0, 70.0, 220.0),
            v3(0.7, 1.0, -0.2),
            v3(-1.0, -0.1, 0.15),
            v3(-0.1, 0.0, -1.0),
        ),
        ArmPlace::OnHip => (
            v3(30.0, 395.0, 125.0),
            v3(1.0, 0.1, -0.3),
            v3(-0.88, 0.46, 0.05),
            v3(-0.05, -0.1, -1.0),
        ),
        ArmPlace::ToChin => (
            v3(-128.0, 62.0, 190.0),
            v3(0.5, 1.0, 0.3),
            v3(-0.22, -1.0, 0.0),
            v3(-0.1, 0.0, -1.0),
        ),
        ArmPlace::OnCheek => (
            v3(-62.0, 25.0, 165.0),
            v3(0.5, 1.0, 0.3),
            v3(-0.1, -1.0, -0.1),
            v3(-0.75, 0.0, -0.66),
        ),
        ArmPlace::OnHeart => (
            v3(-85.0, 190.0, 175.0),
            v3(0.8, 1.0, 0.0),
            v3(-0.95, -0.28, -0.05),
            v3(0.0, 0.0, -1.0),
        ),
        ArmPlace::CrossedUnder => (
            v3(-190.0, 255.0, 160.0),
            v3(0.6, 1.0, 0.0),
            v3(-1.0, -0.25, -0.05),
            v3(0.0, 0.0, -1.0),
        ),
        ArmPlace::CrossedOver => (
            v3(-175.0, 275.0, 230.0),
            v3(0.6, 1.0, 0.1),
            v3(-1.0, -0.3, -0.05),
            v3(0.0, 0.0, -1.0),
        ),
        ArmPlace::ClaspedUnder => (
            v3(-75.0, 395.0, 175.0),
            v3(0.9, 0.4, -0.3),
            v3(-0.8, 0.58, 0.0),
            v3(-0.1, -0.1, -1.0),
        ),
        ArmPlace::ClaspedOver => (
            v3(-70.0, 385.0, 225.0),
            v3(0.9, 0.4, -0.3),
            v3(-0.8, 0.58, 0.0),
            v3(-0.1, -0.1, -1.0),
        ),
        ArmPlace::Overhead => (
            v3(110.0, -440.0, 50.0),
            v3(1.0, 0.2, -0.2),
            v3(0.12, -1.0, 0.05),
            v3(-0.1, 0.0, 1.0),
        ),
        ArmPlace::Sideways => (
            v3(505.0, 20.0, 60.0),
            v3(0.1, 1.0, -0.4),
            v3(1.0, -0.05, 0.05),
            v3(0.0, 0.5, 0.85),
        ),
        ArmPlace::SwungForward => (
            v3(45.0, 330.0, 260.0),
            v3(0.5, 0.5, -1.0),
            v3(-0.2, 0.1, 1.0),
            v3(-1.0, 0.0, -0.1),
        ),
        ArmPlace::SwungBack => (
            v3(70.0, 470.0, -130.0),
            v3(0.5, 0.0, -1.0),
            v3(-0.05, 1.0, -0.2),
            v3(-0.8, 0.0, -0.6),
        ),
        ArmPlace::OnKnee => (
            v3(-20.0, 350.0, 310.0),
            v3(0.9, 0.4, -0.3),
            v3(-0.25, 0.35, 0.9),
            v3(0.0, 1.0, -0.2),
        ),
    }
}

/// A position of the two legs: left, right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LegsPlace {
    Standing,
    Walking,
    Dancing,
    Sitting,
    Tree,
    Warrior,
}

/// Both legs in a position.
pub(crate) fn legs(place: LegsPlace, stream: &mut Stream) -> [Leg; 2] {
    let leg = |ankle, knee, toes| Leg { ankle, knee, toes };
    let ahead = v3(0.12, 0.0, 1.0);
    let toes = v3(0.34, 0.2, 1.0);
    let straight = leg(v3(14.0, 843.0, 0.0), ahead, toes);
    let mut pair = match place {
        LegsPlace::Standing => {
            let relaxed = leg(v3(70.0, 826.0, 50.0), v3(0.3, 0.0, 1.0), v3(0.62, 0.2, 1.0));
            [straight, if stream.chance(0.5) { relaxed } else { straight }]
        }
        LegsPlace::Walking => [
            leg(v3(-12.0, 790.0, 265.0), ahead, v3(0.08, -0.12, 1.0)),
            leg(v3(-8.0, 770.0, -285.0), ahead, v3(0.1, 0.75, 1.0)),
        ],
        LegsPlace::Dancing => [
            straight,
            leg(v3(215.0, 640.0, -110.0), v3(0.9, 0.0, 0.8), v3(0.75, 0.7, 0.2)),
        ],
        LegsPlace::Sitting => [
            leg(v3(46.0, 440.0, 390.0), v3(0.25, -0.9, 0.6), toes),
            leg(v3(60.0, 445.0, 370.0), v3(0.3, -0.9, 0.6), toes),
        ],
        LegsPlace::Tree => [
            straight,
            leg(v3(-58.0, 400.0, 72.0), v3(1.0, 0.1, 0.25), v3(-0.1, 0.97, 0.2)),
        ],
        LegsPlace::Warrior => [
            leg(v3(420.0, 640.0, 30.0), v3(1.0, -0.3, 0.3), v3(1.0, 0.12, 0.45)),
            leg(
                v3(-470.0 + 1040.0, 640.0, -20.0),
                v3(0.2, -0.3, 1.0),
                v3(0.5, 0.12, 1.0),
            ),
        ],
    };
    if stream.chance(0.5) && place != LegsPlace::Sitting {
        pair.swap(0, 1);
    }
    pair
}
