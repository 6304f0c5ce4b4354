//! What distinguishes a weights file from the one that was expected, in one line.

use std::fmt::Write as _;

use crate::weights::nearest;

/// How many names of each kind are listed; the rest is counted.
const N_LISTED: usize = 3;

/// Differences so far.
#[derive(Debug, Default)]
pub(super) struct Differences {
    missing: Vec<String>,
    shapes: Vec<String>,
    unknown: Vec<String>,
}

impl Differences {
    pub(super) fn missing(&mut self, name: &str) {
        self.missing.push(name.to_owned());
    }

    pub(super) fn shape(&mut self, name: &str, expected: &[usize], got: &[usize]) {
        self.shapes
            .push(format!("`{name}` expected {expected:?}, got {got:?}"));
    }

    pub(super) fn unknown(&mut self, name: &str) {
        self.unknown.push(name.to_owned());
    }

    /// All of them, or nothing; `names` are those of the file.
    pub(super) fn summary(&self, names: &[&str]) -> Option<String> {
        let missing = list(&self.missing, |name| {
            match nearest(name, names.iter().copied()).first() {
                Some(nearest) => format!("`{name}` (nearest: `{nearest}`)"),
                None => format!("`{name}`"),
            }
        });
        let shapes = list(&self.shapes, Clone::clone);
        let unknown = list(&self.unknown, |name| format!("`{name}`"));
        let parts: Vec<String> = [
            ("missing", missing),
            ("of another shape", shapes),
            ("unknown to this network", unknown),
        ]
        .into_iter()
        .filter_map(|(what, list)| list.map(|list| format!("tensors {what}: {list}")))
        .collect();
        (!parts.is_empty()).then(|| parts.join("; "))
    }
}

/// The first few items, and how many more there are.
fn list(items: &[String], show: impl Fn(&String) -> String) -> Option<String> {
    if items.is_empty() {
        return None;
    }
    let mut text = items
        .iter()
        .take(N_LISTED)
        .map(show)
        .collect::<Vec<_>>()
        .join(", ");
    if items.len() > N_LISTED {
        // Writing to a string cannot fail.
        _ = write!(text, " and {} more", items.len() - N_LISTED);
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_differences_are_one_line_with_the_nearest_names() {
        let mut differences = Differences::default();
        assert_eq!(differences.summary(&[]), None);
        differences.missing("visual.ln_post.weight");
        for name in ["a", "b", "c", "d"] {
            differences.unknown(name);
        }
        differences.shape("proj", &[2, 3], &[3, 2]);
        let names = ["visual.ln_pre.weight", "visual.ln_posst.weight", "zzz"];
        assert_eq!(
            differences.summary(&names).as_deref(),
            Some(
                "tensors missing: `visual.ln_post.weight` (nearest: `visual.ln_posst.weight`); \
                 tensors of another shape: `proj` expected [2, 3], got [3, 2]; \
                 tensors unknown to this network: `a`, `b`, `c` and 1 more"
            )
        );
    }
}
