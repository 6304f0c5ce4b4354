//! Counts of a set.

use asap_bench::prompts::{PromptSet, Tokenizers, stats};
use serde_json::json;

use super::balance::Folder;
use super::{file, rows};

#[test]
fn a_folder_is_counted_over_its_axes() {
    let set = PromptSet::load(Folder::whole().path()).unwrap();
    let stats = serde_json::to_value(stats(&set, &Tokenizers::estimates())).unwrap();
    assert_eq!(stats["n_prompts"], 5);
    assert_eq!(
        stats["subcategories"][3],
        json!({"category": "object_interaction", "subcategory": "grip", "n_prompts": 1, "persons": {"2": 1}, "framing": {"half_body": 1}})
    );
    assert_eq!(
        stats["axes"][1],
        json!({
            "axis": "setting",
            "source": "wording",
            "values": [
                {"value": "outdoors", "n_prompts": 2, "share": 0.4, "target": 0.4},
                {"value": "indoors", "n_prompts": 1, "share": 0.2, "target": null},
            ],
            "n_unstated": 2,
        })
    );
    assert_eq!(stats["factors"], json!({"two_hands": 1}));
    assert_eq!(
        stats["words"],
        json!({"min": 10, "median": 12, "max": 14, "bins": {"10": 5}})
    );
}

#[test]
fn a_lone_file_is_counted_over_its_keys() {
    let dir = tempfile::tempdir().unwrap();
    let set = PromptSet::load(file(&dir, &rows(["A raised hand.", "Two raised hands."]))).unwrap();
    let stats = stats(&set, &Tokenizers::estimates());
    let axes: Vec<(&str, &str, usize)> = stats
        .axes
        .iter()
        .map(|it| {
            (
                it.axis.as_str(),
                it.values[0].value.as_str(),
                it.values[0].n_prompts,
            )
        })
        .collect();
    assert_eq!(
        axes,
        [
            ("persons", "1", 2),
            ("framing", "half_body", 2),
            ("hands_expected", "1-2", 2),
            ("difficulty", "1", 2)
        ]
    );
}
