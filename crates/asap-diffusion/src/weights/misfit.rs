//! What did not fit between a checkpoint and a network.

use std::fmt;
use std::path::PathBuf;

/// Most names that a message lists of each kind.
const MOST_LISTED: usize = 8;

/// Weights that do not fit the network: all of them, not the first alone.
#[derive(Debug)]
pub struct Misfit {
    /// The folder or file.
    pub root: PathBuf,
    /// Names that the network has and the checkpoint lacks, each with the nearest names that are there.
    pub missing: Vec<(String, Vec<String>)>,
    /// Names of another size: expected, got.
    pub misshapen: Vec<(String, Vec<i64>, Vec<i64>)>,
    /// Names that nothing in the network took.
    pub left_over: Vec<String>,
}

impl std::error::Error for Misfit {}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the weights of `{}` do not fit the network",
            self.root.display()
        )?;
        list(f, "missing", &self.missing, |(name, near)| {
            match near.as_slice() {
                [] => format!("`{name}`"),
                near => format!("`{name}` (near it: `{}`)", near.join("`, `")),
            }
        })?;
        list(f, "of another size", &self.misshapen, |(name, expected, got)| {
            format!("`{name}` (expected {expected:?}, got {got:?})")
        })?;
        list(f, "left over", &self.left_over, |name| format!("`{name}`"))
    }
}

fn list<T>(f: &mut fmt::Formatter<'_>, what: &str, items: &[T], show: impl Fn(&T) -> String) -> fmt::Result {
    if items.is_empty() {
        return Ok(());
    }
    let shown: Vec<String> = items.iter().take(MOST_LISTED).map(show).collect();
    write!(f, "; {what} {}: {}", items.len(), shown.join(", "))?;
    if items.len() > MOST_LISTED {
        write!(f, " and {} more", items.len() - MOST_LISTED)?;
    }
    Ok(())
}

/// The known names that share most with a missing one: the same last parts, then the longest common beginning.
pub(super) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Vec<String> {
    let score = |other: &str| {
        let pairs = |a: &mut dyn Iterator<Item = (char, char)>| a.take_while(|(a, b)| a == b).count();
        let end = pairs(&mut name.chars().rev().zip(other.chars().rev()));
        let start = pairs(&mut name.chars().zip(other.chars()));
        start + end
    };
    let mut scored: Vec<(usize, &str)> = known.map(|other| (score(other), other)).collect();
    scored.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
    let is_near = |found: &&(usize, &str)| found.0 * 2 >= name.len();
    scored
        .iter()
        .take(2)
        .filter(is_near)
        .map(|(_, other)| (*other).to_owned())
        .collect()
}
