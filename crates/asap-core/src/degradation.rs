//! The taxonomy of anatomical errors: part x kind x scope, with a severity.
//!
//! Three closed axes instead of one list, so that the classes of other data sets (AbHuman, HADM,
//! HumanCalibrator, Distortion-5K) can be derived from them.

use serde::{Deserialize, Serialize};

macro_rules! named_enum {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $text)] $variant,)+
        }

        impl $name {
            /// Every value, in the order of the taxonomy.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The name used in files, addresses and tables.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            /// The value of that name.
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.name() == name)
            }
        }
    };
}

named_enum! {
    /// The part of the body that is wrong.
    Part {
        /// The face as a whole.
        Face = "face",
        /// An eye.
        Eye = "eye",
        /// An ear.
        Ear = "ear",
        /// The nose.
        Nose = "nose",
        /// The mouth.
        Mouth = "mouth",
        /// The neck or the whole head on it.
        Neck = "neck",
        /// The torso.
        Torso = "torso",
        /// An arm.
        Arm = "arm",
        /// An elbow.
        Elbow = "elbow",
        /// A wrist.
        Wrist = "wrist",
        /// A hand.
        Hand = "hand",
        /// A finger other than the thumb.
        Finger = "finger",
        /// A thumb.
        Thumb = "thumb",
        /// A leg.
        Leg = "leg",
        /// A knee.
        Knee = "knee",
        /// A foot.
        Foot = "foot",
        /// Several people at once.
        Multi = "multi",
    }
}
named_enum! {
    /// What is wrong with it.
    Kind {
        /// One too many.
        Extra = "extra",
        /// One too few.
        Missing = "missing",
        /// Two grown together.
        Fused = "fused",
        /// One forked into two.
        Split = "split",
        /// In the wrong place.
        Misplaced = "misplaced",
        /// Two exchanged.
        Swapped = "swapped",
        /// Left for right.
        Mirrored = "mirrored",
        /// Too long or too short, too large or too small.
        WrongLength = "wrong_length",
        /// Too thick or too thin.
        WrongThickness = "wrong_thickness",
        /// Bent where or how it cannot bend.
        WrongJoint = "wrong_joint",
        /// Turned about its own axis.
        Twisted = "twisted",
        /// Not joined to the body, or joined at the wrong place.
        Disconnected = "disconnected",
        /// Run into an object.
        MergedWithObject = "merged_with_object",
        /// Texture without structure.
        MeltedTexture = "melted_texture",
        /// The two sides do not match.
        Asymmetric = "asymmetric",
    }
}
named_enum! {
    /// Whether the error is seen in the part alone or only against the whole body.
    Scope {
        /// In the part alone.
        Local = "local",
        /// Against the whole body.
        Global = "global",
    }
}
named_enum! {
    /// How strong the error is.
    Severity {
        /// Seen on a second look.
        Slight = "slight",
        /// Seen at once.
        Clear = "clear",
        /// Seen in a thumbnail.
        Gross = "gross",
    }
}
named_enum! {
    /// Where the error was made (§4.1 of the paper).
    Mechanism {
        /// In the pixels of a finished image.
        ImageSpace = "image_space",
        /// In the skeleton that an image is rendered or generated from.
        SkeletonSpace = "skeleton_space",
    }
}

impl Severity {
    /// 1 to 3.
    pub const fn level(self) -> u8 {
        self as u8 + 1
    }
}

/// One labelled error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Degradation {
    /// What part.
    pub part: Part,
    /// What is wrong.
    pub kind: Kind,
    /// Local or global.
    pub scope: Scope,
    /// How strong.
    pub severity: Severity,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_serialized_form() {
        for &kind in Kind::ALL {
            assert_eq!(
                serde_json::to_string(&kind).unwrap(),
                format!("\"{}\"", kind.name())
            );
            assert_eq!(Kind::from_name(kind.name()), Some(kind));
        }
        assert_eq!(Severity::Gross.level(), 3);
    }
}
