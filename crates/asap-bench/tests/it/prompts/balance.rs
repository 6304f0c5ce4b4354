//! A small benchmark in a folder, and the checks of its balance.

use std::path::Path;

use asap_bench::prompts::{Options, Reading, Rules, Tokenizers, read, validate};
use asap_core::Category;
use serde_json::{Value, json};
use sha2::Digest as _;

use super::{jsonl, row, told};

pub(super) const TAXONOMY: &str = r#"
name = "mini"
version = "1.0.0"
id_prefix = "haf"
prompts_per_category = 1
category = []

[[subcategory]]
id = "rest"
category = "basic_anatomy"
definition = "Hands at rest."
n_prompts = 1
[[subcategory]]
id = "sign"
category = "semantic_gestures"
definition = "A sign."
n_prompts = 1
[[subcategory]]
id = "touch"
category = "self_interaction"
definition = "A touch."
n_prompts = 1
[[subcategory]]
id = "grip"
category = "object_interaction"
definition = "A grip."
n_prompts = 1
[[subcategory]]
id = "run"
category = "full_body"
definition = "A run."
n_prompts = 1

[[factor]]
id = "two_hands"
definition = "Both hands work together."

[[axis]]
id = "persons"
definition = "Persons in the picture."
source = "persons"
value = [{ id = "1", share = 0.8 }, { id = "2", share = 0.2 }]
[[axis]]
id = "setting"
definition = "Where it is."
source = "wording"
value = [{ id = "outdoors", wording = ["pier", "garden"], share = 0.4 }, { id = "indoors", wording = ["kitchen"] }]
"#;

/// The benchmark, written to a folder of its own.
pub(super) struct Folder(tempfile::TempDir);

impl Folder {
    /// Without a fault and in balance.
    pub(super) fn whole() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        folder.write("taxonomy.toml", TAXONOMY);
        folder.write_rows(&folder.rows());
        folder.write("splits/smoke1.txt", "haf-slf-0001\n");
        folder.write(
            "splits/full.txt",
            &Category::ALL
                .map(|it| format!("haf-{}-0001\n", it.code()))
                .concat(),
        );
        folder
    }

    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(super) fn write(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, text).unwrap();
    }

    /// Writes rows with their hash.
    pub(super) fn write_rows(&self, rows: &[Value]) {
        let text = jsonl(rows);
        let hash = format!("{:x}", sha2::Sha256::digest(text.as_bytes()));
        self.write("data/prompts.jsonl", &text);
        self.write("data/prompts.sha256", &format!("{hash}  prompts.jsonl\n"));
    }

    pub(super) fn rows(&self) -> Vec<Value> {
        let texts = [
            (
                "rest",
                1,
                "A bearded potter rests one open hand on a sunlit kiln.",
            ),
            (
                "sign",
                1,
                "On a foggy pier, a sailor gives a thumbs-up with the left hand.",
            ),
            (
                "touch",
                1,
                "A tired cook in a steel kitchen rubs both eyes with curled fingers.",
            ),
            (
                "grip",
                2,
                "Two gardeners in a walled garden pull one rope with four hands.",
            ),
            ("run", 1, "Full-length view of a sprinter, one open hand forward."),
        ];
        let rows = Category::ALL.into_iter().zip(texts);
        rows.map(|(category, (subcategory, persons, prompt))| {
            row(json!({
                "id": format!("haf-{}-0001", category.code()),
                "category": category.name(),
                "subcategory": subcategory,
                "factors": if persons == 2 { vec!["two_hands"] } else { vec![] },
                "prompt": prompt,
                "persons": persons,
                "hands_expected": {"min": persons, "max": 2 * persons},
            }))
        })
        .collect()
    }

    pub(super) fn reading(&self) -> Reading {
        read(self.path()).unwrap()
    }

    /// What is wrong, without the path of the folder and with digests replaced.
    pub(super) fn faults(&self) -> Vec<String> {
        let digest = regex::Regex::new("[0-9a-f]{64}").unwrap();
        let root = format!("{}/", self.path().display());
        let faults = self.reading().faults.into_iter();
        faults
            .map(|fault| {
                digest
                    .replace_all(&fault.to_string().replace(&root, ""), "[digest]")
                    .into_owned()
            })
            .collect()
    }

    fn findings(&self) -> Vec<String> {
        let options = Options {
            rules: &Rules::embedded(),
            tokenizers: &Tokenizers::estimates(),
            captions: None,
        };
        told(&validate(&self.reading(), &options).findings)
    }
}

#[test]
fn a_balanced_folder_passes() {
    assert_eq!(Folder::whole().findings(), [""; 0]);
}

#[test]
fn each_imbalance_is_told() {
    let folder = Folder::whole();
    let mut rows = folder.rows();
    rows[1]["prompt"] = json!("In a narrow attic, a sailor gives a thumbs-up with the left hand.");
    rows[3]["persons"] = json!(3);
    rows[3]["factors"] = json!([]);
    rows[3]["prompt"] = json!("Three gardeners in a walled garden pull one rope with four hands.");
    folder.write_rows(&rows);
    let subcategories = TAXONOMY.replacen("n_prompts = 1", "n_prompts = 2", 1);
    folder.write("taxonomy.toml", &subcategories);
    assert_eq!(
        folder.findings(),
        [
            "balance.subcategory set: `rest`: expected 2, got 1",
            "balance.share set: `persons` = `2`: expected a share of 0.200 within 0.050, got 0.000 (0 of 5)",
            "balance.share set: `setting` = `outdoors`: expected a share of 0.400 within 0.050, got 0.200 (1 of 5)",
            "balance.value haf-obj-0001: `persons` = `3`",
            "balance.factor set: `two_hands`",
        ]
    );
}
