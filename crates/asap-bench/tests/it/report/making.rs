//! What is in a report.

use std::collections::BTreeMap;
use std::path::Path;

use asap_bench::report::{Figure, Inputs, RunInputs, Wishes, write};
use asap_bench::run::{Depth, Run};
use asap_bench::stats::aer::HeadlinePolicy;

use super::fixture::{JUDGE, Plan, Runs, runs, wishes};

const SMALL: Plan = Plan {
    prompts_per_category: 6,
    unscored: 0.0,
};

/// Makes a report; gives its files by name.
pub(super) fn report(inputs: &Inputs, wishes: Wishes, out: &Path) -> BTreeMap<String, Vec<u8>> {
    let options = inputs.settle(wishes).unwrap();
    write(inputs, &options, out).unwrap();
    files(out)
}

pub(super) fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for item in std::fs::read_dir(next).unwrap() {
            let path = item.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path
                    .strip_prefix(folder)
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .replace('\\', "/");
                found.insert(name, std::fs::read(path).unwrap());
            }
        }
    }
    found
}

fn text(files: &BTreeMap<String, Vec<u8>>, name: &str) -> String {
    String::from_utf8(files[name].clone()).unwrap()
}

fn figures(files: &BTreeMap<String, Vec<u8>>) -> Vec<Figure> {
    let report: serde_json::Value = serde_json::from_slice(&files["report.json"]).unwrap();
    serde_json::from_value(report["figures"].clone()).unwrap()
}

#[test]
fn the_same_inputs_give_the_same_bytes() {
    let made = runs(SMALL);
    let first = report(&made.inputs(), wishes(), &made.dir.path().join("one"));
    // A report in the same place is replaced, with its files that are no longer needed.
    let mut forced = wishes();
    forced.date = Some("1 May".to_owned());
    report(&made.inputs(), forced, &made.dir.path().join("two"));
    let again = report(&made.inputs(), wishes(), &made.dir.path().join("two"));
    assert_eq!(first.keys().collect::<Vec<_>>(), again.keys().collect::<Vec<_>>());
    for (name, bytes) in &first {
        assert!(*bytes == again[name], "{name}");
    }
}

#[test]
fn a_report_has_all_that_was_measured() {
    let made = runs(SMALL);
    let files = report(&made.inputs(), wishes(), &made.dir.path().join("report"));
    let names: Vec<&str> = files
        .keys()
        .map(String::as_str)
        .filter(|name| !name.starts_with("images/"))
        .collect();
    assert_eq!(names, EXPECTED);
    assert!(files.keys().any(|name| name.starts_with("images/")));
    let page = text(&files, "index.html");
    for outside in ["<script", "http:", "https:", "url(", "@import", "//"] {
        assert!(!page.contains(outside), "{outside}");
    }
    // Every link leads to something that is there.
    let links = page.split("href=\"").skip(1).chain(page.split("src=\"").skip(1));
    for target in links.filter_map(|rest| rest.split('"').next()) {
        let is_there = match target.strip_prefix('#') {
            Some(id) => page.contains(&format!("id=\"{id}\"")),
            None => made.dir.path().join("report").join(target).is_file(),
        };
        assert!(is_there, "{target}");
    }
}

const EXPECTED: [&str; 56] = [
    "SHA256SUMS",
    "calls.jsonl",
    "comparisons.jsonl",
    "config.json",
    "images.json",
    "index.html",
    "judgements.jsonl",
    "plots/aer.png",
    "plots/aer.svg",
    "plots/aer_by_category.png",
    "plots/aer_by_category.svg",
    "plots/aer_by_subcategory.png",
    "plots/aer_by_subcategory.svg",
    "plots/aer_radar.png",
    "plots/aer_radar.svg",
    "plots/confusion_images.png",
    "plots/confusion_images.svg",
    "plots/confusion_pairs.png",
    "plots/confusion_pairs.svg",
    "plots/paired.png",
    "plots/paired.svg",
    "plots/people_aer.png",
    "plots/people_aer.svg",
    "plots/people_bars.png",
    "plots/people_bars.svg",
    "plots/position.png",
    "plots/position.svg",
    "plots/position_bars.png",
    "plots/position_bars.svg",
    "plots/rsi.png",
    "plots/rsi.svg",
    "plots/rsi_bars.png",
    "plots/rsi_bars.svg",
    "plots/trade_off_hpsv2.1.png",
    "plots/trade_off_hpsv2.1.svg",
    "plots/trade_off_pickscore.png",
    "plots/trade_off_pickscore.svg",
    "report.json",
    "scores.jsonl",
    "tables/aer.csv",
    "tables/aer_by_category.csv",
    "tables/aer_by_subcategory.csv",
    "tables/agreement.csv",
    "tables/corrected.csv",
    "tables/figures.csv",
    "tables/identity.csv",
    "tables/paired.csv",
    "tables/paired_by_category.csv",
    "tables/paper.csv",
    "tables/people_aer.csv",
    "tables/people_rsi.csv",
    "tables/position.csv",
    "tables/quality.csv",
    "tables/rsi.csv",
    "tables/rsi_by_category.csv",
    "tables/runs.csv",
];

#[test]
fn figures_are_those_of_the_statistics() {
    let made = runs(SMALL);
    let inputs = made.inputs();
    let files = report(&inputs, wishes(), &made.dir.path().join("report"));
    let figures = figures(&files);
    let find = |measure: &str, scope: &str| {
        let is_it = |figure: &&Figure| {
            figure.measure == measure && figure.model == "flux-asap" && figure.scope == scope
        };
        figures
            .iter()
            .find(is_it)
            .unwrap_or_else(|| panic!("{measure} {scope}"))
    };
    let judged = inputs.runs[0].verdicts.judgements();
    let own: Vec<_> = judged
        .iter()
        .filter(|row| row.judge == asap_core::Judge::Model(JUDGE.to_owned()))
        .collect();
    let counts = asap_core::AerCounts::of(own.iter().map(|row| &row.verdict));
    let aer = find("aer", "overall");
    assert_eq!(
        (aer.value, aer.n, aer.method.as_str()),
        (counts.aer(), 30, "rate/wilson/v1")
    );
    assert_eq!(find("aer", "full_body").n, 6);
    assert_eq!(find("aer_coverage", "overall").value, Some(1.0));
    assert_eq!(find("rsi", "overall").baseline.as_deref(), Some("flux-base"));
    let [wins, ties, losses] =
        ["wins", "ties", "losses"].map(|part| find(&format!("rsi_{part}"), "overall").value);
    assert_eq!(
        find("rsi", "overall").value,
        Some((wins.unwrap() + ties.unwrap()) / (losses.unwrap() + ties.unwrap()))
    );
    // All numbers of a table are in the list of figures, digit by digit.
    let csv = text(&files, "tables/aer.csv");
    assert!(
        csv.contains(&format!("flux-asap,overall,{},", aer.value.unwrap())),
        "{csv}"
    );
}

#[test]
fn under_98_percent_no_rate_is_shown_unless_it_is_forced() {
    let made = runs(Plan {
        unscored: 0.2,
        ..SMALL
    });
    let inputs = made.inputs();
    let guarded = report(&inputs, wishes(), &made.dir.path().join("guarded"));
    let aer = |files: &BTreeMap<String, Vec<u8>>| {
        let all = figures(files);
        all.into_iter()
            .find(|figure| figure.measure == "aer" && figure.scope == "overall")
            .unwrap()
    };
    assert_eq!(aer(&guarded).value, None);
    assert!(aer(&guarded).note.unwrap().starts_with("withheld"));
    assert!(text(&guarded, "index.html").contains("withheld"));
    let mut wish = wishes();
    wish.headline = HeadlinePolicy::Forced;
    let forced = report(&inputs, wish, &made.dir.path().join("forced"));
    assert!(aer(&forced).value.is_some());
    assert!(aer(&forced).note.unwrap().starts_with("forced"));
}

#[test]
fn what_was_not_measured_is_told_and_is_never_0() {
    let made = runs(SMALL);
    for folder in &made.folders {
        std::fs::remove_dir_all(folder.join("scores")).unwrap();
        let path = folder.join("verdicts/made-up.jsonl");
        let kept: String = std::fs::read_to_string(&path)
            .unwrap()
            .lines()
            .filter(|line| line.contains(JUDGE) && line.contains("\"verdict\""))
            .map(|line| format!("{line}\n"))
            .collect();
        std::fs::write(path, kept).unwrap();
    }
    let alone = Runs {
        folders: made.folders[..1].to_vec(),
        dir: made.dir,
    };
    let files = report(&alone.inputs(), wishes(), &alone.dir.path().join("report"));
    let page = text(&files, "index.html");
    assert_eq!(
        page.matches("Not computed.</span>").count(),
        5,
        "paired, pairs, quality, people, position"
    );
    assert!(page.contains("<div class=\"value none\">not computed</div>"));
    assert!(!files.contains_key("tables/rsi.csv") && !files.contains_key("plots/rsi.svg"));
    assert!(
        figures(&files)
            .iter()
            .all(|figure| !figure.measure.starts_with("rsi"))
    );
}

#[test]
fn open_choices_and_wrong_names_are_told_with_what_there_is() {
    let made = runs(SMALL);
    let inputs = made.inputs();
    let refused = |change: fn(&mut Wishes)| {
        let mut wish = wishes();
        change(&mut wish);
        inputs.settle(wish).unwrap_err().to_string()
    };
    assert_eq!(
        refused(|wish| wish.judge = Some("gpt".to_owned())),
        "no verdicts of judge `gpt`; there are those of `stub:judge-1`, `people`"
    );
    assert_eq!(
        refused(|wish| wish.baseline = Some("sdxl".to_owned())),
        "no model `sdxl` to compare with; there are `flux-asap`, `flux-dpo`, `flux-base`"
    );
    assert_eq!(
        refused(|wish| wish.protocols = vec!["aer.v9".to_owned()]),
        "no verdicts of stub:judge-1 under protocol `aer.v9`; there are `aer.v1`, `rsi.v1`"
    );
    let path = made.folders[0].join("verdicts/made-up.jsonl");
    let doubled = std::fs::read_to_string(&path)
        .unwrap()
        .replace(JUDGE, "stub:judge-2");
    std::fs::write(made.folders[0].join("verdicts/other.jsonl"), only_judge(&doubled)).unwrap();
    assert_eq!(
        made.inputs().settle(wishes()).unwrap_err().to_string(),
        "verdicts of several judges: `stub:judge-1`, `stub:judge-2`, `people`; choose one with `--judge`"
    );
}

fn only_judge(text: &str) -> String {
    let of_judge = text.lines().filter(|line| line.contains("stub:judge"));
    of_judge.map(|line| format!("{line}\n")).collect()
}

#[test]
fn a_folder_that_is_no_report_is_left_alone() {
    let made = runs(SMALL);
    let inputs = made.inputs();
    let out = made.dir.path().join("mine");
    std::fs::create_dir(&out).unwrap();
    std::fs::write(out.join("letter.txt"), "dear").unwrap();
    let options = inputs.settle(wishes()).unwrap();
    let message = write(&inputs, &options, &out).unwrap_err().to_string();
    assert!(
        message.ends_with("has files in it that are no report; choose another folder"),
        "{message}"
    );
    assert_eq!(std::fs::read_dir(&out).unwrap().count(), 1);
}

#[test]
fn two_runs_of_one_name_are_refused() {
    let made = runs(SMALL);
    let read = || RunInputs::read(Run::load(&made.folders[0], Depth::Pixels).unwrap()).unwrap();
    let message = Inputs::new(vec![read(), read()], None).unwrap_err().to_string();
    assert!(message.contains("two runs have this model's name"), "{message}");
}

/// Leaves a larger report where a person can look at it: set `ASAP_ARTEFACTS`.
#[test]
fn a_report_to_look_at() {
    let Some(folder) = std::env::var_os("ASAP_ARTEFACTS") else {
        return;
    };
    let made = runs(Plan {
        prompts_per_category: 60,
        unscored: 0.004,
    });
    let out = Path::new(&folder).join("bench-report");
    report(&made.inputs(), wishes(), &out);
}
