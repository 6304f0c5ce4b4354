//! `asap curate`: decisions, thresholds, reports.

use crate::harness::Sandbox;

const BUILD: &str = "synth figures --n 6 --seed 4 --size 512 --out a.lance --quiet";

#[test]
fn every_pair_is_decided_and_every_rejection_has_a_reason() {
    let sandbox = Sandbox::new();
    sandbox.ok(BUILD);
    let stats = sandbox.json("data stats a.lance");
    assert_eq!(stats["n_pending"], stats["n_pairs"], "{stats}");
    let funnel = sandbox.json("curate a.lance");
    let pairs = sandbox.json("data list a.lance");
    let pairs = pairs.as_array().unwrap();
    let n_kept = pairs.iter().filter(|pair| pair["decision"] == "kept").count();
    assert_eq!(
        funnel["all"]["made"].as_u64(),
        Some(pairs.len() as u64),
        "{funnel}"
    );
    assert_eq!(funnel["all"]["kept"].as_u64(), Some(n_kept as u64), "{funnel}");
    for pair in pairs {
        let has_reason = !pair["rejections"].as_array().unwrap().is_empty();
        assert_eq!(
            pair["decision"],
            if has_reason { "rejected" } else { "kept" },
            "{pair}"
        );
    }
    assert!(n_kept > 0, "{funnel}");
}

#[test]
fn deciding_again_changes_nothing() {
    let sandbox = Sandbox::new();
    sandbox.ok(BUILD);
    let funnel = sandbox.ok("curate a.lance");
    let list = sandbox.json("data list a.lance");
    assert_eq!(sandbox.ok("curate a.lance"), funnel);
    assert_eq!(sandbox.json("data list a.lance"), list);
}

#[test]
fn thresholds_are_written_changed_and_obeyed() {
    let sandbox = Sandbox::new();
    sandbox.ok(BUILD);
    let default = sandbox.json("curate a.lance --write-thresholds default.toml");
    let text = String::from_utf8(sandbox.read("default.toml")).unwrap();
    let versions = || sandbox.json("data versions a.lance").as_array().unwrap().len();
    let before = versions();
    assert_eq!(sandbox.json("curate a.lance --thresholds default.toml"), default);
    assert_eq!(versions(), before, "the same decisions are not stored again");
    let strict: String = text
        .lines()
        .map(|line| {
            if line.starts_with("ssim_edit_max") {
                "ssim_edit_max = 0.11"
            } else {
                line
            }
        })
        .flat_map(|line| [line, "\n"])
        .collect();
    assert_ne!(strict, text);
    sandbox.write("strict.toml", &strict);
    let funnel = sandbox.json("curate a.lance --thresholds strict.toml --write-thresholds again.toml");
    assert!(
        funnel["all"]["kept"].as_u64() < default["all"]["kept"].as_u64(),
        "{funnel}"
    );
    assert!(
        funnel["rules"]["visible_degradation/ssim_edit_max"].as_u64() > Some(0),
        "{funnel}"
    );
    assert_eq!(sandbox.read("again.toml"), strict.as_bytes());
    assert_eq!(sandbox.json("curate a.lance"), default);
}

#[test]
fn a_wrong_thresholds_file_is_refused() {
    let sandbox = Sandbox::new();
    sandbox.ok(BUILD);
    sandbox.ok("curate a.lance");
    let before = sandbox.json("data list a.lance");
    sandbox.ok("curate a.lance --write-thresholds default.toml");
    let text = String::from_utf8(sandbox.read("default.toml")).unwrap();
    sandbox.write(
        "typo.toml",
        text.replacen("ssim_edit_max", "ssim_edit_maximum", 1),
    );
    let run = sandbox.asap("curate a.lance --thresholds typo.toml");
    assert_eq!(run.code, Some(1), "{}", run.snapshot());
    assert!(
        run.stderr.contains("`typo.toml`") && run.stderr.contains("ssim_edit_maximum"),
        "{}",
        run.stderr
    );
    assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
    assert_eq!(
        sandbox.asap("curate a.lance --thresholds none.toml").code,
        Some(1)
    );
    assert_eq!(sandbox.json("data list a.lance"), before);
}

#[test]
fn a_report_has_the_funnel_and_the_thumbnails() {
    let sandbox = Sandbox::new();
    sandbox.ok(BUILD);
    let text = sandbox.ok("curate a.lance --report report");
    assert_eq!(
        String::from_utf8(sandbox.read("report/funnel.txt")).unwrap(),
        text
    );
    let json: serde_json::Value = serde_json::from_slice(&sandbox.read("report/funnel.json")).unwrap();
    assert_eq!(json, sandbox.json("curate a.lance"));
    assert!(sandbox.read("report/funnel.svg").starts_with(b"<svg"));
    let sheet = image::open(sandbox.path("report/thumbnails.png")).unwrap();
    assert!(sheet.width() >= 200 && sheet.height() >= 100);
    let thresholds = String::from_utf8(sandbox.read("report/thresholds.toml")).unwrap();
    assert!(thresholds.contains("ssim_edit_max"), "{thresholds}");
}
