//! `asap data stats --lpips`: measured once, stored, shown; never 0 where it was not measured.

use crate::harness::{Sandbox, check};
use crate::weights::with_weights;

fn dataset(sandbox: &Sandbox) {
    sandbox.ok("synth figures --n 4 --seed 4 --size 256 --out a.lance --quiet");
}

#[test]
fn lpips_is_measured_stored_and_not_measured_again() {
    let sandbox = with_weights();
    dataset(&sandbox);
    let before = sandbox.json("data stats a.lance");
    assert!(
        before["means"]["lpips_inside"].is_null() && before["lpips"].is_null(),
        "{before}"
    );
    let text = sandbox.ok("data stats a.lance");
    let row = text
        .lines()
        .find(|line| line.starts_with("LPIPS inside the edit"))
        .unwrap();
    assert!(row.ends_with("not computed  0.3446"), "{row}");

    let measured = sandbox.json("data stats a.lance --lpips --weights weights");
    let n_pairs = before["n_pairs"].as_u64().unwrap();
    assert_eq!(measured["lpips"]["n_measured"], n_pairs, "{measured}");
    assert!(
        measured["lpips"]["profile"]
            .as_str()
            .unwrap()
            .starts_with("lpips/alex-v0.1/v1+composite@")
    );
    assert_eq!(measured["lpips"]["weights"].as_array().unwrap().len(), 2);
    assert!(measured["version"].as_u64() > before["version"].as_u64());
    let inside = measured["means"]["lpips_inside"].as_f64().unwrap();
    assert!(inside > 0.0);
    // Pairs differ inside the edit only.
    assert_eq!(measured["means"]["lpips_outside"], 0.0);

    // Stored: there without the weights, and not measured again with them.
    let stored = sandbox.json("data stats a.lance");
    assert_eq!(stored["means"], measured["means"]);
    let again = sandbox.json("data stats a.lance --lpips --weights weights");
    assert_eq!(
        (
            again["lpips"]["n_measured"].clone(),
            again["lpips"]["n_before"].clone()
        ),
        (0.into(), n_pairs.into())
    );
    assert_eq!(again["version"], stored["version"]);

    // The images are what they were, and the numbers of the others too.
    let verified = sandbox.json("data verify a.lance");
    assert_eq!(verified["faults"].as_array().unwrap().len(), 0, "{verified}");
    let id = sandbox.json("data list a.lance")[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let shown = sandbox.json(&format!("data show a.lance {id}"));
    let edit = &shown["assessment"]["stats"][0];
    assert!(
        edit["lpips_inside"].as_f64() > Some(0.0) && edit["lpips_outside"] == 0.0,
        "{edit}"
    );
    let profile = edit["profile"].as_str().unwrap();
    assert!(
        profile.starts_with("ssim/wang11-rgb-valid/v1+composite lpips/alex-v0.1/v1+composite@"),
        "{profile}"
    );
    // An export and its import keep them.
    sandbox.ok("data export a.lance --out parquet --all");
    sandbox.ok("data import parquet --out b.lance");
    assert_eq!(sandbox.json("data stats b.lance")["means"], stored["means"]);
}

#[test]
fn without_weights_the_way_to_get_them_is_told() {
    let sandbox = Sandbox::new();
    dataset(&sandbox);
    check(
        &sandbox,
        "data stats a.lance --lpips",
        "
        exit 1
        --- stderr
        error: LPIPS (alex) needs a folder with its weights: name it after `--weights`
        hint: get `lpips/weights/v0.1/alex.pth` from https://pypi.org/project/lpips/0.1.4 (BSD-2-Clause), then `asap weights convert --from alex.pth --to DIR/lpips-alex.safetensors`; get `alexnet-owt-7be5be79.pth` from https://download.pytorch.org/models (BSD-3-Clause), then `asap weights convert --from alexnet-owt-7be5be79.pth --to DIR/alexnet.safetensors`; `asap weights list` lists all
        ",
    );
    fs_err::create_dir_all(sandbox.path("weights")).unwrap();
    check(
        &sandbox,
        "data stats a.lance --lpips --weights weights --lpips-net vgg",
        "
        exit 1
        --- stderr
        error: weights `weights/vgg16.safetensors`: no such file; it holds LPIPS, VGG16: the trunk
        hint: get `vgg16-397923af.pth` from https://download.pytorch.org/models (BSD-3-Clause), then `asap weights convert --from vgg16-397923af.pth --to weights/vgg16.safetensors`
        ",
    );
    // An old version is not written to.
    assert_eq!(sandbox.asap("data stats a.lance --lpips --at 1").code, Some(2));
}
