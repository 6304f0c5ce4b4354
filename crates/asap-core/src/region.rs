//! Body regions.

use serde::{Deserialize, Serialize};

/// A side of the body, as its owner would name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The person's left.
    Left,
    /// The person's right.
    Right,
}

impl Side {
    /// Both sides, left first as in COCO-WholeBody.
    pub const BOTH: [Self; 2] = [Self::Left, Self::Right];

    /// The other side.
    pub const fn opposite(self) -> Self {
        match self {
            Self::Left => Self::Right,
            Self::Right => Self::Left,
        }
    }

    /// `left` or `right`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Right => "right",
        }
    }
}

/// A region of one body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Region {
    /// Left hand.
    LeftHand,
    /// Right hand.
    RightHand,
    /// Face and head.
    Face,
    /// Left arm without the hand.
    LeftArm,
    /// Right arm without the hand.
    RightArm,
    /// Left leg without the foot.
    LeftLeg,
    /// Right leg without the foot.
    RightLeg,
    /// Left foot.
    LeftFoot,
    /// Right foot.
    RightFoot,
    /// Neck, chest, belly, hips.
    Torso,
}

impl Region {
    /// All regions, in the order in which they are listed everywhere.
    pub const ALL: [Self; 10] = [
        Self::LeftHand,
        Self::RightHand,
        Self::Face,
        Self::LeftArm,
        Self::RightArm,
        Self::LeftLeg,
        Self::RightLeg,
        Self::LeftFoot,
        Self::RightFoot,
        Self::Torso,
    ];

    /// The name used in files, addresses and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::LeftHand => "left_hand",
            Self::RightHand => "right_hand",
            Self::Face => "face",
            Self::LeftArm => "left_arm",
            Self::RightArm => "right_arm",
            Self::LeftLeg => "left_leg",
            Self::RightLeg => "right_leg",
            Self::LeftFoot => "left_foot",
            Self::RightFoot => "right_foot",
            Self::Torso => "torso",
        }
    }

    /// The region of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|region| region.name() == name)
    }

    /// The hand of a side.
    pub const fn hand(side: Side) -> Self {
        match side {
            Side::Left => Self::LeftHand,
            Side::Right => Self::RightHand,
        }
    }

    /// The arm of a side.
    pub const fn arm(side: Side) -> Self {
        match side {
            Side::Left => Self::LeftArm,
            Side::Right => Self::RightArm,
        }
    }

    /// The leg of a side.
    pub const fn leg(side: Side) -> Self {
        match side {
            Side::Left => Self::LeftLeg,
            Side::Right => Self::RightLeg,
        }
    }

    /// The foot of a side.
    pub const fn foot(side: Side) -> Self {
        match side {
            Side::Left => Self::LeftFoot,
            Side::Right => Self::RightFoot,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_serialized_form() {
        for region in Region::ALL {
            assert_eq!(
                serde_json::to_string(&region).unwrap(),
                format!("\"{}\"", region.name())
            );
            assert_eq!(Region::from_name(region.name()), Some(region));
        }
    }
}
