//! Draws the operators of a slot: one, or a few small ones until the error is as strong as it should be.

use asap_core::{BoxPx, Severity, Stream};
use serde_json::Value;

use super::canvas::{Plane, Rgb};
use super::face::FaceScene;
use super::hand::{Decline, HandScene};
use super::layers::noise;
use super::operators::{Apply, Canvas, OPERATORS, Operator, by_severity};

/// At most this many operators make one rejected image.
const MAX_OPERATORS: usize = 3;
/// A pixel counts as changed when a channel differs by more grey levels.
const CHANGED_LEVELS: f32 = 10.0;
/// Less than this share of a hand is no visible error.
const MIN_CHANGED_SHARE_OF_HAND: f64 = 0.025;
/// Less than this share of a face is none: eyes are small, but everybody looks at them.
const MIN_CHANGED_SHARE_OF_FACE: f64 = 0.008;
/// Less than this many pixels is none either.
const MIN_CHANGED_PX: usize = 40;

/// A part that was taken apart.
pub(crate) enum Scene {
    /// A hand.
    Hand(HandScene),
    /// A face.
    Face(FaceScene),
}

/// What names a slot: the order of operators is drawn for the part, the rest for the slot.
pub(crate) struct SlotKey {
    /// The role of the stream that shuffles the operators of the part.
    pub(crate) order_role: String,
    /// Its seed.
    pub(crate) order_seed: u64,
    /// The slot among those of the part.
    pub(crate) slot: usize,
    /// The seed of the slot.
    pub(crate) seed: u64,
}

/// An edited part.
pub(crate) struct Composed {
    /// Pixels and alpha.
    pub(crate) canvas: Canvas,
    /// What was applied, in order.
    pub(crate) operators: Vec<&'static Operator>,
    /// How strong it is.
    pub(crate) severity: Severity,
    /// All parameters as canonical JSON.
    pub(crate) parameters: String,
}

impl Scene {
    /// The crop and the budget in the picture.
    pub(crate) fn boxes(&self) -> (BoxPx, BoxPx) {
        match self {
            Self::Hand(hand) => (hand.crop, hand.budget),
            Self::Face(face) => (face.crop, face.budget),
        }
    }

    /// Alpha of the part before the edit.
    pub(crate) fn part(&self) -> &Plane<f32> {
        match self {
            Self::Hand(hand) => &hand.hand,
            Self::Face(face) => &face.part,
        }
    }

    pub(crate) fn source(&self) -> &Plane<Rgb> {
        match self {
            Self::Hand(hand) => &hand.source,
            Self::Face(face) => &face.source,
        }
    }

    /// An untouched canvas.
    pub(crate) fn canvas(&self) -> Canvas {
        Canvas {
            rgb: self.source().clone(),
            part: self.part().clone(),
            used: Vec::new(),
        }
    }

    /// Whether the operator works on this part, given what is known of it.
    pub(crate) fn takes(&self, operator: &Operator) -> bool {
        match (self, operator.apply) {
            (Self::Hand(hand), Apply::Finger(_)) => hand.fingers.is_some(),
            (Self::Hand(_), Apply::Hand(_)) | (Self::Face(_), Apply::Feature(_) | Apply::Face(_)) => true,
            _ => false,
        }
    }

    /// Applies an operator; the canvas is untouched where it declines or nothing is to be seen of it.
    pub(crate) fn apply(
        &self,
        operator: &Operator,
        canvas: &mut Canvas,
        severity: Severity,
        stream: &mut Stream,
    ) -> Result<Value, Decline> {
        let before = canvas.clone();
        let result = match (self, operator.apply) {
            (Self::Hand(hand), Apply::Finger(f) | Apply::Hand(f)) => f(hand, canvas, severity, stream),
            (Self::Face(face), Apply::Feature(f) | Apply::Face(f)) => f(face, canvas, severity, stream),
            _ => Err("the operator is for another part"),
        };
        let result = result.and_then(|parameters| {
            if changed_px(&before.rgb, &canvas.rgb) < self.least_change_px() {
                Err("nothing would be seen of it")
            } else {
                Ok(parameters)
            }
        });
        if result.is_err() {
            *canvas = before;
        }
        result
    }

    fn part_px(&self) -> f64 {
        self.part().data.iter().map(|&a| f64::from(a)).sum()
    }

    fn least_change_px(&self) -> usize {
        let share = match self {
            Self::Hand(_) => MIN_CHANGED_SHARE_OF_HAND,
            Self::Face(_) => MIN_CHANGED_SHARE_OF_FACE,
        };
        MIN_CHANGED_PX.max((share * self.part_px()) as usize)
    }
}

/// The number of visibly changed pixels.
pub(crate) fn changed_px(a: &Plane<Rgb>, b: &Plane<Rgb>) -> usize {
    a.data
        .iter()
        .zip(&b.data)
        .filter(|(a, b)| (0..3).any(|c| (a[c] - b[c]).abs() > CHANGED_LEVELS))
        .count()
}

/// Draws the operators of a slot.
///
/// The first is taken in turn from an order that is shuffled once for the part, so that the slots of a
/// part differ; where it declines the next one is tried. Errors of single fingers and features are small:
/// more of them are added until the changed share of the part fits the severity.
pub(crate) fn compose(scene: &Scene, key: &SlotKey) -> Result<Composed, Decline> {
    let mut stream = Stream::new(key.seed, "photo/compose");
    let severity = match stream.unit() {
        u if u < 0.25 => Severity::Slight,
        u if u < 0.7 => Severity::Clear,
        _ => Severity::Gross,
    };
    let order = order(scene, key);
    let mut canvas = scene.canvas();
    let mut applied: Vec<(&'static Operator, Value)> = Vec::new();
    let mut reason = "no operator works on this part";
    let wanted = by_severity(severity, [0.05, 0.12, 0.2]) * scene.part_px();
    for operator in order {
        if let Some((first, _)) = applied.first() {
            let is_small =
                |operator: &Operator| matches!(operator.apply, Apply::Finger(_) | Apply::Feature(_));
            let is_enough = changed_px(scene.source(), &canvas.rgb) as f64 >= wanted;
            if is_enough || applied.len() >= MAX_OPERATORS || !is_small(first) {
                break;
            }
            if !is_small(operator) || applied.iter().any(|(other, _)| other.id == operator.id) {
                continue;
            }
        }
        match scene.apply(operator, &mut canvas, severity, &mut stream) {
            Ok(parameters) => applied.push((operator, parameters)),
            Err(why) => {
                if applied.is_empty() {
                    reason = why;
                }
            }
        }
    }
    if applied.is_empty() {
        return Err(reason);
    }
    match_grain(scene.source(), &mut canvas.rgb, &mut stream);
    let record: Vec<String> = applied
        .iter()
        .map(|(operator, parameters)| {
            format!(
                "{{\"id\":\"{}\",\"with\":{}}}",
                operator.id,
                canonical(parameters)
            )
        })
        .collect();
    Ok(Composed {
        canvas,
        operators: applied.iter().map(|(operator, _)| *operator).collect(),
        severity,
        parameters: format!("{{\"operators\":[{}]}}", record.join(",")),
    })
}

/// Gives the edit the grain of the photograph where resampling and filling took it away.
///
/// The grain of the sensor is at most what is seen at the edited place before, and at most what is seen
/// beside it: the smaller of the two is restored, so that no texture is taken for grain.
fn match_grain(source: &Plane<Rgb>, edited: &mut Plane<Rgb>, stream: &mut Stream) {
    let mut changed = Plane::filled(source.width, source.height, 0.0f32);
    for (weight, (a, b)) in changed.data.iter_mut().zip(source.data.iter().zip(&edited.data)) {
        *weight = if (0..3).any(|c| (a[c] - b[c]).abs() > 2.0) {
            1.0
        } else {
            0.0
        };
    }
    let rest = changed.map(|weight| 1.0 - weight);
    let wanted = noise::grain(source, &changed).min(noise::grain(source, &rest));
    let has = noise::grain(edited, &changed);
    if has < 0.9 * wanted {
        let missing = (wanted * wanted - has * has).sqrt();
        noise::add_grain(edited, &changed, missing, stream);
    }
}

/// The operators that work on the part: first the one whose turn it is, then the others as the slot draws
/// them, so that slots whose first operator declines do not all fall back to the same one.
fn order(scene: &Scene, key: &SlotKey) -> Vec<&'static Operator> {
    let usable: Vec<&'static Operator> = OPERATORS
        .iter()
        .filter(|operator| scene.takes(operator))
        .collect();
    let turns = shuffled(&usable, &mut Stream::new(key.order_seed, &key.order_role));
    let mut order = shuffled(&usable, &mut Stream::new(key.seed, "photo/order"));
    if let Some(&first) = turns.get(key.slot % turns.len().max(1)) {
        order.retain(|operator| operator.id != first.id);
        order.insert(0, first);
    }
    order
}

/// A shuffle in which weights count: sorted by exponential times with the weights as rates.
fn shuffled(operators: &[&'static Operator], stream: &mut Stream) -> Vec<&'static Operator> {
    let mut keyed: Vec<(f64, &'static Operator)> = operators
        .iter()
        .map(|&operator| (-(1.0 - stream.unit()).ln() / f64::from(operator.weight), operator))
        .collect();
    keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
    keyed.into_iter().map(|(_, operator)| operator).collect()
}

/// JSON with sorted keys, whatever order the map keeps.
fn canonical(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<(&String, &Value)> = map.iter().collect();
            entries.sort_by_key(|(name, _)| *name);
            let entries: Vec<String> = entries
                .into_iter()
                .map(|(name, value)| format!("{}:{}", Value::from(name.as_str()), canonical(value)))
                .collect();
            format!("{{{}}}", entries.join(","))
        }
        Value::Array(items) => {
            format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(","))
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical_json_sorts_keys_at_every_depth() {
        let value = serde_json::json!({ "b": [{ "z": 1, "a": "x\"y" }], "a": null });
        assert_eq!(canonical(&value), r#"{"a":null,"b":[{"a":"x\"y","z":1}]}"#);
    }
}
