//! `asap-train --plan`: what a run will cost, from the base's configuration alone, and what it took.

use serde_json::Value;

use crate::harness::{Run, Sandbox};
use crate::train::{command, program, sandbox, small};

/// The shape of FLUX.1-dev.
const FLUX: &str = r#"{"_class_name":"FluxTransformer2DModel","attention_head_dim":128,"axes_dims_rope":[16,56,56],
    "guidance_embeds":true,"in_channels":64,"joint_attention_dim":4096,"num_attention_heads":24,"num_layers":19,
    "num_single_layers":38,"patch_size":1,"pooled_projection_dim":768}"#;

fn plan(sandbox: &Sandbox, words: &str) -> String {
    let program = program().unwrap();
    let Run { code, stdout, stderr } = Run::of(&mut command(&program, sandbox, words));
    assert_eq!(code, Some(0), "{stderr}");
    stdout
}

#[test]
fn a_plan_needs_no_weights_and_a_run_is_compared_with_it() {
    let Some(program) = program() else { return };
    let sandbox = sandbox();
    sandbox.write("flux/transformer/config.json", FLUX);
    let line = "--plan --preset flux-asap --base flux --data a.lance --device-tflops 400 --device-gib 80 --processes 8";
    let text = plan(&sandbox, line);
    assert!(
        text.starts_with("8 x given device, 400.00 TFLOP/s in bf16\n"),
        "{text}"
    );
    assert!(text.contains("of, it fits"), "{text}");
    let json: Value = serde_json::from_str(&plan(&sandbox, &format!("{line} --json"))).unwrap();
    let number = |key: &str| json[key].as_f64().unwrap();
    // As many weights as the checkpoint of FLUX.1-dev.
    assert!(
        (number("n_base_weights") / 11.9014e9 - 1.0).abs() < 2e-3,
        "{json}"
    );
    let eight = number("seconds_per_step");
    let one = plan(&sandbox, &line.replace("--processes 8", "--processes 1 --json"));
    let one: Value = serde_json::from_str(&one).unwrap();
    let ratio = one["seconds_per_step"].as_f64().unwrap() / eight;
    assert!((ratio - 8.0).abs() < 1e-9, "{ratio}");
    let small_device = plan(&sandbox, &line.replace("--device-gib 80", "--device-gib 8"));
    assert!(small_device.contains("it does NOT fit"), "{small_device}");

    // A device that is not given is measured.
    let tiny: Value = serde_json::from_str(&plan(
        &sandbox,
        "--plan --preset tiny --data a.lance --threads 1 --json",
    ))
    .unwrap();
    assert!(tiny["device"]["flop_per_s"].as_f64().unwrap() > 1e8, "{tiny}");

    let Run { code, stdout, stderr } = Run::of(&mut command(&program, &sandbox, &small("run")));
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stderr.contains("predicted: "), "{stderr}");
    assert!(
        stdout.contains("s predicted, ") && stdout.contains("GiB measured"),
        "{stdout}"
    );
    let compared: Value = serde_json::from_slice(&sandbox.read("run/plan.json")).unwrap();
    assert_eq!(compared["n_steps"], 6);
    for key in [
        "predicted_seconds_per_step",
        "measured_seconds_per_step",
        "predicted_peak_bytes",
        "measured_peak_bytes",
    ] {
        assert!(compared[key].as_f64().unwrap() > 0.0, "{key}: {compared}");
    }
    // The pairs of the plan are those that are trained on.
    let record: Value = serde_json::from_slice(&sandbox.read("run/run.json")).unwrap();
    assert_eq!(tiny["n_pairs"], record["n_pairs"]);

    let told = |words: &str| {
        let Run { code, stderr, .. } = Run::of(&mut command(&program, &sandbox, words));
        assert_eq!(code, Some(1), "{stderr}");
        stderr
    };
    let error = told(&line.replace("--base flux", "--base a.lance"));
    assert!(error.contains("config.json"), "{error}");
    let error = told(
        &line
            .replace("400", "-1")
            .replace("--device-tflops -1", "--device-tflops=-1"),
    );
    assert!(
        error.contains("`--device-tflops -1`: expected a number above 0"),
        "{error}"
    );
}
