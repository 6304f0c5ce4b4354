//! Presets, layers and refusals.

use std::path::Path;

use asap_core::paper;

use super::*;

/// Keys with values.
type Flags = &'static [(&'static str, &'static str)];

fn resolved(preset: &str, flags: &[(&str, &str)]) -> Result<Settings> {
    let mut layers = vec![Layer::preset(preset)?];
    for (key, value) in flags {
        layers.push(Layer::flag(key, value)?);
    }
    Settings::resolve(&layers)
}

fn refusal(preset: &str, flags: &[(&str, &str)]) -> String {
    resolved(preset, flags).unwrap_err().to_string()
}

#[test]
fn every_preset_survives_being_written() {
    for preset in PRESETS {
        let settings = resolved(preset, &[]).unwrap();
        let written = Layer::text(&settings.to_toml(), Path::new("settings.toml")).unwrap();
        let again = Settings::resolve(&[written]).unwrap();
        assert_eq!(again, settings, "{preset}");
        assert_eq!(settings.entries().len(), Settings::keys().len());
    }
}

#[test]
fn every_value_of_a_preset_says_where_it_comes_from() {
    for preset in PRESETS {
        for line in preset::text(preset)
            .unwrap()
            .lines()
            .filter(|line| line.contains(" = "))
        {
            let reason = line.split_once("  # ").map_or("", |(_, reason)| reason);
            let is_explained = reason.starts_with("paper §") || reason.starts_with("ours: ");
            assert!(is_explained, "{preset}: {line}");
        }
    }
}

#[test]
fn the_papers_values_are_the_papers() {
    for (preset, learning_rate) in [
        ("flux-asap", Some(paper::FLUX_LEARNING_RATE)),
        ("sdxl-asap", None),
    ] {
        let settings = resolved(preset, &[]).unwrap();
        assert_eq!(settings.lora.rank, paper::LORA_RANK);
        assert_eq!(settings.run.steps, paper::TRAIN_STEPS);
        assert_eq!(settings.run.batch_pairs, paper::BATCH_SIZE);
        assert_eq!(settings.objective.alpha, Some(paper::ALPHA));
        assert_eq!(settings.objective.tau, Some(paper::TAU));
        assert_eq!(settings.objective.weight_power, 2);
        if let Some(rate) = learning_rate {
            assert_eq!(settings.optimiser.learning_rate, rate);
        }
    }
    for preset in ["flux-dpo", "sdxl-dpo"] {
        assert_eq!(
            resolved(preset, &[]).unwrap().objective.beta,
            Some(paper::DPO_BETA)
        );
    }
}

#[test]
fn later_layers_win() {
    let file = Layer::text("[objective]\ntau = 0.1\nalpha = 5\n", Path::new("my.toml")).unwrap();
    let layers = [
        Layer::preset("flux-asap").unwrap(),
        file,
        Layer::flag("objective.tau", "0.003").unwrap(),
        Layer::flag("data.path", "1").unwrap(),
        Layer::flag("lora.targets", "[\"attn.to_q\"]").unwrap(),
        Layer::flag("run.checkpointing", "every-4").unwrap(),
    ];
    let settings = Settings::resolve(&layers).unwrap();
    assert_eq!(
        (settings.objective.tau, settings.objective.alpha),
        (Some(0.003), Some(5.0))
    );
    assert_eq!(settings.data.path.as_deref(), Some(Path::new("1")));
    assert_eq!(settings.lora.targets.suffixes(Backbone::Flux), ["attn.to_q"]);
    assert_eq!(settings.run.checkpointing, Checkpointing::Every(4));
    let preset = resolved("flux-asap", &[]).unwrap();
    let told: Vec<String> = diff(&preset, &settings).iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "`lora.targets` was \"feed-forward\", is [\"attn.to_q\"]",
            "`objective.alpha` was 10.0, is 5.0",
            "`objective.tau` was 0.01, is 0.003",
            "`run.checkpointing` was \"off\", is \"every-4\"",
            "`data.path` was \"none\", is \"1\"",
        ]
    );
}

#[test]
fn an_unknown_key_is_refused_with_the_nearest() {
    let refused = |text: &str| Layer::text(text, Path::new("my.toml")).unwrap_err().to_string();
    assert_eq!(
        refused("[objective]\ntua = 1.0"),
        "unknown key `objective.tua` from file `my.toml`, did you mean `objective.tau`?"
    );
    assert_eq!(
        refused("[optimizer]\nlearning_rate = 1.0"),
        "unknown key `optimizer.learning_rate` from file `my.toml`, did you mean `optimiser.learning_rate`?"
    );
    assert!(
        refused("rank = 3").ends_with("did you mean `lora.rank`?"),
        "{}",
        refused("rank = 3")
    );
    assert!(refused("[lora").starts_with("file `my.toml` is not a settings file: "));
    assert_eq!(
        Layer::flag("run.step", "3").unwrap_err().to_string(),
        "unknown key `run.step` from a flag, did you mean `run.steps`?"
    );
    assert!(
        Layer::preset("flux")
            .unwrap_err()
            .to_string()
            .contains("expected one of `tiny`, `flux-asap`")
    );
}

#[test]
fn a_wrong_value_says_key_expectation_and_layer() {
    let cases = [
        (
            "lora.rank",
            "-1",
            "`lora.rank` is `-1`, expected a whole number of 0 or more (from a flag)",
        ),
        (
            "lora.rank",
            "0",
            "`lora.rank` is `0`, expected 1 or more (from a flag)",
        ),
        (
            "objective.tau",
            "nan",
            "`objective.tau` is `nan`, expected a finite number or `none` (from a flag)",
        ),
        (
            "run.backward",
            "both",
            "`run.backward` is `both`, expected `split` or `joint` (from a flag)",
        ),
        (
            "run.checkpointing",
            "every-1",
            "`run.checkpointing` is `every-1`, expected `off`, `all` or `every-N` with N of 2 or more (from a flag)",
        ),
        (
            "optimiser.ema_decay",
            "1.0",
            "`optimiser.ema_decay` is `1.0`, expected a number from 0 to below 1 (from a flag)",
        ),
        (
            "objective.weight_power",
            "3",
            "`objective.weight_power` is `3`, expected 1 or 2 (from a flag)",
        ),
    ];
    for (key, value, message) in cases {
        assert_eq!(refusal("flux-asap", &[(key, value)]), message);
    }
    let file = Layer::text("[lora]\nrank = \"many\"", Path::new("my.toml")).unwrap();
    let error = Settings::resolve(&[Layer::preset("tiny").unwrap(), file]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`lora.rank` is \"many\", expected a whole number of 0 or more (from file `my.toml`)"
    );
    let missing = Settings::resolve(&[]).unwrap_err().to_string();
    assert_eq!(
        missing,
        "`model.backbone` is missing: expected `flux` or `sdxl` or `tiny`, no layer gives it"
    );
}

#[test]
fn contradictions_are_refused() {
    let cases: [(&str, Flags, &str); 9] = [
        (
            "flux-dpo",
            &[("objective.tau", "0.01")],
            "`objective.kind` is \"dpo\": set it to `none`",
        ),
        (
            "flux-asap",
            &[("objective.tau", "none")],
            "`objective.kind` is \"bounded-local\": give a number",
        ),
        (
            "flux-asap",
            &[("objective.mask", "false")],
            "`objective.mask` is false: set it to `none`",
        ),
        (
            "flux-asap",
            &[("run.micro_batch_pairs", "3")],
            "it does not divide `run.batch_pairs`, 16",
        ),
        (
            "flux-asap",
            &[("objective.estimator", "product")],
            "`objective.draws` is 1: a product takes 2",
        ),
        (
            "flux-sft",
            &[("objective.estimator", "product"), ("objective.draws", "2")],
            "`objective.kind` is \"sft\", which squares nothing",
        ),
        (
            "sdxl-asap",
            &[("noise.timesteps", "flux-shift")],
            "whose schedule is not shifted",
        ),
        (
            "sdxl-asap",
            &[("model.guidance", "1.0")],
            "which has no such input: set it to `none`",
        ),
        (
            "flux-asap",
            &[("model.resolution_px", "1000")],
            "it is no multiple of `data.bucket_step_px`, 16",
        ),
    ];
    for (preset, flags, reason) in cases {
        let told = refusal(preset, flags);
        assert!(told.ends_with(reason), "{told}");
    }
    // The layer is that of the value that is blamed.
    assert!(refusal("flux-asap", &[("objective.mask", "false")]).contains("(from preset `flux-asap`)"));
}
