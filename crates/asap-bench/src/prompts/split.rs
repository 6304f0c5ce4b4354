//! Split files: one prompt id a line.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use asap_core::PromptId;

use super::Fault;

/// The split that must name every prompt.
const FULL: &str = "full";

/// Parses a split file; what is no id or not in the set is a fault.
pub(super) fn parse(
    bytes: &[u8],
    file: &Path,
    known: &BTreeMap<PromptId, usize>,
) -> (Vec<PromptId>, Vec<Fault>) {
    let mut ids: Vec<PromptId> = Vec::new();
    let mut line_of: BTreeMap<PromptId, u32> = BTreeMap::new();
    let mut faults = Vec::new();
    let mut fault = |line, message: String| {
        faults.push(Fault {
            file: file.to_owned(),
            line: Some(line),
            message,
        });
    };
    for (line, text) in (1..).zip(String::from_utf8_lossy(bytes).lines()) {
        let id = match text.parse::<PromptId>() {
            Ok(id) => id,
            Err(error) => {
                fault(line, error.to_string());
                continue;
            }
        };
        if !known.contains_key(&id) {
            fault(line, format!("id `{id}` is not in the prompts file"));
        } else if let Some(first) = line_of.get(&id) {
            fault(line, format!("id `{id}` stands on line {first} already"));
        } else {
            line_of.insert(id.clone(), line);
            ids.push(id);
        }
    }
    (ids, faults)
}

/// Whether the split has as many prompts as its name says: `full` all of them, `lite100` one hundred.
pub(super) fn size_fault(name: &str, n_ids: usize, n_prompts: usize, file: &Path) -> Option<Fault> {
    let digits = name.trim_start_matches(|c: char| !c.is_ascii_digit());
    let expected = if name == FULL {
        n_prompts
    } else {
        digits.parse().ok()?
    };
    (n_ids != expected).then(|| Fault {
        file: PathBuf::from(file),
        line: None,
        message: format!("split `{name}`: expected {expected} ids of the prompts file, got {n_ids}"),
    })
}
