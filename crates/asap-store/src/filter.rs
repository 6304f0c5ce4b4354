//! Which pairs are wanted.

use asap_core::{Decision, Kind, Mechanism, PairSummary, Part, Region, SourceKind, Split};

/// Conditions that a pair must all meet. An empty list, or no bound, is no condition.
///
/// ```
/// use asap_core::{Decision, Split};
/// use asap_store::Filter;
///
/// let train = Filter { splits: vec![Split::Train], decisions: vec![Decision::Kept], ..Filter::default() };
/// assert!(!train.is_empty());
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    /// One of these splits.
    pub splits: Vec<Split>,
    /// One of these states.
    pub decisions: Vec<Decision>,
    /// Any of these regions was changed.
    pub regions: Vec<Region>,
    /// One of these mechanisms.
    pub mechanisms: Vec<Mechanism>,
    /// One of these kinds of preferred image.
    pub source_kinds: Vec<SourceKind>,
    /// Any of these operators, with or without `@version`.
    pub operators: Vec<String>,
    /// Any labelled error is of one of these parts.
    pub parts: Vec<Part>,
    /// Any labelled error is of one of these kinds.
    pub kinds: Vec<Kind>,
    /// SSIM inside `mask_edit` is known and at least this.
    pub ssim_inside_min: Option<f64>,
    /// SSIM inside `mask_edit` is known and at most this.
    pub ssim_inside_max: Option<f64>,
}

impl Filter {
    /// The pairs of the data set itself.
    pub fn kept() -> Self {
        Self {
            decisions: vec![Decision::Kept],
            ..Self::default()
        }
    }

    /// Whether it sets no condition.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether a pair meets every condition.
    pub fn matches(&self, pair: &PairSummary) -> bool {
        let in_range = |value: Option<f64>| match (self.ssim_inside_min, self.ssim_inside_max) {
            (None, None) => true,
            (low, high) => value.is_some_and(|v| low.is_none_or(|l| v >= l) && high.is_none_or(|h| v <= h)),
        };
        allows(&self.splits, &pair.split)
            && allows(&self.decisions, &pair.decision)
            && allows(&self.mechanisms, &pair.mechanism)
            && allows(&self.source_kinds, &pair.source_kind)
            && allows_any(&self.regions, &pair.regions, |a, b| a == b)
            && allows_any(&self.operators, &pair.operators, |wanted, got| {
                is_operator(wanted, got)
            })
            && allows_any(&self.parts, &pair.degradations, |part, d| *part == d.part)
            && allows_any(&self.kinds, &pair.degradations, |kind, d| *kind == d.kind)
            && in_range(pair.ssim_inside)
    }
}

fn allows<T: PartialEq>(wanted: &[T], got: &T) -> bool {
    wanted.is_empty() || wanted.contains(got)
}

fn allows_any<W, G>(wanted: &[W], got: &[G], is: impl Fn(&W, &G) -> bool) -> bool {
    wanted.is_empty() || wanted.iter().any(|w| got.iter().any(|g| is(w, g)))
}

fn is_operator(wanted: &str, got: &str) -> bool {
    got == wanted || got.strip_prefix(wanted).is_some_and(|rest| rest.starts_with('@'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operator_is_named_with_or_without_version() {
        assert!(is_operator("hand.extra", "hand.extra@2") && is_operator("hand.extra@2", "hand.extra@2"));
        assert!(!is_operator("hand.ext", "hand.extra@2") && !is_operator("hand.extra@1", "hand.extra@2"));
    }
}
