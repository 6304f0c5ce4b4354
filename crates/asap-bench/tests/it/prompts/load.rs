//! Reading folders and files, with every fault told.

use asap_bench::prompts::PromptSet;
use serde_json::json;

use super::balance::{Folder, TAXONOMY};
use super::{file, jsonl, row, rows};

#[test]
fn a_lone_file_has_version_hash_and_lookup() {
    let dir = tempfile::tempdir().unwrap();
    let rows = [
        row(json!({"added": "1.10.0"})),
        row(json!({"id": "mine", "added": "1.9.0"})),
    ];
    let set = PromptSet::load(file(&dir, &rows)).unwrap();
    assert_eq!(
        (set.name(), set.version(), set.prompts().len()),
        ("prompts", "1.10.0", 2)
    );
    let id = "mine".parse().unwrap();
    assert_eq!(set.get(&id).unwrap().added, "1.9.0");
    assert_eq!(set.line(&id), Some(2));
    assert_eq!(set.get(&"other".parse().unwrap()), None);
    assert_eq!(set.sha256().to_string().len(), 64);
    assert!(set.taxonomy().is_none());
}

/// Reads a lone file of those bytes, which must be refused; gives what is said, without the folder.
fn refused(bytes: &[u8]) -> String {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("p.jsonl");
    fs_err::write(&path, bytes).unwrap();
    let error = PromptSet::load(&path).unwrap_err().to_string();
    error.replace(&format!("{}/", dir.path().display()), "")
}

#[test]
fn every_fault_of_a_file_is_told_with_its_line() {
    let mut bytes = Vec::new();
    bytes.extend(b"{\"id\": \"\xff\"}\n\n");
    bytes.extend(b"[1]\n");
    bytes.extend(jsonl(&[
        row(json!({"style": "photo"})),
        row(json!({"id": "Haf 1"})),
        row(json!({"id": "haf-obj-0001"})),
        row(json!({})),
        row(json!({})),
        row(json!({"id": "a", "persons": 0, "hands_expected": {"min": 3, "max": 1}, "regions": ["hands", "face"]})),
        row(json!({"id": "b", "regions": [], "difficulty": 4, "lang": "eng", "license": " ", "added": "1.0"})),
    ]).bytes());
    assert_eq!(
        refused(&bytes).replace("; p.jsonl:", ";\np.jsonl:"),
        "`p.jsonl` cannot be used: \
         p.jsonl:1: not UTF-8: bad byte at column 9;\n\
         p.jsonl:2: empty line: expected one JSON object;\n\
         p.jsonl:3: not a prompt row: invalid type: integer `1`, expected a string (column 2);\n\
         p.jsonl:4: not a prompt row: unknown field `style`, expected one of `id`, `category`, `subcategory`, \
         `factors`, `prompt`, `regions`, `persons`, `hands_expected`, `framing`, `difficulty`, `lang`, `source`, \
         `license`, `added` (column 331);\n\
         p.jsonl:5: not a prompt row: `Haf 1` is not a prompt id: expected 1 to 64 of the characters a-z, 0-9, \
         `-` and `_` (column 141);\n\
         p.jsonl:6: id `haf-obj-0001`: expected the code `bas` of category `basic_anatomy`, got `obj`;\n\
         p.jsonl:8: id `haf-bas-0001` stands on line 7 already;\n\
         p.jsonl:9: `hands_expected`: max 1 is more than the 0 hands of 0 persons;\n\
         p.jsonl:9: `hands_expected`: min 3 is above max 1;\n\
         p.jsonl:9: `persons`: expected at least 1, got 0;\n\
         p.jsonl:10: `added`: expected a version such as `1.0.0`, got `1.0`;\n\
         p.jsonl:10: `difficulty`: expected 1 to 3, got 4;\n\
         p.jsonl:10: `hands_expected` has min 1, but `regions` lacks `hands`;\n\
         p.jsonl:10: `lang`: expected two small letters (ISO 639-1), got `eng`;\n\
         p.jsonl:10: `license` is empty: name an SPDX licence;\n\
         p.jsonl:10: `regions` is empty: name at least one visible part"
    );
}

#[test]
fn a_file_without_rows_is_refused() {
    assert_eq!(
        refused(b""),
        "`p.jsonl` cannot be used: p.jsonl: expected at least one prompt, got none"
    );
    let twice = jsonl(&rows(["A hand.", "A hand."])).replace("0002", "0001");
    assert_eq!(
        refused(twice.as_bytes()),
        "`p.jsonl` cannot be used: p.jsonl:2: id `haf-bas-0001` stands on line 1 already"
    );
}

#[test]
fn a_folder_has_taxonomy_and_splits() {
    let folder = Folder::whole();
    let set = PromptSet::load(folder.path()).unwrap();
    assert_eq!(
        (set.name(), set.version(), set.prompts().len()),
        ("mini", "1.0.0", 5)
    );
    assert_eq!(set.split("smoke1").unwrap()[0].id.as_str(), "haf-slf-0001");
    assert_eq!(set.split("full").unwrap().len(), 5);
    assert!(set.split("lite").is_none());
}

#[test]
fn every_fault_of_a_folder_is_told() {
    let folder = Folder::whole();
    let mut rows = folder.rows();
    rows.swap(1, 2);
    rows[0]["subcategory"] = json!("swim");
    rows[3]["factors"] = json!(["fog"]);
    rows[4] = row(json!({"id": "haf-bas-2", "subcategory": "swim", "category": "basic_anatomy"}));
    folder.write("data/prompts.jsonl", &jsonl(&rows));
    folder.write(
        "splits/smoke1.txt",
        "haf-bas-0001\nhaf-bas-0001\nBAD\nhaf-bod-0001\n",
    );
    let told = folder.faults();
    let expected = [
        "data/prompts.jsonl: category `basic_anatomy`: expected 1 prompts, got 2",
        "data/prompts.jsonl: category `full_body`: expected 1 prompts, got 0",
        "data/prompts.jsonl:1: subcategory `swim` is not in the taxonomy",
        "data/prompts.jsonl:3: row order: expected rows by category and id, got `haf-ges-0001` after `haf-slf-0001`",
        "data/prompts.jsonl:4: factor `fog` is not in the taxonomy",
        "data/prompts.jsonl:5: id `haf-bas-2`: expected `haf-bas-` and four digits",
        "data/prompts.jsonl:5: row order: expected rows by category and id, got `haf-bas-2` after `haf-obj-0001`",
        "data/prompts.jsonl:5: subcategory `swim` is not in the taxonomy",
        "data/prompts.sha256:1: `prompts.jsonl` has the SHA-256 [digest], not [digest]: was it changed after hashing?",
        "splits/full.txt: split `full`: expected 5 ids of the prompts file, got 4",
        "splits/full.txt:5: id `haf-bod-0001` is not in the prompts file",
        "splits/smoke1.txt:2: id `haf-bas-0001` stands on line 1 already",
        "splits/smoke1.txt:3: `BAD` is not a prompt id: expected 1 to 64 of the characters a-z, 0-9, `-` and `_`",
        "splits/smoke1.txt:4: id `haf-bod-0001` is not in the prompts file",
    ];
    assert_eq!(told, expected);
}

#[test]
fn a_taxonomy_with_an_unknown_key_is_refused() {
    let folder = Folder::whole();
    folder.write("taxonomy.toml", &format!("colour = 1\n{TAXONOMY}"));
    let error = PromptSet::load(folder.path()).unwrap_err().to_string();
    assert!(
        error.contains("taxonomy.toml` is not as expected: ") && error.contains("unknown field `colour`"),
        "{error}"
    );
}

#[test]
fn what_is_not_there_is_named() {
    let error = PromptSet::load("none.jsonl").unwrap_err().to_string();
    assert_eq!(error, "cannot read `none.jsonl`");
    let folder = Folder::whole();
    fs_err::remove_file(folder.path().join("data/prompts.sha256")).unwrap();
    let error = PromptSet::load(folder.path()).unwrap_err().to_string();
    assert!(error.ends_with("data/prompts.sha256`"), "{error}");
}
