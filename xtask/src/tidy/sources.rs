//! Source files: headers, length, leftovers, paths of one machine.

use super::{Findings, Violation};

const MOST_LINES: usize = 600;

/// Rules of Rust files.
pub(super) fn check_rust(file: &str, text: &str) -> Vec<Violation> {
    let mut findings = Findings::new(file);
    if !text.starts_with("//!") {
        findings.add(1, "the file starts with `//!` and says what it is");
    }
    let n_lines = text.lines().count();
    if n_lines > MOST_LINES {
        findings.add(
            n_lines,
            format!("{n_lines} lines; at most {MOST_LINES}, so that one file is one concept"),
        );
    }
    // Written in two parts, so that this file passes its own check.
    let leftovers = [
        concat!("#[ig", "nore"),
        concat!("to", "do!("),
        concat!("unimple", "mented!("),
    ];
    for (at, line) in text.lines().enumerate() {
        for leftover in leftovers {
            if line.contains(leftover) {
                findings.add(at + 1, format!("`{leftover}` leaves something undone"));
            }
        }
    }
    findings.found
}

/// Rules of all text files: no path of somebody's machine.
pub(super) fn check_text(file: &str, text: &str) -> Vec<Violation> {
    let mut findings = Findings::new(file);
    let folders = [
        concat!("/ro", "ot/"),
        concat!("/ho", "me/"),
        concat!("/wo", "rk/"),
    ];
    for (at, line) in text.lines().enumerate() {
        if let Some(folder) = folders.iter().find(|folder| has_absolute(line, folder)) {
            findings.add(at + 1, format!("`{folder}` is a path of one machine"));
        }
    }
    findings.found
}

/// Whether the folder stands there as the beginning of a path, and not in the middle of another or of an address.
fn has_absolute(line: &str, folder: &str) -> bool {
    let is_inside =
        |before: Option<char>| before.is_some_and(|c| c.is_alphanumeric() || "._-/}>*)".contains(c));
    line.match_indices(folder)
        .any(|(at, _)| !is_inside(line[..at].chars().next_back()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        let mut all = check_rust("a.rs", text);
        all.extend(check_text("a.rs", text));
        all.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_file_as_it_should_be_passes() {
        assert_eq!(found("//! What it is.\nfn a() {}\n"), Vec::<String>::new());
    }

    #[test]
    fn a_file_without_header_is_told() {
        assert_eq!(
            found("fn a() {}\n"),
            ["a.rs:1: the file starts with `//!` and says what it is"]
        );
    }

    #[test]
    fn a_long_file_is_told() {
        let text = format!("//! A.\n{}", "\n".repeat(MOST_LINES - 1));
        assert_eq!(found(&text), Vec::<String>::new());
        assert!(found(&format!("{text}\n"))[0].starts_with("a.rs:601: 601 lines"));
    }

    #[test]
    fn leftovers_are_told() {
        for leftover in [
            concat!("#[ig", "nore]"),
            concat!("to", "do!()"),
            concat!("unimple", "mented!()"),
        ] {
            assert!(
                found(&format!("//! A.\n{leftover}\n"))[0].starts_with("a.rs:2:"),
                "{leftover}"
            );
        }
    }

    #[test]
    fn paths_of_one_machine_are_told_and_parts_of_others_are_not() {
        let home = concat!("/ho", "me/");
        assert_eq!(found(&format!("//! A.\nlet a = \"{home}me\";\n")).len(), 1);
        assert_eq!(
            found(&format!(
                "//! A.\n// see https://example.org{home}page and $X{home}a\n"
            ))
            .len(),
            0
        );
        assert_eq!(found(&format!("//! A.\n// x={home}\n")).len(), 1);
    }
}
