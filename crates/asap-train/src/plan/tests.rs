//! Against published counts of weights and a table worked out by hand.

use super::*;
use crate::config;

fn plan(preset: &str, flags: &[(&str, &str)], reference: Reference) -> Plan {
    let mut layers = vec![config::Layer::preset(preset).unwrap()];
    layers.extend(
        flags
            .iter()
            .map(|(key, value)| config::Layer::flag(key, value).unwrap()),
    );
    let settings = Settings::resolve(&layers).unwrap();
    let sizes = if preset.starts_with("sdxl") {
        Sizes::Sdxl(SdxlSizes::base())
    } else {
        Sizes::Flux(FluxSizes::dev())
    };
    let device = DeviceFigures {
        name: "device of 80 GB".to_owned(),
        flop_per_s: 400e12,
        memory_bytes: 80e9,
        n_processes: 1,
    };
    let job = Job {
        n_pairs: 10_000,
        reference,
    };
    Plan::of(&settings, &sizes, device, job)
}

fn near(got: f64, expected: f64, tolerance: f64) {
    assert!(
        (got - expected).abs() <= tolerance * expected,
        "{got}, expected {expected}"
    );
}

#[test]
fn operations_and_hours_of_flux_are_those_of_the_table() {
    let rows = [
        ("512", 21.5, [67.0, 45.0], [177.0, 134.0], [5.9, 4.5]),
        ("768", 41.9, [134.0, 92.0], [352.0, 268.0], [11.7, 8.9]),
        ("1024", 74.4, [245.0, 171.0], [640.0, 491.0], [21.3, 16.4]),
    ];
    for (side, forward, sft, pair, hours) in rows {
        for (idx, checkpointing) in ["all", "off"].into_iter().enumerate() {
            let flags = [
                ("model.resolution_px", side),
                ("run.checkpointing", checkpointing),
            ];
            let asap = plan("flux-asap", &flags, Reference::Computed);
            near(asap.pair_flop[0].amount, 2e12 * forward, 0.01);
            near(total(&asap.pair_flop), 1e12 * pair[idx], 0.01);
            near(asap.hours, hours[idx], 0.01);
            near(asap.seconds_per_step, 16.0 * pair[idx] / 400.0, 0.01);
            let one = plan("flux-sft", &flags, Reference::Computed);
            near(total(&one.pair_flop), 1e12 * sft[idx], 0.01);
            let flags = [flags[0], flags[1], ("run.reference_cache", "on")];
            let cached = plan("flux-asap", &flags, Reference::Cached);
            let saved = total(&asap.pair_flop) - total(&cached.pair_flop);
            near(saved, 2e12 * forward, 0.01);
        }
    }
}

#[test]
fn a_cache_that_is_off_saves_nothing() {
    let off = plan("flux-asap", &[], Reference::Cached);
    assert_eq!(
        off.pair_flop,
        plan("flux-asap", &[], Reference::Computed).pair_flop
    );
}

#[test]
fn adapters_have_the_published_numbers_of_weights() {
    let cases = [
        ("flux-asap", "attention", 37.36),
        ("flux-asap", "feed-forward", 89.65),
        ("flux-asap", "all-linear", 130.74),
        ("sdxl-asap", "attention", 46.45),
        ("sdxl-asap", "feed-forward", 83.72),
    ];
    for (preset, targets, millions) in cases {
        let plan = plan(preset, &[("lora.targets", targets)], Reference::Computed);
        near(plan.n_adapter_weights, 1e6 * millions, 2e-4);
    }
    let small = plan("sdxl-asap", &[("lora.rank", "4")], Reference::Computed);
    assert_eq!(small.n_adapter_weights, 5_806_080.0);
    let small = plan(
        "flux-asap",
        &[("lora.rank", "4"), ("lora.targets", "attention")],
        Reference::Computed,
    );
    assert_eq!(small.n_adapter_weights, 4_669_440.0);
}

#[test]
fn memory_is_near_the_worked_out_one() {
    let flux = plan("flux-asap", &[], Reference::Computed);
    let bytes = |plan: &Plan, name: &str| {
        plan.device_bytes
            .iter()
            .find(|term| term.name == name)
            .unwrap()
            .amount
    };
    near(bytes(&flux, "frozen weights"), 22.2 * GIB, 0.01);
    near(bytes(&flux, "kept for the backward pass"), 21.0 * GIB, 0.1);
    near(bytes(&flux, "adapter: weights and gradients") * 2.0, 1.4e9, 0.1);
    assert!(flux.fits());
    let text = flux.cache_bytes[1].amount;
    near(text, 1e4 * 4.0 * 1024.0 * 1024.0, 0.01);
    near(
        flux.cache_bytes[0].amount,
        1e4 * 4.0 * 0.5 * 1024.0 * 1024.0,
        0.01,
    );
    let joint = plan("flux-asap", &[("run.backward", "joint")], Reference::Computed);
    let kept = "kept for the backward pass";
    assert_eq!(bytes(&joint, kept), 2.0 * bytes(&flux, kept));
    let again = plan("flux-asap", &[("run.checkpointing", "all")], Reference::Computed);
    assert!(bytes(&again, kept) < 0.2 * bytes(&flux, kept));
    let swapped = plan("flux-asap", &[("run.swap_blocks", "57")], Reference::Computed);
    assert!(bytes(&swapped, "frozen weights") < 0.01 * bytes(&flux, "frozen weights"));
    // 2.567e9 weights in the checkpoint of SDXL.
    near(
        bytes(&plan("sdxl-asap", &[], Reference::Computed), "frozen weights"),
        2.0 * 2.567e9,
        0.01,
    );
}

#[test]
fn a_plan_is_a_table() {
    let text = plan("flux-asap", &[], Reference::Computed).to_string();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "1 x device of 80 GB");
    assert_eq!(lines[1], "10000 pairs");
    assert_eq!(lines[2], "operations of a pair");
    assert_eq!(lines[3], "  forward                                 148.72 TFLOP");
    let end = &lines[lines.len() - 3..];
    let expected = [
        "weights",
        "  frozen network                        11898.32 M",
        "  adapter                                  89.65 M",
    ];
    assert_eq!(end, expected);
    // One screen.
    assert!(
        lines.len() <= 30 && lines.iter().all(|line| line.len() <= 80),
        "{text}"
    );
}

/// The numbers of weights in the checkpoints of FLUX.1-dev and of SDXL's UNet, as they are published.
#[test]
fn networks_have_the_published_numbers_of_weights() {
    for (preset, billions) in [("flux-asap", 11.9014), ("sdxl-asap", 2.5675)] {
        let plan = plan(preset, &[], Reference::Computed);
        near(plan.n_base_weights, 1e9 * billions, 2e-3);
    }
}
