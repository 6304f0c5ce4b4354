//! Random plausible people: a category, what somebody does in it, and the camera that looks at it.

use asap_core::{SkeletonGraph, Stream};

use super::body::{self, Arm, Extent, Stance};
use super::camera;
use super::gesture::Gesture;
use super::head::FaceShape;
use super::space::Frame;
use super::stances::{self, ArmPlace, LegsPlace};

/// The five categories of HAF-Bench.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Category {
    /// Plain hands and faces.
    BasicAnatomy,
    /// Hands that say something.
    SemanticGestures,
    /// Hands on one's own body.
    SelfInteraction,
    /// Hands that hold something.
    ObjectInteraction,
    /// The whole body.
    FullBody,
}

impl Category {
    /// Every category, in the paper's order.
    pub const ALL: [Self; 5] = [
        Self::BasicAnatomy,
        Self::SemanticGestures,
        Self::SelfInteraction,
        Self::ObjectInteraction,
        Self::FullBody,
    ];

    /// The name used in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::BasicAnatomy => "basic_anatomy",
            Self::SemanticGestures => "semantic_gestures",
            Self::SelfInteraction => "self_interaction",
            Self::ObjectInteraction => "object_interaction",
            Self::FullBody => "full_body",
        }
    }
}

/// How near the camera is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Framing {
    /// Hands alone.
    HandClose,
    /// Head and shoulders.
    Portrait,
    /// From the waist up.
    HalfBody,
    /// Head to feet.
    FullBody,
}

impl Framing {
    /// The name used in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::HandClose => "hand_close",
            Self::Portrait => "portrait",
            Self::HalfBody => "half_body",
            Self::FullBody => "full_body",
        }
    }
}

/// A thing in a hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Thing {
    /// A cup without a handle.
    Cup,
    /// A ball.
    Ball,
    /// A phone.
    Phone,
    /// An umbrella.
    Umbrella,
    /// A book.
    Book,
    /// A pencil.
    Pencil,
}

impl Thing {
    /// Every thing.
    pub const ALL: [Self; 6] = [
        Self::Cup,
        Self::Ball,
        Self::Phone,
        Self::Umbrella,
        Self::Book,
        Self::Pencil,
    ];

    /// The name used in captions.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cup => "cup",
            Self::Ball => "ball",
            Self::Phone => "phone",
            Self::Umbrella => "umbrella",
            Self::Book => "book",
            Self::Pencil => "pencil",
        }
    }

    const fn gesture(self) -> Gesture {
        match self {
            Self::Cup | Self::Ball => Gesture::Grip,
            Self::Phone | Self::Book => Gesture::Flat,
            Self::Umbrella => Gesture::RodGrip,
            Self::Pencil => Gesture::Pinch,
        }
    }
}

/// A person in pixels, with what a caption and a renderer must know beside the graph.
#[derive(Clone, Debug)]
pub struct Posed {
    /// The body.
    pub graph: SkeletonGraph,
    /// Its category.
    pub category: Category,
    /// What the person does, a key of the caption file.
    pub activity: &'static str,
    /// How near the camera is.
    pub framing: Framing,
    /// What a hand holds: the thing and the hand's side.
    pub thing: Option<(Thing, asap_core::Side)>,
    /// Whether the person sits on something.
    pub is_seated: bool,
    /// Whether both legs hang straight down, so that a skirt would fit.
    pub is_upright: bool,
    /// Pixels in a millimetre.
    pub scale: f64,
}

/// A random plausible body for a category, in pixels of a square picture of `size` columns.
///
/// The graph carries the COCO-WholeBody index of every joint; a close-up has forearms alone. Nothing but
/// the stream is random.
pub fn sample_graph(category: Category, size: u32, stream: &mut Stream) -> SkeletonGraph {
    sample(category, size, stream).graph
}

/// A random plausible person, see [`sample_graph`].
pub fn sample(category: Category, size: u32, stream: &mut Stream) -> Posed {
    let plan = match category {
        Category::BasicAnatomy => basic_anatomy(stream),
        Category::SemanticGestures => semantic_gesture(stream),
        Category::SelfInteraction => self_interaction(stream),
        Category::ObjectInteraction => object_interaction(stream),
        Category::FullBody => full_body(stream),
    };
    let stance = stance(&plan, stream);
    let mut graph = body::assemble(&stance);
    let scale = camera::aim(&mut graph, plan.framing, f64::from(size), stream);
    camera::drop_unseen(&mut graph, f64::from(size));
    Posed {
        graph,
        category,
        activity: plan.activity,
        framing: plan.framing,
        thing: plan.thing,
        is_seated: plan.legs == LegsPlace::Sitting,
        is_upright: plan.legs == LegsPlace::Standing,
        scale,
    }
}

/// What is drawn before the numbers are.
struct Plan {
    activity: &'static str,
    framing: Framing,
    extent: Extent,
    /// Left, right.
    arms: [(ArmPlace, Gesture); 2],
    legs: LegsPlace,
    thing: Option<(Thing, asap_core::Side)>,
    /// Largest turn of the torso in degrees.
    turn: f64,
}

const HANGING: (ArmPlace, Gesture) = (ArmPlace::Hanging, Gesture::Relaxed);

impl Plan {
    fn half_body(activity: &'static str, arms: [(ArmPlace, Gesture); 2]) -> Self {
        Self {
            activity,
            framing: Framing::HalfBody,
            extent: Extent::Whole,
            arms,
            legs: LegsPlace::Standing,
            thing: None,
            turn: 14.0,
        }
    }

    /// Hands alone; `shown` says which.
    fn hand_close(activity: &'static str, shown: [bool; 2], arm: (ArmPlace, Gesture)) -> Self {
        Self {
            framing: Framing::HandClose,
            extent: Extent::Forearms(shown),
            ..Self::half_body(activity, [arm; 2])
        }
    }
}

/// One arm does something and the other hangs, on a random side.
fn one_arm(arm: (ArmPlace, Gesture), stream: &mut Stream) -> [(ArmPlace, Gesture); 2] {
    if stream.chance(0.5) {
        [arm, HANGING]
    } else {
        [HANGING, arm]
    }
}

fn one_hand(stream: &mut Stream) -> [bool; 2] {
    let left = stream.chance(0.5);
    [left, !left]
}

fn basic_anatomy(stream: &mut Stream) -> Plan {
    let open = (ArmPlace::Presented, Gesture::Open);
    match stream.below(10) {
        0..3 => Plan::hand_close("open_hand", one_hand(stream), open),
        3..5 => Plan::hand_close("open_hands", [true; 2], open),
        5..7 => Plan::half_body("both_palms", [(ArmPlace::Raised, Gesture::Open); 2]),
        7 => Plan {
            framing: Framing::Portrait,
            ..Plan::half_body("portrait", [HANGING; 2])
        },
        _ => Plan::half_body("palm", one_arm((ArmPlace::Raised, Gesture::Open), stream)),
    }
}

fn semantic_gesture(stream: &mut Stream) -> Plan {
    let (activity, gesture) = *stream.choose(&[
        ("thumb_up", Gesture::ThumbUp),
        ("victory", Gesture::Victory),
        ("okay", Gesture::Okay),
        ("point", Gesture::Point),
        ("three", Gesture::Three),
        ("four", Gesture::Four),
        ("five", Gesture::Open),
        ("wave", Gesture::Open),
        ("fist", Gesture::Fist),
        ("horns", Gesture::Horns),
        ("call_me", Gesture::CallMe),
    ]);
    let place = match gesture {
        Gesture::ThumbUp => ArmPlace::ThumbUp,
        _ if stream.chance(0.5) => ArmPlace::Raised,
        _ => ArmPlace::Presented,
    };
    if stream.chance(0.45) {
        Plan::hand_close(activity, one_hand(stream), (place, gesture))
    } else {
        Plan::half_body(activity, one_arm((place, gesture), stream))
    }
}

fn self_interaction(stream: &mut Stream) -> Plan {
    let relaxed = |place| (place, Gesture::Relaxed);
    let flat = |place| (place, Gesture::Flat);
    match stream.below(7) {
        0 => Plan::half_body("hand_on_hip", one_arm(flat(ArmPlace::OnHip), stream)),
        1 => Plan::half_body("hands_on_hips", [flat(ArmPlace::OnHip); 2]),
        2 => Plan::half_body("hand_to_chin", one_arm((ArmPlace::ToChin, Gesture::Fist), stream)),
        3 => Plan::half_body("hand_on_heart", one_arm(flat(ArmPlace::OnHeart), stream)),
        4 => Plan::half_body(
            "arms_crossed",
            [flat(ArmPlace::CrossedUnder), flat(ArmPlace::CrossedOver)],
        ),
        5 => Plan::half_body(
            "hands_clasped",
            [relaxed(ArmPlace::ClaspedUnder), relaxed(ArmPlace::ClaspedOver)],
        ),
        _ => Plan::half_body("hand_on_cheek", one_arm(relaxed(ArmPlace::OnCheek), stream)),
    }
}

fn object_interaction(stream: &mut Stream) -> Plan {
    let thing = *stream.choose(&Thing::ALL);
    let place = match thing {
        Thing::Pencil => ArmPlace::Presented,
        Thing::Umbrella => ArmPlace::HoldingUp,
        _ => ArmPlace::Holding,
    };
    let arm = (place, thing.gesture());
    let shown = one_hand(stream);
    let side = if shown[0] {
        asap_core::Side::Left
    } else {
        asap_core::Side::Right
    };
    let mut plan = if stream.chance(0.35) {
        Plan::hand_close("hold", shown, arm)
    } else {
        Plan::half_body("hold", if shown[0] { [arm, HANGING] } else { [HANGING, arm] })
    };
    plan.thing = Some((thing, side));
    plan
}

fn full_body(stream: &mut Stream) -> Plan {
    let raised = (ArmPlace::Raised, Gesture::Open);
    let overhead = (ArmPlace::Overhead, Gesture::Open);
    let sideways = (ArmPlace::Sideways, Gesture::Flat);
    let swung = |place| (place, Gesture::Relaxed);
    let (activity, legs, arms, turn) = match stream.below(6) {
        0 => ("stand", LegsPlace::Standing, one_arm(raised, stream), 16.0),
        1 => (
            "walk",
            LegsPlace::Walking,
            [swung(ArmPlace::SwungBack), swung(ArmPlace::SwungForward)],
            45.0,
        ),
        2 => ("dance", LegsPlace::Dancing, [overhead, sideways], 15.0),
        3 => (
            "sit",
            LegsPlace::Sitting,
            [(ArmPlace::OnKnee, Gesture::Flat); 2],
            38.0,
        ),
        4 => ("tree", LegsPlace::Tree, [overhead; 2], 10.0),
        _ => ("warrior", LegsPlace::Warrior, [sideways; 2], 6.0),
    };
    Plan {
        framing: Framing::FullBody,
        legs,
        turn,
        ..Plan::half_body(activity, arms)
    }
}

fn stance(plan: &Plan, stream: &mut Stream) -> Stance {
    let way = if stream.chance(0.5) { 1.0 } else { -1.0 };
    let turn = match plan.activity {
        // A stride and a seat are read from the side.
        "walk" | "sit" => way * stream.between(plan.turn * 0.75, plan.turn),
        _ => stream.between(-plan.turn, plan.turn),
    };
    let torso = Frame::PICTURE.turned(turn, stream.between(-1.0, 4.0), stream.between(-3.0, 3.0));
    let head_turn = turn * 0.5 + stream.between(-12.0, 12.0);
    let head_turn = head_turn.clamp(
        turn - super::anatomy::NECK_YAW_MAX_DEG,
        turn + super::anatomy::NECK_YAW_MAX_DEG,
    );
    let head = Frame::PICTURE.turned(head_turn, stream.between(-4.0, 7.0), stream.between(-7.0, 7.0));
    let mut arms: [Arm; 2] = plan
        .arms
        .map(|(place, gesture)| stances::arm(place, gesture, stream));
    if plan.extent != Extent::Whole {
        spread_for_close_up(&mut arms, plan.extent);
    }
    Stance {
        extent: plan.extent,
        torso,
        head,
        arms,
        legs: stances::legs(plan.legs, stream),
        face: FaceShape::sample(stream),
        build: stream.between(0.93, 1.06),
    }
}

/// Two hands of a close-up stand apart, so that their fingers do not overlap.
fn spread_for_close_up(arms: &mut [Arm; 2], extent: Extent) {
    if extent == Extent::Forearms([true; 2]) {
        for arm in arms {
            arm.wrist.x = -35.0;
            arm.elbow = super::space::v3(0.55, 1.0, -0.2);
        }
    }
}
