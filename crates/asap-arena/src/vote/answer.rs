//! What a rater says.

use serde::{Deserialize, Serialize};

use crate::campaign::Protocol;
use crate::item::Known;
use crate::refusal::Refusal;

/// A rater's answer and how it was given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vote {
    /// What was said.
    pub answer: Answer,
    /// From the moment when the images were shown, as the browser says.
    pub response_ms: u32,
    /// Whether the images were enlarged before.
    pub is_zoomed: bool,
}

/// What was said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// On two images.
    Rsi(PairChoice),
    /// On one image.
    Aer(ImageAnswer),
}

/// Which of two images is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PairChoice {
    /// The left one.
    Left,
    /// The right one.
    Right,
    /// Neither: both are good.
    BothGood,
    /// Neither: both are bad.
    BothBad,
    /// The rater cannot tell.
    CantTell,
}

/// Whether one image is plausible.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageAnswer {
    /// Whether it is.
    pub verdict: ImageVerdict,
    /// Where the error is and what it is; only with [`ImageVerdict::Fail`].
    pub defect: Option<Defect>,
}

/// Whether one image is plausible.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImageVerdict {
    /// It is.
    Pass,
    /// It has an anatomical error.
    Fail,
    /// The rater is not sure.
    Unsure,
}

/// An error that a rater points at. Everything about it may be left out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Defect {
    /// Where it is: x and y in shares of width and height, from the upper left corner.
    pub tap: Option<[f64; 2]>,
    /// The part of the body.
    pub part: Option<BodyPart>,
    /// What is wrong with it.
    pub error: Option<ErrorType>,
}

/// A part of the body, as the person in the image has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BodyPart {
    /// The left hand.
    LeftHand,
    /// The right hand.
    RightHand,
    /// The face.
    Face,
    /// An arm.
    Arm,
    /// A leg.
    Leg,
    /// A foot.
    Foot,
    /// Chest, belly or back.
    Torso,
}

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorType {
    /// One too many.
    Extra,
    /// One too few.
    Missing,
    /// Grown together.
    Fused,
    /// Bent as it cannot be.
    Bent,
    /// Out of proportion or shape.
    Distorted,
    /// Something else.
    Other,
}

/// How a rater did on an item whose answer is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Mark {
    /// The known answer was given.
    Right,
    /// No side was taken.
    Neither,
    /// The opposite was said.
    Wrong,
}

impl Mark {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Right => "right",
            Self::Neither => "neither",
            Self::Wrong => "wrong",
        }
    }
}

impl Vote {
    /// Whether it answers what was asked, with numbers in their ranges.
    pub(crate) fn check(&self, protocol: Protocol) -> Result<(), Refusal> {
        let refuse = |what, expected, got: String| Err(Refusal::Invalid { what, expected, got });
        match (&self.answer, protocol) {
            (Answer::Rsi(_), Protocol::Rsi) => Ok(()),
            (Answer::Aer(answer), Protocol::Aer) => {
                let Some(defect) = &answer.defect else {
                    return Ok(());
                };
                if answer.verdict != ImageVerdict::Fail {
                    return refuse(
                        "defect",
                        "none, or the verdict `fail`",
                        format!("{:?}", answer.verdict),
                    );
                }
                match defect.tap {
                    // A number that is none is in no range.
                    Some(tap) if !tap.iter().all(|share| (0.0..=1.0).contains(share)) => {
                        refuse("tap", "two numbers from 0 to 1", format!("{tap:?}"))
                    }
                    _ => Ok(()),
                }
            }
            (Answer::Rsi(_), Protocol::Aer) => refuse("answer", "one on a single image", "rsi".to_owned()),
            (Answer::Aer(_), Protocol::Rsi) => refuse("answer", "one on two images", "aer".to_owned()),
        }
    }

    /// How it compares with a known answer; the first image was on `side`.
    pub(crate) fn mark(&self, known: Known, side: crate::ballot::Side) -> Mark {
        use crate::ballot::Side;
        let (first, second) = match side {
            Side::Left => (PairChoice::Left, PairChoice::Right),
            Side::Right => (PairChoice::Right, PairChoice::Left),
        };
        let is_right = match (&self.answer, known) {
            (Answer::Rsi(choice), Known::FirstBetter) if *choice == first => true,
            (Answer::Rsi(choice), Known::SecondBetter) if *choice == second => true,
            (Answer::Aer(answer), Known::Pass) if answer.verdict == ImageVerdict::Pass => true,
            (Answer::Aer(answer), Known::Fail) if answer.verdict == ImageVerdict::Fail => true,
            _ => false,
        };
        let takes_side = match &self.answer {
            Answer::Rsi(choice) => [first, second].contains(choice),
            Answer::Aer(answer) => answer.verdict != ImageVerdict::Unsure,
        };
        match (is_right, takes_side) {
            (true, _) => Mark::Right,
            (false, true) => Mark::Wrong,
            (false, false) => Mark::Neither,
        }
    }
}
