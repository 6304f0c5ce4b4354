//! Names that look like another one.

/// How many are told.
const N_TOLD: usize = 3;
/// Longer names are not compared: the time grows with the product of the lengths.
const MAX_BYTES: usize = 200;

/// The names of `known` with the fewest edits to `name`, best first; at most three.
pub(crate) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Vec<String> {
    if name.len() > MAX_BYTES {
        return Vec::new();
    }
    let mut scored: Vec<(usize, &str)> = known
        .filter(|other| other.len() <= MAX_BYTES)
        .map(|other| (n_edits(name, other), other))
        .collect();
    scored.sort_unstable();
    scored.truncate(N_TOLD);
    scored.into_iter().map(|(_, name)| name.to_owned()).collect()
}

/// Insertions, removals and replacements of bytes that make one text the other.
fn n_edits(first: &str, second: &str) -> usize {
    let mut row: Vec<usize> = (0..=second.len()).collect();
    for (i, a) in first.bytes().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, b) in second.bytes().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[second.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_similar_names_come_first() {
        let known = [
            "conv1.weight",
            "features.0.bias",
            "features.00.weight",
            "lin0",
            "features.3.weight",
        ];
        assert_eq!(
            nearest("features.0.weight", known.into_iter()),
            ["features.00.weight", "features.3.weight", "features.0.bias"]
        );
        assert_eq!(n_edits("kitten", "sitting"), 3);
        assert_eq!(n_edits("", "abc"), 3);
    }
}
