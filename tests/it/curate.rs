//! `asap curate`: decisions, thresholds, reports.

use crate::harness::{Sandbox, check};

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
    assert_eq!(funnel["n_pairs"].as_u64(), Some(pairs.len() as u64), "{funnel}");
    assert_eq!(funnel["n_kept"].as_u64(), Some(n_kept as u64), "{funnel}");
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
    assert!(text.contains("ssim_edit_max = 0.85"), "{text}");
    assert_eq!(sandbox.json("curate a.lance --thresholds default.toml"), default);
    sandbox.write(
        "strict.toml",
        text.replace("ssim_edit_max = 0.85", "ssim_edit_max = 0.11"),
    );
    let strict = sandbox.json("curate a.lance --thresholds strict.toml");
    assert!(strict["n_kept"].as_u64() < default["n_kept"].as_u64(), "{strict}");
}

#[test]
fn a_wrong_thresholds_file_is_refused() {
    let sandbox = Sandbox::new();
    sandbox.ok(BUILD);
    sandbox.ok("curate a.lance");
    let before = sandbox.json("data list a.lance");
    sandbox.write("typo.toml", "[visible_degradation]\nssim_edit_maximum = 0.5\n");
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
}

#[test]
fn an_empty_dataset_has_nothing_to_decide() {
    let sandbox = Sandbox::new();
    check(&sandbox, "curate none.lance", "");
}
