//! What every figure must be, whatever its look.

use std::collections::{BTreeMap, BTreeSet};

use asap_core::skeleton::joint;
use asap_core::{
    Degradation, Finger, Kind, Part, Region, Scope, Segment, Severity, Side, SkeletonGraph, Stream,
};
use rayon::prelude::*;

use super::anatomy::{self, ELBOW, FINGER_LIMITS, KNEE, THUMB_LIMITS};
use super::draw::Drawn;
use super::job::{FigureJob, Options, build, plan};
use super::pose::{self, Category, Framing};
use super::reject;
use super::space::{V3, v3};
use crate::Error;
use crate::corrupt::{Edit, Operator};

const SIZE: u32 = 256;

fn jobs(n: usize) -> Vec<FigureJob> {
    plan(&Options {
        n,
        seed: 11,
        size: SIZE,
    })
}

/// Adds an index finger between the index and the middle finger of the first hand.
fn sixth_finger(graph: &mut SkeletonGraph, severity: Severity, _stream: &mut Stream) -> Option<Edit> {
    let side = *Side::BOTH
        .iter()
        .find(|&&side| graph.bone(Segment::Palm(side, Finger::Index)).is_some())?;
    let index = graph.bone(Segment::Palm(side, Finger::Index))?;
    let root = graph.bones[index].from;
    let pivot = graph.nodes[root].position;
    let added = graph.duplicate_subtree(index, root);
    let little = graph.bone(Segment::Palm(side, Finger::Little))?;
    let towards = |idx: usize| graph.nodes[graph.bones[idx].to].position - pivot;
    let (a, b) = (towards(index), towards(little));
    let turn = if a.x * b.y - a.y * b.x > 0.0 { -0.42 } else { 0.42 };
    graph.move_subtree(added[0], |p| p.rotated_about(pivot, turn));
    Some(Edit {
        degradation: Degradation {
            part: Part::Finger,
            kind: Kind::Extra,
            scope: Scope::Local,
            severity,
        },
        regions: vec![Region::hand(side)],
        parameters: serde_json::json!({"turn": turn}),
    })
}

const SIXTH: &[Operator] = &[Operator {
    id: "hand.sixth",
    version: 1,
    apply: sixth_finger,
}];

/// Pixels of each finger (side, finger, copy), without the palm.
fn finger_pixels(drawn: &Drawn) -> BTreeMap<(Side, Finger, u16), usize> {
    let mut counts = BTreeMap::new();
    for &id in drawn.ids.iter().filter(|&&id| id > 0) {
        if let Some((Segment::Phalanx(side, finger, _), copy)) =
            drawn.scene.parts[usize::from(id) - 1].piece.bone
        {
            *counts.entry((side, finger, copy)).or_insert(0) += 1;
        }
    }
    counts
}

#[test]
fn five_fingers_of_an_open_hand_can_be_counted_and_a_sixth_one_is_seen() {
    let mut n_hands = 0;
    for job in jobs(160)
        .iter()
        .filter(|job| job.category() == Category::BasicAnatomy)
    {
        let posed = job.posed();
        if posed.framing != Framing::HandClose {
            continue;
        }
        let stage = job.stage(&posed);
        let drawn = stage.draw(&posed.graph);
        let counts = finger_pixels(&drawn);
        for side in Side::BOTH {
            let n_px = |finger| counts.get(&(side, finger, 0)).copied();
            let visible: Vec<usize> = Finger::ALL.into_iter().filter_map(n_px).collect();
            assert!(visible.is_empty() || visible.len() == 5, "{job:?} {counts:?}");
            assert!(visible.iter().all(|&n| n >= 90), "{job:?} {counts:?}");
            n_hands += usize::from(!visible.is_empty());
        }
        let mut graph = posed.graph.clone();
        assert!(sixth_finger(&mut graph, Severity::Clear, &mut Stream::new(0, "")).is_some());
        let more = finger_pixels(&stage.draw(&graph));
        assert_eq!(more.len(), counts.len() + 1, "{job:?}");
        let added = more.iter().find(|((_, _, copy), _)| *copy > 0).map(|(_, n)| *n);
        assert!(added.unwrap() >= 90, "{job:?} {more:?}");
    }
    assert!(n_hands >= 3, "{n_hands}");
}

#[test]
fn drawing_the_window_of_change_alone_gives_the_whole_picture() {
    for (idx, job) in jobs(20).iter().enumerate() {
        let posed = job.posed();
        let stage = job.stage(&posed);
        let before = stage.draw(&posed.graph);
        let mut graph = posed.graph.clone();
        // A moved limb or finger: every bone in turn.
        let bone = idx * 7 % graph.bones.len();
        let pivot = graph.nodes[graph.bones[bone].from].position;
        graph.move_subtree(bone, |p| p.rotated_about(pivot, 0.3));
        let whole = stage.draw(&graph);
        let part = stage.redraw(&before, &graph);
        // A ray that grazes an edge may end on either side of it, so single pixels there may differ.
        let n_other = whole
            .image
            .pixels()
            .zip(part.image.pixels())
            .filter(|(a, b)| (0..3).any(|i| a.0[i].abs_diff(b.0[i]) > 2))
            .count();
        assert!(n_other <= 12, "{job:?} {:?} {n_other}", graph.bones[bone]);
        let regions = whole.regions();
        let n_other = regions.iter().zip(&part.regions).filter(|(a, b)| a != b).count();
        assert!(n_other <= 12, "{job:?} {:?} {n_other}", graph.bones[bone]);
    }
}

#[test]
fn a_pair_differs_in_its_budget_and_names_what_was_done() {
    let (mut n_pairs, mut n_larger) = (0, 0);
    for job in jobs(12) {
        let posed = job.posed();
        let stage = job.stage(&posed);
        let drawn = stage.draw(&posed.graph);
        let Some(pair) = reject::pair_with(SIXTH, &stage, &posed.graph, &drawn, job.slots()[0]) else {
            continue;
        };
        n_pairs += 1;
        let differs = |x, y| drawn.image.get_pixel(x, y) != pair.image.get_pixel(x, y);
        let outside = (0..SIZE)
            .flat_map(|y| (0..SIZE).map(move |x| (x, y)))
            .filter(|&(x, y)| differs(x, y) && !pair.budget.contains(x, y))
            .count();
        assert_eq!(outside, 0);
        assert!(
            pair.budget.area_px() < u64::from(SIZE * SIZE),
            "{:?}",
            pair.budget
        );
        assert!(!pair.part_preferred.union(&pair.part_rejected).is_empty());
        n_larger += usize::from(pair.part_rejected.area_px() > pair.part_preferred.area_px());
        assert_eq!(pair.provenance.operators, ["hand.sixth@1"]);
        assert_eq!(pair.provenance.seed, job.slots()[0]);
        let edits: serde_json::Value = serde_json::from_str(&pair.provenance.parameters).unwrap();
        assert_eq!(edits[0]["operator"], "hand.sixth");
    }
    assert!(n_pairs >= 4, "{n_pairs}");
    // A sixth finger may be folded over the others, but mostly a hand with one covers more.
    assert!(n_larger * 2 >= n_pairs, "{n_larger} of {n_pairs}");
}

#[test]
fn the_same_bytes_come_out_for_any_number_of_threads() {
    let jobs = jobs(6);
    let build_all = |n_threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(n_threads)
            .build()
            .unwrap();
        pool.install(|| {
            jobs.par_iter()
                .map(|job| build(job, &BTreeSet::new()).unwrap())
                .collect::<Vec<_>>()
        })
    };
    for (one, three) in build_all(1).into_iter().zip(build_all(3)) {
        assert_eq!(one.image, three.image);
        assert_eq!((one.prompt, one.skeletons), (three.prompt, three.skeletons));
        assert_eq!(one.pairs.len(), three.pairs.len());
        for (a, b) in one.pairs.iter().zip(&three.pairs) {
            assert_eq!((&a.image, &a.provenance), (&b.image, &b.provenance));
        }
    }
}

#[test]
fn slots_that_are_there_are_skipped_and_a_bad_size_is_refused() {
    let jobs = plan(&Options {
        n: 5,
        seed: 3,
        size: SIZE,
    });
    assert_eq!(
        jobs.iter().map(|job| job.slots().len()).collect::<Vec<_>>(),
        [2, 2, 1]
    );
    let all: BTreeSet<u64> = jobs[0].slots().iter().copied().collect();
    let draft = build(&jobs[0], &all).unwrap();
    assert!(draft.pairs.is_empty());
    assert_eq!(
        jobs[0].positive_id(),
        asap_core::PositiveId::new(&draft.source.name, &draft.recipe)
    );
    for size in [0, 255, 2049] {
        let options = Options { n: 1, seed: 3, size };
        let error = build(&plan(&options)[0], &BTreeSet::new()).unwrap_err();
        assert!(matches!(error, Error::Setting { name: "size", .. }), "{error}");
        assert!(options.check().is_err());
    }
}

/// The direction of a bone in space.
fn direction(graph: &SkeletonGraph, segment: Segment) -> Option<V3> {
    let bone = graph.bones[graph.bone(segment)?];
    let at = |idx: usize| {
        v3(
            graph.nodes[idx].position.x,
            graph.nodes[idx].position.y,
            graph.nodes[idx].z,
        )
    };
    Some(at(bone.to) - at(bone.from))
}

#[test]
fn joints_stay_within_their_limits_and_keypoints_where_they_belong() {
    let mut n_angles = 0;
    for idx in 0..500 {
        let category = Category::ALL[idx % 5];
        let posed = pose::sample(category, 512, &mut Stream::new(5, &format!("{idx}")));
        let graph = &posed.graph;
        let mut check = |a: Segment, b: Segment, low: f64, high: f64| {
            if let (Some(a_dir), Some(b_dir)) = (direction(graph, a), direction(graph, b)) {
                let angle = a_dir.angle_to(b_dir).to_degrees();
                assert!(
                    (low - 0.5..=high + 0.5).contains(&angle),
                    "{} {a:?} {b:?} {angle}",
                    posed.activity
                );
                n_angles += 1;
            }
        };
        for side in Side::BOTH {
            check(
                Segment::UpperArm(side),
                Segment::Forearm(side),
                0.0,
                ELBOW.high_deg,
            );
            check(Segment::Thigh(side), Segment::Shin(side), 0.0, KNEE.high_deg);
            for finger in [Finger::Index, Finger::Middle, Finger::Ring, Finger::Little] {
                check(
                    Segment::Phalanx(side, finger, 0),
                    Segment::Phalanx(side, finger, 1),
                    0.0,
                    FINGER_LIMITS[1].high_deg,
                );
                check(
                    Segment::Phalanx(side, finger, 1),
                    Segment::Phalanx(side, finger, 2),
                    0.0,
                    FINGER_LIMITS[2].high_deg,
                );
            }
            for (step, limits) in THUMB_LIMITS.iter().enumerate() {
                let bone = |step: usize| Segment::Phalanx(side, Finger::Thumb, step as u8);
                check(bone(step), bone(step + 1), 0.0, limits.high_deg);
            }
            for finger in Finger::ALL {
                for (step, length) in anatomy::finger_bones_mm(finger).into_iter().enumerate() {
                    if let Some(bone) = direction(graph, Segment::Phalanx(side, finger, step as u8)) {
                        let drawn = bone.length() / posed.scale / anatomy::HAND_SCALE;
                        assert!((drawn - length).abs() < 1e-6, "{drawn} {length}");
                    }
                }
            }
        }
        let skeleton = graph.to_skeleton();
        if let Some(neck) = skeleton.neck() {
            assert!(
                neck.distance(graph.nodes[0].position) < 1e-3,
                "the neck is between the shoulders"
            );
        }
        if posed.framing != Framing::HandClose {
            assert!(skeleton.seen(joint::NOSE).is_some());
            assert!(skeleton.face().iter().all(asap_core::Keypoint::is_seen));
        }
    }
    assert!(n_angles > 5000, "{n_angles}");
}

#[test]
fn samples_cover_the_categories_and_show_large_hands() {
    let mut activities = BTreeSet::new();
    let (mut n_large, mut n_seen) = (0, 0);
    for idx in 0..300 {
        let category = Category::ALL[idx % 5];
        let posed = pose::sample(category, 512, &mut Stream::new(9, &format!("{idx}")));
        assert_eq!(posed.category, category);
        activities.insert((category, posed.activity));
        let skeleton = posed.graph.to_skeleton();
        let side_px = |side: Side| {
            let seen: Vec<f64> = skeleton
                .hand(side)
                .iter()
                .filter(|k| k.is_seen())
                .map(|k| f64::from(k.x))
                .collect();
            let rows: Vec<f64> = skeleton
                .hand(side)
                .iter()
                .filter(|k| k.is_seen())
                .map(|k| f64::from(k.y))
                .collect();
            let span = |v: &[f64]| {
                v.iter().copied().fold(f64::NEG_INFINITY, f64::max)
                    - v.iter().copied().fold(f64::INFINITY, f64::min)
            };
            (!seen.is_empty()).then(|| span(&seen).max(span(&rows)))
        };
        if let Some(largest) = Side::BOTH.into_iter().filter_map(side_px).reduce(f64::max) {
            n_seen += 1;
            n_large += usize::from(largest >= 64.0);
        }
    }
    assert!(activities.len() >= 25, "{activities:?}");
    assert!(
        n_large * 10 >= n_seen * 7,
        "{n_large} of {n_seen} hands are 64 pixels or more"
    );
}
