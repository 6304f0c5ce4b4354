//! The known key that looks most like an unknown one.

/// The name of `known` with the fewest edits to `name`; the earlier of two that are equally near.
pub(super) fn nearest(name: &str, known: &[&'static str]) -> &'static str {
    // A key without its section, or under another one, is still meant by its last word.
    let last = |key: &str| key.rsplit('.').next().unwrap_or_default().to_owned();
    let distance = |key: &&&'static str| {
        (
            n_edits(name, key).min(1 + n_edits(&last(name), &last(key))),
            n_edits(name, key),
        )
    };
    known.iter().min_by_key(distance).copied().unwrap_or_default()
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
