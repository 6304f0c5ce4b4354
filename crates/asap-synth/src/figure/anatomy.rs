//! Lengths, thicknesses and joint limits of an adult body, in millimetres and degrees.
//!
//! Hand bones are the means of Buryanov and Kotiuk (2010). The body is about 7.5 heads tall.

use asap_core::Finger;

/// Metacarpal, then the phalanges from the palm outwards; the thumb has two phalanges, and its
/// metacarpal is free, so it is listed as the first of its three movable bones.
pub(crate) const fn finger_bones_mm(finger: Finger) -> [f64; 3] {
    match finger {
        Finger::Thumb => [46.2, 31.6, 21.7],
        Finger::Index => [39.8, 22.4, 15.8],
        Finger::Middle => [44.6, 26.3, 17.4],
        Finger::Ring => [41.4, 25.7, 17.3],
        Finger::Little => [32.7, 18.1, 16.0],
    }
}

/// Carpal bones between the hand root and the metacarpals.
pub(crate) const CARPUS_MM: f64 = 20.0;

/// From the hand root to the first joint of a finger: carpus and metacarpal; for the thumb the carpus
/// alone, across the hand.
pub(crate) const fn palm_bone_mm(finger: Finger) -> f64 {
    CARPUS_MM
        + match finger {
            Finger::Thumb => 10.0,
            Finger::Index => 68.1,
            Finger::Middle => 64.6,
            Finger::Ring => 58.0,
            Finger::Little => 53.7,
        }
}

/// The angle of a palm bone from the axis of the hand, positive towards the thumb.
pub(crate) const fn palm_angle_deg(finger: Finger) -> f64 {
    match finger {
        Finger::Thumb => 48.0,
        Finger::Index => 16.5,
        Finger::Middle => 2.5,
        Finger::Ring => -12.0,
        Finger::Little => -26.5,
    }
}

/// Half the thickness at the four joints of a finger: about 0.5 of the joint spacing at its base to
/// 0.38 at its tip.
pub(crate) const fn finger_radii_mm(finger: Finger) -> [f64; 4] {
    match finger {
        Finger::Thumb => [16.0, 13.2, 11.2, 8.6],
        Finger::Index => [11.2, 9.6, 8.4, 7.0],
        Finger::Middle => [11.2, 9.8, 8.6, 7.2],
        Finger::Ring => [11.0, 9.3, 8.2, 6.9],
        Finger::Little => [10.4, 8.2, 7.2, 6.1],
    }
}

/// Smallest and largest angle of a joint, flexion positive.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Limits {
    pub(crate) low_deg: f64,
    pub(crate) high_deg: f64,
}

const fn limits(low_deg: f64, high_deg: f64) -> Limits {
    Limits { low_deg, high_deg }
}

/// Flexion of the knuckle, the middle and the last joint of a finger.
pub(crate) const FINGER_LIMITS: [Limits; 3] = [limits(-30.0, 90.0), limits(-5.0, 110.0), limits(-10.0, 80.0)];
/// Flexion of the two outer joints of the thumb.
pub(crate) const THUMB_LIMITS: [Limits; 2] = [limits(0.0, 60.0), limits(-10.0, 80.0)];
/// Sideways movement of a finger at its knuckle.
pub(crate) const ABDUCTION: Limits = limits(-20.0, 20.0);
/// Elbow flexion.
pub(crate) const ELBOW: Limits = limits(0.0, 150.0);
/// Knee flexion.
pub(crate) const KNEE: Limits = limits(0.0, 140.0);
/// The angle between forearm and hand, whatever its direction.
pub(crate) const WRIST_MAX_DEG: f64 = 70.0;
/// Turn of the head to either side.
pub(crate) const NECK_YAW_MAX_DEG: f64 = 75.0;

impl Limits {
    /// The angle cut to the limits.
    pub(crate) fn clamp(self, deg: f64) -> f64 {
        deg.clamp(self.low_deg, self.high_deg)
    }

    /// Whether the angle lies within the limits, with a tolerance for rounding.
    #[cfg(test)]
    pub(crate) fn allows(self, deg: f64) -> bool {
        deg >= self.low_deg - 0.5 && deg <= self.high_deg + 0.5
    }
}

/// From the neck (the middle of the shoulders) down to the middle of the hips.
pub(crate) const SPINE_MM: f64 = 490.0;
/// From the middle of the body to a shoulder joint.
pub(crate) const SHOULDER_MM: f64 = 160.0;
/// From the middle of the body to a hip joint.
pub(crate) const HIP_MM: f64 = 84.0;
/// Upper arm and forearm.
pub(crate) const ARM_MM: [f64; 2] = [288.0, 252.0];
/// From the wrist to the hand root.
pub(crate) const WRIST_MM: f64 = 14.0;
/// Thigh and shin.
pub(crate) const LEG_MM: [f64; 2] = [432.0, 418.0];
/// From the neck up to the middle of the head.
pub(crate) const HEAD_UP_MM: f64 = 192.0;
/// Hands are drawn a little larger than life, as illustrators do, so that fingers can be counted.
pub(crate) const HAND_SCALE: f64 = 1.1;

/// Half thicknesses of the body at its joints.
pub(crate) mod radius_mm {
    pub(crate) const NECK: f64 = 56.0;
    pub(crate) const SHOULDER: f64 = 48.0;
    pub(crate) const ELBOW: f64 = 38.0;
    pub(crate) const WRIST: f64 = 27.0;
    pub(crate) const HAND_ROOT: f64 = 23.0;
    pub(crate) const HIP: f64 = 80.0;
    pub(crate) const KNEE: f64 = 56.0;
    pub(crate) const ANKLE: f64 = 37.0;
    pub(crate) const HEEL: f64 = 30.0;
    pub(crate) const TOE: f64 = 24.0;
    pub(crate) const HEAD: f64 = 76.0;
    pub(crate) const EYE: f64 = 14.0;
    pub(crate) const EAR: f64 = 18.0;
}
