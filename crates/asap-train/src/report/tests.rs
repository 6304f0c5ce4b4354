//! The report of a simulated run.

use asap_core::{Mechanism, PairId, Part, Stream};

use super::*;
use crate::folder::RunRecord;
use crate::telemetry::{
    Errors, Eval, ImageErrors, Note, PairRecord, Record, SampleImage, Sampled, Step, TelemetryLog,
};

const N_STEPS: u64 = 400;
const PARTS: [Part; 5] = [Part::Hand, Part::Finger, Part::Face, Part::Arm, Part::Foot];

fn record() -> RunRecord {
    RunRecord {
        toolkit_version: "0.1.0".to_owned(),
        commit: Some("6f1ed002ab5595859014ebf0951522d9a8b1c3f4".to_owned()),
        backbone: "flux".to_owned(),
        base: "tiny-flux".to_owned(),
        base_hash: "5d".repeat(32),
        data: "demo.lance".to_owned(),
        data_version: 3,
        data_sha256: "a7".repeat(32),
        n_pairs: 240,
        objective: "bounded-local".to_owned(),
        tau: Some(0.01),
        n_steps: N_STEPS,
        seed: 7,
        started: "2026-01-02T03:04:05Z".to_owned(),
    }
}

/// How a simulated run goes.
#[derive(Clone, Copy)]
enum Course {
    /// The gap settles at the margin, most of it from preferred images.
    Good,
    /// Preferred images get worse, the gap runs away, the background drifts; the last steps are no numbers.
    Bad,
}

/// How much of its way the gap has gone.
fn way(step: u64) -> f64 {
    1.0 - (-(step as f64) / 70.0).exp()
}

fn pair(stream: &mut Stream, step: u64, course: Course) -> PairRecord {
    let time = stream.unit();
    let mask_area_share = 0.004 * (100.0_f64).powf(stream.unit());
    let part = *stream.choose(&PARTS);
    let ease = match part {
        Part::Face => 1.2,
        Part::Finger => 0.6,
        _ => 1.0,
    };
    let (winner_share, factor, spread) = match course {
        Course::Good => (0.62, 1.0, 0.006),
        Course::Bad => (-0.8, 5.0 * way(step), 0.003),
    };
    let gap = 0.0105 * way(step) * ease * (0.5 + 2.0 * time * (1.0 - time) + 0.17)
        + spread * way(step) * stream.normal();
    let delta = gap * factor;
    let [winner_advantage, loser_advantage] = [delta * winner_share, delta * (1.0 - winner_share)];
    let errors = |level: f64, advantage: f64| ImageErrors {
        reference: Errors {
            inside: Some(level),
            outside: Some(0.8 * level),
        },
        policy: Errors {
            inside: Some(level - 0.2 * advantage),
            outside: Some(0.8 * level - 0.02 * advantage),
        },
    };
    let drift = match course {
        Course::Good => 2.2e-4 * way(step),
        Course::Bad => 4e-6 * step as f64,
    };
    PairRecord {
        pair_id: PairId::from_bytes([stream.below(240) as u8; 32]),
        time,
        sigma: time,
        mask_area_share,
        part: Some(part),
        mechanism: *stream.choose(&[Mechanism::ImageSpace, Mechanism::SkeletonSpace]),
        delta,
        winner_advantage,
        loser_advantage,
        winner: errors(0.42, winner_advantage),
        loser: errors(0.47, -loser_advantage),
        background_drift: Some(drift * (1.0 + 0.25 * stream.normal()).abs()),
    }
}

fn step(stream: &mut Stream, step: u64, course: Course) -> Step {
    let pairs: Vec<PairRecord> = (0..8).map(|_| pair(stream, step, course)).collect();
    let mean = |value: fn(&PairRecord) -> f64| pairs.iter().map(value).sum::<f64>() / pairs.len() as f64;
    let share =
        |least: f64| pairs.iter().filter(|pair| pair.delta > least).count() as f64 / pairs.len() as f64;
    let loss = pairs.iter().map(|pair| (pair.delta - 0.01).powi(2)).sum::<f64>() / pairs.len() as f64;
    let is_lost = matches!(course, Course::Bad) && step > N_STEPS - 20;
    Step {
        step,
        epoch: (step - 1) * 8 / 240,
        loss: if is_lost { f64::NAN } else { loss },
        delta: mean(|pair| pair.delta),
        winner_advantage: mean(|pair| pair.winner_advantage),
        loser_advantage: mean(|pair| pair.loser_advantage),
        accuracy: share(0.0),
        share_past_tau: Some(share(0.01)),
        grad_norm: 0.02 * (1.1 - way(step)) * (0.4 * stream.normal()).exp(),
        learning_rate: 1e-4 * (step as f64 / 20.0).min(1.0),
        seconds: 0.61 * (0.05 * stream.normal()).exp(),
        data_wait_seconds: 0.004 * stream.unit(),
        memory_peak_bytes: Some(1_310_000_000),
        pairs,
    }
}

fn eval(stream: &mut Stream, step: u64) -> Eval {
    let mean = 0.009 * way(step);
    let gaps: Vec<(Option<Part>, f64)> = (0..120)
        .map(|idx| (Some(PARTS[idx % 5]), mean + 0.0075 * way(step) * stream.normal()))
        .collect();
    Eval::of(step, &gaps)
}

/// A picture of a hand with some fingers.
fn hand(n_fingers: usize, hue: f64) -> Vec<u8> {
    const SIDE: u32 = 96;
    let mut pixels = Vec::new();
    for (y, x) in (0..SIDE).flat_map(|y| (0..SIDE).map(move |x| (y, x))) {
        let (dx, dy) = (f64::from(x) - 48.0, f64::from(y) - 62.0);
        let angle = dy.atan2(dx);
        let turn = (angle + std::f64::consts::PI) / std::f64::consts::PI * n_fingers as f64;
        let is_finger = dy < 0.0 && dx.hypot(dy) < 48.0 && (0.22..0.78).contains(&turn.fract());
        let is_hand = dx.hypot(dy) < 22.0 || is_finger;
        let colour = if is_hand {
            [226.0, 178.0, 148.0]
        } else {
            [90.0 + hue + f64::from(y) * 0.5, 130.0, 170.0 - hue]
        };
        pixels.extend(colour.map(|value| value as u8));
    }
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, SIDE, SIDE);
    encoder.set_color(png::ColorType::Rgb);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&pixels).unwrap();
    writer.finish().unwrap();
    bytes
}

fn samples(run: &RunFolder, step: u64) -> Record {
    let prompts = [
        "a waving hand <close up>",
        "two hands over a table",
        "an open palm",
    ];
    let images = prompts.iter().enumerate().map(|(idx, prompt)| SampleImage {
        file: run
            .write_sample(
                step,
                idx,
                &hand(if step == 0 { 6 + idx } else { 5 }, 30.0 * idx as f64),
            )
            .unwrap(),
        prompt: (*prompt).to_owned(),
        seed: idx as u64,
    });
    Record::Sampled(Sampled {
        step,
        images: images.collect(),
    })
}

fn note(step: u64, text: &str) -> Record {
    Record::Note(Note {
        step,
        text: text.to_owned(),
    })
}

fn simulated(course: Course) -> (tempfile::TempDir, RunFolder) {
    let dir = tempfile::tempdir().unwrap();
    let settings = "objective = \"bounded-local\"\nalpha = 10.0\ntau = 0.01\n\n[lora]\nrank = 32\n";
    let run = RunFolder::create(dir.path(), &record(), settings).unwrap();
    let mut log = TelemetryLog::open_after(&run.telemetry(), 0).unwrap();
    let mut stream = Stream::new(1, "report");
    log.write(&note(0, "δ is exactly 0 and the loss is τ² = 0.0001"))
        .unwrap();
    log.write(&note(0, "The noise floor of δ in bf16 is 0.0004, a 25th of τ"))
        .unwrap();
    log.write(&samples(&run, 0)).unwrap();
    log.write(&Record::Eval(Eval::of(0, &[(Some(Part::Hand), 0.0); 120])))
        .unwrap();
    for n in 1..=N_STEPS {
        log.write(&Record::Step(step(&mut stream, n, course))).unwrap();
        if n % 40 == 0 {
            log.write(&Record::Eval(eval(&mut stream, n))).unwrap();
        }
    }
    log.write(&samples(&run, N_STEPS)).unwrap();
    (dir, run)
}

fn read(run: &RunFolder, name: &str) -> String {
    std::fs::read_to_string(run.report().join(name)).unwrap()
}

#[test]
fn a_good_run_is_shown_without_alarm_and_the_same_twice() {
    let (_dir, run) = simulated(Course::Good);
    let written = write_report(&run).unwrap();
    assert_eq!(written.alarms, Vec::<String>::new());
    let html = read(&run, "index.html");
    for expected in [
        "bounded-local on demo.lance",
        "trained on 240 pairs",
        "400 steps, 3200 pairs seen",
        "τ = 0.01<",
        "Gap by mask area",
        "a waving hand &lt;close up&gt;",
        "rank = 32",
        "The noise floor of δ",
    ] {
        assert!(html.contains(expected), "{expected}");
    }
    // Each plot has its table; nothing from elsewhere, and no script.
    assert_eq!(html.matches("<svg").count(), 17);
    assert_eq!(html.matches("<summary>Table").count(), 17);
    assert_eq!(html.matches("data:image/png").count(), 6);
    for refused in ["http:", "https:", "<script", "NaN", "url("] {
        assert!(!html.contains(refused), "{refused}");
    }
    let data: serde_json::Value = serde_json::from_str(&read(&run, "data.json")).unwrap();
    assert_eq!(data["headline"]["n_pairs_seen"], 3200);
    let files = ["index.html", "data.json", "plots/delta.svg"].map(|name| read(&run, name));
    write_report(&run).unwrap();
    assert_eq!(
        files,
        ["index.html", "data.json", "plots/delta.svg"].map(|name| read(&run, name))
    );
}

#[test]
fn a_bad_run_is_told_in_words() {
    let (_dir, run) = simulated(Course::Bad);
    let alarms = write_report(&run).unwrap().alarms;
    let expected = [
        "The loss is no finite number from step 381 on",
        "Preferred images got worse",
        "Accuracy is",
        "The mean δ of the last quarter is",
    ];
    assert_eq!(alarms.len(), expected.len(), "{alarms:#?}");
    for (alarm, expected) in alarms.iter().zip(expected) {
        assert!(alarm.starts_with(expected), "{alarm}");
    }
    let html = read(&run, "index.html");
    assert!(html.contains("Look at this first") && html.contains(">not finite from step 381<"));
}

#[test]
fn a_run_that_has_just_begun_is_shown() {
    let dir = tempfile::tempdir().unwrap();
    let run = RunFolder::create(dir.path(), &record(), "").unwrap();
    TelemetryLog::open_after(&run.telemetry(), 0).unwrap();
    assert_eq!(write_report(&run).unwrap().alarms, Vec::<String>::new());
    let html = read(&run, "index.html");
    assert!(
        html.contains("0 of 400 steps so far") && !html.contains("<svg"),
        "{html}"
    );
    let mut log = TelemetryLog::open_after(&run.telemetry(), 0).unwrap();
    let first = step(&mut Stream::new(1, "report"), 1, Course::Good);
    log.write(&Record::Step(first)).unwrap();
    write_report(&run).unwrap();
    assert!(read(&run, "index.html").contains("1 of 400 steps so far"));
}

#[test]
fn samples_that_are_gone_or_outside_are_not_shown() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("secret.png"), "secret").unwrap();
    let run = RunFolder::create(&dir.path().join("run"), &record(), "").unwrap();
    let mut log = TelemetryLog::open_after(&run.telemetry(), 0).unwrap();
    for (step, file) in [(0, "../secret.png"), (5, "samples/step-000005/000.png")] {
        let images = vec![SampleImage {
            file: file.to_owned(),
            prompt: "a hand".to_owned(),
            seed: 0,
        }];
        log.write(&Record::Sampled(Sampled { step, images })).unwrap();
    }
    write_report(&run).unwrap();
    let html = read(&run, "index.html");
    assert_eq!(html.matches("the file is gone").count(), 2);
    assert!(!html.contains("<img"));
}

#[test]
fn an_objective_without_margin_has_no_line_for_it() {
    let (_dir, run) = simulated(Course::Good);
    let record = RunRecord {
        tau: None,
        objective: "dpo".to_owned(),
        ..record()
    };
    let mut telemetry = Telemetry::read(&run.telemetry()).unwrap();
    for record in &mut telemetry.records {
        if let Record::Step(step) = record {
            step.share_past_tau = None;
        }
    }
    let analysis = Analysis::of(&record, &telemetry);
    let accuracy = analysis
        .lines
        .iter()
        .find(|lines| lines.name == "accuracy")
        .unwrap();
    let names: Vec<&str> = accuracy.series.iter().map(|series| series.name).collect();
    assert_eq!(names, ["δ > 0"]);
    for (name, plot) in analysis.plots() {
        assert!(!plot.inline().contains('τ'), "{name}");
    }
}
