//! Verdicts of people and known answers: what is taken over and what is refused, with its line.

use std::path::Path;

use asap_bench::judge::{ImportedJudge, Runs, export, import, verdicts};
use asap_bench::run::Run;
use asap_core::judgement::Outcome;
use asap_core::{AerCounts, Judge, Verdict};

use super::fixture::{protocol, run};

struct Desk {
    dir: tempfile::TempDir,
    ours: Run,
    theirs: Run,
}

impl Desk {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self {
            ours: run(&dir.path().join("ours"), "flux", 0),
            theirs: run(&dir.path().join("theirs"), "base", 100),
            dir,
        }
    }

    /// Imports a file for one run, or for both.
    fn import(&self, address: &str, text: &str, n_runs: usize) -> Result<usize, String> {
        let (kind, name) = address.split_once(':').unwrap();
        let path = self.dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        let judge = ImportedJudge::parse(&format!("{kind}:{}", path.display())).unwrap();
        let id = if n_runs == 1 { "aer.v1" } else { "rsi.v1" };
        let runs = Runs {
            run: &self.ours,
            baseline: (n_runs == 2).then_some(&self.theirs),
        };
        let rows = import(runs, &judge, &protocol(id)).map(|rows| rows.len());
        rows.map_err(|error| {
            error
                .to_string()
                .replace(&format!("{}/", self.dir.path().display()), "")
        })
    }

    fn sha256(run: &Run, idx: usize) -> String {
        run.manifest().images[idx].sha256.to_string()
    }

    fn labels(runs: [&Run; 2], verdicts: [&str; 2]) -> String {
        let mut text = String::new();
        for (run, verdict) in runs.iter().zip(verdicts) {
            for image in &run.manifest().images {
                text.push_str(&format!(
                    "{{\"image_sha256\":\"{}\",\"verdict\":\"{verdict}\"}}\n",
                    image.sha256
                ));
            }
        }
        text
    }
}

#[test]
fn known_answers_judge_images_and_pairs() {
    let desk = Desk::new();
    let labels = Desk::labels([&desk.ours, &desk.theirs], ["pass", "fail"]);
    assert_eq!(desk.import("known:labels.jsonl", &labels, 1), Ok(4));
    assert_eq!(desk.import("known:labels.jsonl", &labels, 2), Ok(8));
    let found = verdicts(&desk.ours).unwrap();
    let judgements = found.judgements();
    assert!(
        judgements
            .iter()
            .all(|row| row.judge == Judge::Known && row.verdict == Verdict::Pass)
    );
    assert_eq!(found.comparisons().len(), 8);
    assert!(
        found
            .comparisons()
            .iter()
            .all(|row| row.outcome() == Some(Outcome::Win))
    );
    // A second import of the same file replaces the first.
    assert_eq!(desk.import("known:labels.jsonl", &labels, 1), Ok(4));
    assert_eq!(verdicts(&desk.ours).unwrap().images.len(), 4);
}

#[test]
fn known_answers_must_be_whole_and_agree() {
    let desk = Desk::new();
    let labels = Desk::labels([&desk.ours, &desk.theirs], ["pass", "fail"]);
    let lines: Vec<&str> = labels.lines().collect();
    let error = desk
        .import("known:l.jsonl", &lines[..3].join("\n"), 1)
        .unwrap_err();
    assert_eq!(
        error,
        "`l.jsonl`: no known answer for `ours/images/haf-obj-0002/1.png`, 1 images in all"
    );
    let twice = format!("{labels}{}\n", lines[0].replace("pass", "fail"));
    let error = desk.import("known:l.jsonl", &twice, 1).unwrap_err();
    assert_eq!(
        error,
        "`l.jsonl` line 9: line 1 has the other verdict on the same image"
    );
    let elsewhere = labels.replacen('{', "{\"prompt_id\":\"haf-bas-0001\",\"seed\":1,", 1);
    let error = desk.import("known:l.jsonl", &elsewhere, 1).unwrap_err();
    assert!(
        error.starts_with("`l.jsonl` line 1: no image of `haf-bas-0001` seed 1 has SHA-256 "),
        "{error}"
    );
    let error = desk
        .import("known:l.jsonl", &labels.replacen("pass", "maybe", 1), 1)
        .unwrap_err();
    assert!(
        error.starts_with("`l.jsonl` line 1: unknown variant `maybe`"),
        "{error}"
    );
}

#[test]
fn votes_come_as_csv() {
    let desk = Desk::new();
    let votes = format!(
        "rater,prompt_id,seed,verdict,image_sha256\nana,haf-bas-0001,0,pass,{}\nana,haf-bas-0001,1,fail,\nben,haf-bas-0001,0,declined,\n",
        Desk::sha256(&desk.ours, 0)
    );
    assert_eq!(desk.import("human:votes.csv", &votes, 1), Ok(3));
    let pairs = "rater,prompt_id,seed,order,choice\nana,haf-bas-0001,0,baseline_first,second\n";
    assert_eq!(desk.import("human:votes.csv", pairs, 2), Ok(1));
    let found = verdicts(&desk.ours).unwrap();
    assert_eq!(found.comparisons()[0].outcome(), Some(Outcome::Win));
    let counts = AerCounts::of(found.judgements().iter().map(|row| &row.verdict));
    assert_eq!((counts.failures, counts.passes, counts.unscored), (1, 1, 1));
    assert_eq!(
        found.images[0].row.image_sha256,
        Some(desk.ours.manifest().images[0].sha256)
    );
}

#[test]
fn wrong_votes_are_refused_with_their_line() {
    let desk = Desk::new();
    let head = "rater,prompt_id,seed,verdict,image_sha256\nana,haf-bas-0001,0,pass,\n";
    for (line, expected) in [
        ("ana,haf-bas-0009,0,pass,", "the run has no prompt `haf-bas-0009`"),
        (
            "ana,haf-bas-0001,7,pass,",
            "expected one of the seeds [0, 1], got 7",
        ),
        (
            "ana,haf-bas-0001,x,pass,",
            "`seed`: expected a whole number, got `x`",
        ),
        (
            "ana,haf-bas-0001,1,good,",
            "`verdict`: expected one of pass, fail, declined, got `good`",
        ),
        (
            "ana,haf-bas-0001,0,fail,",
            "the same judge's verdict on the same sample is in line 2 already",
        ),
        (
            ",haf-bas-0001,1,pass,",
            "expected a judge `{\"human\": \"PSEUDONYM\"}`, got Human(\"\")",
        ),
        ("ana,haf-bas-0001,1,pass", "expected 5 cells, got 4"),
        (
            "ana,haf-bas-0001,1,pass,12",
            "`image_sha256`: expected a SHA-256, got `12`",
        ),
    ] {
        let error = desk
            .import("human:v.csv", &format!("{head}{line}\n"), 1)
            .unwrap_err();
        assert_eq!(error, format!("`v.csv` line 3: {expected}"));
    }
    let other = Desk::sha256(&desk.theirs, 0);
    let error = desk
        .import(
            "human:v.csv",
            &format!("{head}ana,haf-bas-0001,1,pass,{other}\n"),
            1,
        )
        .unwrap_err();
    assert!(
        error.starts_with("`v.csv` line 3: expected the image of `haf-bas-0001` seed 1 with SHA-256 "),
        "{error}"
    );
    assert!(
        !desk.ours.dir().join("verdicts").exists(),
        "nothing is taken over in part"
    );
}

#[test]
fn what_is_exported_can_be_read_back_as_votes() {
    let desk = Desk::new();
    let votes = "rater,prompt_id,seed,verdict\nana,haf-bas-0001,0,pass\nben,haf-obj-0002,1,fail\n";
    desk.import("human:votes.csv", votes, 1).unwrap();
    let (path, found) = export(&desk.ours).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(text.lines().count(), 2);
    assert!(!text.contains("png"));
    clear(desk.ours.dir());
    assert_eq!(desk.import("human:again.jsonl", &text, 1), Ok(2));
    assert_eq!(verdicts(&desk.ours).unwrap().judgements(), found.judgements());
    assert_eq!(export(&desk.ours).unwrap().0, path);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    // The same votes under another name would count twice.
    desk.import("human:twice.jsonl", &text, 1).unwrap();
    let error = verdicts(&desk.ours).unwrap_err().to_string();
    assert!(
        error.contains("the same person's verdict on the same sample is in `"),
        "{error}"
    );
    let comparison = text.replace("aer.v1", "aer.v9");
    let error = desk.import("human:other.jsonl", &comparison, 1).unwrap_err();
    assert_eq!(
        error,
        "`other.jsonl` line 1: expected a verdict under `aer.v1`, got `aer.v9`"
    );
}

fn clear(run: &Path) {
    std::fs::remove_dir_all(run.join("verdicts")).unwrap();
}
