//! Every operator through one check: counts, what must stay, determinism, recorded parameters.

use std::ops::RangeInclusive;

use asap_core::{Bone, Region, Severity, SkeletonGraph, Stream};

use super::fixture::person;
use super::{OPERATORS, Operator};
use crate::figure::{Category, sample_graph};

/// By how much an operator may change the numbers of nodes, bones and face features.
struct Change {
    nodes: RangeInclusive<i64>,
    bones: RangeInclusive<i64>,
    features: RangeInclusive<i64>,
}

const fn change(
    nodes: RangeInclusive<i64>,
    bones: RangeInclusive<i64>,
    features: RangeInclusive<i64>,
) -> Change {
    Change {
        nodes,
        bones,
        features,
    }
}

/// What is stated for an operator on a whole person.
fn stated(id: &str) -> Change {
    match id {
        "hand.extra_finger" => change(4..=12, 4..=12, 0..=0),
        "hand.missing_finger" => change(0..=0, -6..=-2, 0..=0),
        "hand.no_thumb" => change(0..=0, -3..=-1, 0..=0),
        "hand.split_finger" => change(2..=2, 2..=2, 0..=0),
        "hand.extra_phalanx" => change(1..=2, 1..=2, 0..=0),
        "hand.two_thumbs" => change(4..=4, 4..=4, 0..=0),
        "hand.duplicate" => change(21..=21, 21..=21, 0..=0),
        "hand.disconnected" => change(0..=0, -1..=-1, 0..=0),
        "hand.absent" => change(0..=0, -21..=-21, 0..=0),
        "face.third_eye" | "face.two_mouths" | "face.two_noses" => change(0..=0, 0..=0, 1..=1),
        "face.missing_eye" => change(0..=0, 0..=0, -2..=-1),
        "face.missing_nose" | "face.missing_mouth" => change(0..=0, 0..=0, -1..=-1),
        "arm.extra" => change(23..=23, 23..=23, 0..=0),
        "leg.extra" => change(5..=5, 5..=5, 0..=0),
        "arm.missing" => change(0..=0, -23..=-22, 0..=0),
        "leg.missing" => change(0..=0, -5..=-4, 0..=0),
        "joint.extra_elbow" => change(1..=1, 1..=1, 0..=0),
        "foot.absent" => change(0..=0, -3..=-3, 0..=0),
        _ => change(0..=0, 0..=0, 0..=0),
    }
}

/// The region of a node is that of the intact bone that ends there; the neck belongs to the torso.
fn node_regions(graph: &SkeletonGraph) -> Vec<Region> {
    (0..graph.nodes.len())
        .map(|node| {
            let bone = graph.bones.iter().find(|bone| bone.to == node);
            bone.map_or(Region::Torso, |bone| bone.segment.region())
        })
        .collect()
}

fn bones_outside(graph: &SkeletonGraph, regions: &[Region]) -> Vec<Bone> {
    let mut bones: Vec<Bone> = graph
        .bones
        .iter()
        .filter(|bone| !regions.contains(&bone.segment.region()))
        .copied()
        .collect();
    bones.sort_by_key(|bone| (bone.from, bone.to));
    bones
}

fn assert_rest_is_equal(before: &SkeletonGraph, after: &SkeletonGraph, regions: &[Region], what: &str) {
    for ((old, new), region) in before.nodes.iter().zip(&after.nodes).zip(node_regions(before)) {
        assert!(
            regions.contains(&region) || old == new,
            "{what}: {region:?} moved"
        );
    }
    assert_eq!(
        bones_outside(before, regions),
        bones_outside(after, regions),
        "{what}"
    );
    if !regions.contains(&Region::Face) {
        assert_eq!(before.face, after.face, "{what}");
    }
}

fn assert_is_sound(graph: &SkeletonGraph, what: &str) {
    for (idx, bone) in graph.bones.iter().enumerate() {
        let parent = graph.bones.iter().position(|parent| parent.to == bone.from);
        assert!(
            parent.is_none_or(|parent| parent < idx),
            "{what}: child before parent"
        );
    }
    let is_finite = |p: asap_core::Point| p.x.is_finite() && p.y.is_finite();
    assert!(
        graph
            .nodes
            .iter()
            .all(|node| is_finite(node.position) && node.radius > 0.0),
        "{what}"
    );
    assert!(
        graph
            .face
            .iter()
            .flat_map(|feature| &feature.points)
            .all(|&p| is_finite(p)),
        "{what}"
    );
    let skeleton = graph.to_skeleton();
    assert!(
        skeleton
            .keypoints()
            .iter()
            .all(|k| k.x.is_finite() && k.y.is_finite()),
        "{what}"
    );
}

/// Runs an operator on a graph with many seeds; returns how often it applied.
fn check(operator: &Operator, before: &SkeletonGraph, stated: Option<&Change>) -> usize {
    let mut n_applied = 0;
    for &severity in Severity::ALL {
        for seed in 0..16 {
            let what = format!("{} {severity:?} seed {seed}", operator.id);
            let run = || {
                let mut graph = before.clone();
                let edit = (operator.apply)(&mut graph, severity, &mut Stream::new(seed, operator.id));
                (graph, edit)
            };
            let (after, edit) = run();
            assert_eq!((&after, &edit), (&run().0, &run().1), "{what}: not deterministic");
            let Some(edit) = edit else {
                assert_eq!(&after, before, "{what}: changed without an edit");
                continue;
            };
            n_applied += 1;
            assert_ne!(&after, before, "{what}: an edit without a change");
            assert_eq!(edit.degradation.severity, severity);
            assert!(
                edit.parameters
                    .as_object()
                    .is_some_and(|fields| !fields.is_empty()),
                "{what}"
            );
            assert!(!edit.regions.is_empty(), "{what}");
            assert_rest_is_equal(before, &after, &edit.regions, &what);
            assert_is_sound(&after, &what);
            if let Some(stated) = stated {
                let grown = |new: usize, old: usize| new as i64 - old as i64;
                assert!(
                    stated
                        .nodes
                        .contains(&grown(after.nodes.len(), before.nodes.len())),
                    "{what}"
                );
                assert!(
                    stated
                        .bones
                        .contains(&grown(after.bones.len(), before.bones.len())),
                    "{what}"
                );
                assert!(
                    stated
                        .features
                        .contains(&grown(after.face.len(), before.face.len())),
                    "{what}"
                );
            }
        }
    }
    n_applied
}

#[test]
fn every_operator_does_what_is_stated_to_a_whole_person() {
    let person = person();
    for operator in OPERATORS {
        let n_applied = check(operator, &person, Some(&stated(operator.id)));
        assert_eq!(n_applied, 48, "`{}` must apply to a whole person", operator.id);
    }
}

#[test]
fn operators_work_on_sampled_people() {
    for category in Category::ALL {
        let mut stream = Stream::new(3, &format!("corrupt/{category:?}"));
        for _ in 0..3 {
            let graph = sample_graph(category, 512, &mut stream);
            for operator in OPERATORS {
                check(operator, &graph, None);
            }
        }
    }
}

#[test]
fn an_operator_leaves_a_body_without_its_part_untouched() {
    let mut torso = person();
    torso.bones.retain(|bone| bone.segment.region() == Region::Torso);
    torso.face.clear();
    for graph in [SkeletonGraph::default(), torso] {
        for operator in OPERATORS {
            assert_eq!(check(operator, &graph, None), 0, "`{}` found a part", operator.id);
        }
    }
}

#[test]
fn operators_can_follow_each_other() {
    for first in OPERATORS {
        for second in OPERATORS {
            let mut graph = person();
            let mut stream = Stream::new(11, "composed");
            (first.apply)(&mut graph, Severity::Gross, &mut stream).unwrap();
            let before = graph.clone();
            let edit = (second.apply)(&mut graph, Severity::Gross, &mut stream);
            let what = format!("{} then {}", first.id, second.id);
            assert_is_sound(&graph, &what);
            assert_eq!(edit.is_none(), graph == before, "{what}");
        }
    }
}

#[test]
fn ids_are_unique_and_found() {
    assert!(OPERATORS.len() >= 20);
    for (idx, operator) in OPERATORS.iter().enumerate() {
        let first = OPERATORS.iter().position(|other| other.id == operator.id);
        assert_eq!(first, Some(idx));
        assert_eq!(
            Operator::by_id(operator.id).map(Operator::label),
            Some(operator.label())
        );
    }
}
