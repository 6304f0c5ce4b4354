//! What a list of pairs is narrowed by.

use std::collections::{BTreeMap, BTreeSet};

use asap_core::{Decision, Kind, Mechanism, Part, Region, SourceKind, Split, paper};
use serde::{Deserialize, Serialize};

/// A property of a pair with a closed set of values, several of which can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Facet {
    /// Kept, rejected or pending.
    Decision,
    /// The changed region of the body.
    Region,
    /// The part that is wrong.
    Part,
    /// What is wrong with it.
    Kind,
    /// Image space or skeleton space.
    Mechanism,
    /// The operator that made the error.
    Operator,
    /// Photograph, figure, generated or imported.
    Source,
    /// Train, validation or test.
    Split,
}

impl Facet {
    /// Every facet, in the order in which they are listed.
    pub const ALL: [Self; 8] = [
        Self::Decision,
        Self::Region,
        Self::Part,
        Self::Kind,
        Self::Mechanism,
        Self::Operator,
        Self::Source,
        Self::Split,
    ];

    /// The key in addresses.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Decision => "decision",
            Self::Region => "region",
            Self::Part => "part",
            Self::Kind => "kind",
            Self::Mechanism => "mechanism",
            Self::Operator => "operator",
            Self::Source => "source",
            Self::Split => "split",
        }
    }

    /// The heading.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Decision => "Decision",
            Self::Region => "Region",
            Self::Part => "Part",
            Self::Kind => "Kind of error",
            Self::Mechanism => "Mechanism",
            Self::Operator => "Operator",
            Self::Source => "Source",
            Self::Split => "Split",
        }
    }

    /// The facet of that key.
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|facet| facet.key() == key)
    }

    /// The names of all values, in the order of the vocabulary; `None` for operators, an open set.
    pub fn names(self) -> Option<Vec<&'static str>> {
        Some(match self {
            Self::Decision => Decision::ALL.iter().map(|v| v.name()).collect(),
            Self::Region => Region::ALL.iter().map(|v| v.name()).collect(),
            Self::Part => Part::ALL.iter().map(|v| v.name()).collect(),
            Self::Kind => Kind::ALL.iter().map(|v| v.name()).collect(),
            Self::Mechanism => Mechanism::ALL.iter().map(|v| v.name()).collect(),
            Self::Source => SourceKind::ALL.iter().map(|v| v.name()).collect(),
            Self::Split => Split::ALL.iter().map(|v| v.name()).collect(),
            Self::Operator => return None,
        })
    }

    /// Whether `name` can be a value of this facet.
    pub fn accepts(self, name: &str) -> bool {
        match self.names() {
            Some(names) => names.contains(&name),
            None => is_operator_name(name),
        }
    }
}

fn is_operator_name(name: &str) -> bool {
    (1..=80).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"._@-/".contains(&b))
}

/// A measured number that a list can be narrowed by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// SSIM inside `mask_edit`.
    SsimInside,
    /// SSIM outside `mask_edit`.
    SsimOutside,
}

impl Measure {
    /// Both, inside first.
    pub const ALL: [Self; 2] = [Self::SsimInside, Self::SsimOutside];

    /// The heading.
    pub const fn title(self) -> &'static str {
        match self {
            Self::SsimInside => "SSIM inside the edit",
            Self::SsimOutside => "SSIM outside the edit",
        }
    }

    /// The keys of the lower and the upper bound in addresses.
    pub const fn keys(self) -> (&'static str, &'static str) {
        match self {
            Self::SsimInside => ("ssim_in_min", "ssim_in_max"),
            Self::SsimOutside => ("ssim_out_min", "ssim_out_max"),
        }
    }

    /// The paper's mean over HAP (§4.1).
    pub const fn paper_mean(self) -> f64 {
        match self {
            Self::SsimInside => paper::HAP_TARGET_SSIM,
            Self::SsimOutside => paper::HAP_ELSEWHERE_SSIM,
        }
    }
}

/// A closed range, open at either end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Bounds {
    /// The smallest value that passes.
    pub min: Option<f64>,
    /// The largest value that passes.
    pub max: Option<f64>,
}

impl Bounds {
    /// Whether nothing is asked for.
    pub fn is_open(self) -> bool {
        self.min.is_none() && self.max.is_none()
    }

    /// Whether the value passes. A value that was not computed passes only where nothing is asked for.
    pub fn accepts(self, value: Option<f64>) -> bool {
        match value {
            Some(value) => self.min.is_none_or(|min| value >= min) && self.max.is_none_or(|max| value <= max),
            None => self.is_open(),
        }
    }
}

/// Everything that a list of pairs is narrowed by: within a facet any value passes, across facets all must.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Filter {
    /// The values asked for; a facet without values lets everything pass.
    pub chosen: BTreeMap<Facet, BTreeSet<String>>,
    /// Bounds of [`Measure::SsimInside`].
    pub ssim_inside: Bounds,
    /// Bounds of [`Measure::SsimOutside`].
    pub ssim_outside: Bounds,
    /// Words that must all occur in the prompt, the source's name, an operator or the id.
    pub text: String,
}

impl Filter {
    /// The filter that asks for one value.
    pub fn only(facet: Facet, name: &str) -> Self {
        Self::default().and(facet, name)
    }

    /// This filter with one more value asked for.
    #[must_use]
    pub fn and(mut self, facet: Facet, name: &str) -> Self {
        self.chosen.entry(facet).or_default().insert(name.to_owned());
        self
    }

    /// Whether the value is asked for.
    pub fn has(&self, facet: Facet, name: &str) -> bool {
        self.chosen.get(&facet).is_some_and(|names| names.contains(name))
    }

    /// The values asked for in a facet.
    pub fn names(&self, facet: Facet) -> impl Iterator<Item = &str> {
        self.chosen.get(&facet).into_iter().flatten().map(String::as_str)
    }

    /// This filter without one value.
    #[must_use]
    pub fn without(mut self, facet: Facet, name: &str) -> Self {
        if let Some(names) = self.chosen.get_mut(&facet) {
            names.remove(name);
            if names.is_empty() {
                self.chosen.remove(&facet);
            }
        }
        self
    }

    /// The bounds of a measure.
    pub const fn bounds(&self, measure: Measure) -> Bounds {
        match measure {
            Measure::SsimInside => self.ssim_inside,
            Measure::SsimOutside => self.ssim_outside,
        }
    }

    /// The bounds of a measure, to be set.
    pub const fn bounds_mut(&mut self, measure: Measure) -> &mut Bounds {
        match measure {
            Measure::SsimInside => &mut self.ssim_inside,
            Measure::SsimOutside => &mut self.ssim_outside,
        }
    }

    /// Whether everything passes.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facets_know_their_names() {
        for facet in Facet::ALL {
            assert_eq!(Facet::from_key(facet.key()), Some(facet));
            assert!(!facet.accepts(""), "{facet:?}");
            assert!(!facet.accepts("<script>"), "{facet:?}");
        }
        assert!(Facet::Operator.accepts("hand.extra_finger@1"));
        assert!(Facet::Region.accepts("left_hand"));
    }

    #[test]
    fn a_missing_value_passes_open_bounds_only() {
        assert!(Bounds::default().accepts(None));
        let low = Bounds {
            min: Some(0.5),
            max: None,
        };
        assert!(!low.accepts(None));
        assert!(low.accepts(Some(0.5)));
        assert!(!low.accepts(Some(0.4999)));
    }
}
