//! How values are written for people.

use asap_core::Degradation;

/// What stands where a value was not computed; never a zero.
pub const NOT_COMPUTED: &str = "not computed";

/// `left_hand` as `left hand`.
pub fn spaced(name: &str) -> String {
    name.replace('_', " ")
}

/// An error as a phrase, such as `extra finger`.
pub fn phrase(error: &Degradation) -> String {
    format!("{} {}", spaced(error.kind.name()), spaced(error.part.name()))
}

/// A number with `digits` decimals, or [`NOT_COMPUTED`].
pub fn number(value: Option<f64>, digits: usize) -> String {
    value.map_or_else(|| NOT_COMPUTED.to_owned(), |value| format!("{value:.digits$}"))
}

/// A count with a thin space between thousands.
pub fn count(n: usize) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + 4);
    for (idx, digit) in digits.chars().enumerate() {
        if idx > 0 && (digits.len() - idx).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// A share in percent, with `0` and `100` kept for exactly nothing and everything.
pub fn percent(part: usize, whole: usize) -> String {
    if whole == 0 {
        return "–".to_owned();
    }
    let share = part as f64 / whole as f64 * 100.0;
    match part {
        0 => "0%".to_owned(),
        _ if part == whole => "100%".to_owned(),
        _ => format!("{:.1}%", share.clamp(0.1, 99.9)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_for_people() {
        assert_eq!(count(0), "0");
        assert_eq!(count(1_234_567), "1\u{202f}234\u{202f}567");
        assert_eq!(number(Some(0.53151), 3), "0.532");
        assert_eq!(number(None, 3), "not computed");
        assert_eq!(percent(0, 3), "0%");
        assert_eq!(percent(1, 100_000), "0.1%");
        assert_eq!(percent(99_999, 100_000), "99.9%");
        assert_eq!(percent(3, 3), "100%");
        assert_eq!(percent(1, 0), "–");
    }
}
