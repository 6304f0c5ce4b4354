//! Rejected pictures: the same stage, a corrupted graph.

use asap_core::{BoxPx, Degradation, Mask, Mechanism, Provenance, Region, Severity, SkeletonGraph, Stream};
use serde_json::{Value, json};

use super::draw::{Drawn, Stage, region_code};
use super::job::canonical;
use crate::DraftPair;
use crate::corrupt::{OPERATORS, Operator};

/// How often another operator is tried before a slot is given up.
const MAX_TRIES: usize = 16;
/// The smallest visible change, as a share of the picture.
const MIN_CHANGED_SHARE: f64 = 0.0008;

/// A corrupted body with what was done to it.
struct Corrupted {
    graph: SkeletonGraph,
    operators: Vec<String>,
    edits: Vec<Value>,
    regions: Vec<Region>,
    degradations: Vec<Degradation>,
}

/// The pair of a slot; `None` if nothing that was tried can be seen.
pub(crate) fn pair(stage: &Stage, graph: &SkeletonGraph, preferred: &Drawn, slot: u64) -> Option<DraftPair> {
    pair_with(OPERATORS, stage, graph, preferred, slot)
}

/// [`pair`] with a choice of operators.
pub(crate) fn pair_with(
    operators: &[Operator],
    stage: &Stage,
    graph: &SkeletonGraph,
    preferred: &Drawn,
    slot: u64,
) -> Option<DraftPair> {
    let mut stream = Stream::new(slot, "figure/negative");
    (0..MAX_TRIES).find_map(|_| {
        let corrupted = corrupt(operators, graph, &mut stream)?;
        draw(stage, preferred, corrupted, slot)
    })
}

/// Hands weigh six tenths, faces and bodies two tenths each.
fn draw_operator<'a>(operators: &'a [Operator], stream: &mut Stream) -> Option<&'a Operator> {
    let group = match stream.unit() {
        share if share < 0.6 => 0,
        share if share < 0.8 => 1,
        _ => 2,
    };
    let of_group = |operator: &&Operator| match operator.id.split('.').next() {
        Some("hand") => group == 0,
        Some("face") => group == 1,
        _ => group == 2,
    };
    let choice: Vec<&Operator> = operators.iter().filter(of_group).collect();
    (!choice.is_empty()).then(|| *stream.choose(&choice))
}

/// A body with one error, or two where the first is slight.
fn corrupt(operators: &[Operator], graph: &SkeletonGraph, stream: &mut Stream) -> Option<Corrupted> {
    let mut corrupted = Corrupted {
        graph: graph.clone(),
        operators: Vec::new(),
        edits: Vec::new(),
        regions: Vec::new(),
        degradations: Vec::new(),
    };
    let severity = match stream.unit() {
        share if share < 0.25 => Severity::Slight,
        share if share < 0.7 => Severity::Clear,
        _ => Severity::Gross,
    };
    let n_wanted = if severity == Severity::Slight && stream.chance(0.5) {
        2
    } else {
        1
    };
    for _ in 0..MAX_TRIES {
        let Some(operator) = draw_operator(operators, stream) else {
            continue;
        };
        let label = format!("{}@{}", operator.id, operator.version);
        if corrupted.operators.contains(&label) {
            continue;
        }
        let Some(edit) = (operator.apply)(&mut corrupted.graph, severity, stream) else {
            continue;
        };
        corrupted.operators.push(label);
        corrupted.edits.push(json!({
            "operator": operator.id,
            "parameters": edit.parameters,
            "severity": severity.name(),
        }));
        corrupted.regions.extend(edit.regions);
        corrupted.degradations.push(edit.degradation);
        if corrupted.operators.len() == n_wanted {
            break;
        }
    }
    corrupted.regions.sort();
    corrupted.regions.dedup();
    (!corrupted.operators.is_empty()).then_some(corrupted)
}

fn draw(stage: &Stage, preferred: &Drawn, corrupted: Corrupted, slot: u64) -> Option<DraftPair> {
    let rejected = stage.redraw(preferred, &corrupted.graph);
    let size = stage.size;
    let changed = Mask::from_fn(size, size, |x, y| {
        preferred.image.get_pixel(x, y) != rejected.image.get_pixel(x, y)
    });
    if changed.area_share() < MIN_CHANGED_SHARE {
        return None;
    }
    let budget: BoxPx = changed.bounds()?;
    Some(DraftPair {
        budget,
        part_preferred: part(&preferred.regions(), &corrupted.regions, size),
        part_rejected: part(&rejected.regions, &corrupted.regions, size),
        image: rejected.image,
        regions: corrupted.regions,
        degradations: corrupted.degradations,
        mechanism: Mechanism::SkeletonSpace,
        rejected_skeletons: vec![corrupted.graph.to_skeleton()],
        provenance: Provenance {
            operators: corrupted.operators,
            parameters: canonical(&Value::Array(corrupted.edits)),
            seed: slot,
            code_version: env!("CARGO_PKG_VERSION").to_owned(),
        },
    })
}

/// The pixels of some regions.
fn part(codes: &[u8], regions: &[Region], size: u32) -> Mask {
    let wanted: Vec<u8> = regions.iter().map(|&region| region_code(region)).collect();
    Mask::from_fn(size, size, |x, y| {
        wanted.contains(&codes[(y * size + x) as usize])
    })
}
