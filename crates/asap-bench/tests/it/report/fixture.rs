//! Made-up runs of three models: small pictures, a judge with a taste for the first image, five raters, two scorers.

use std::path::{Path, PathBuf};

use asap_bench::judge::{VerdictRow, row_line};
use asap_bench::report::{Inputs, RunInputs, Wishes};
use asap_bench::run::{Depth, Generator, PromptSet, ProtocolRef, Run, ScoreLog, ScoreRow, adopt, sha256};
use asap_bench::stats::aer::HeadlinePolicy;
use asap_bench::stats::position::PositionPolicy;
use asap_bench::stats::{Bootstrap, Level};
use asap_core::{
    Category, Choice, Comparison, Judge, Judgement, Order, PromptId, Sha256, Stream, UnscoredReason, Verdict,
};

/// The judge of the headline.
pub(crate) const JUDGE: &str = "stub:judge-1";
const MODELS: [(&str, f64); 3] = [("flux-asap", 0.28), ("flux-dpo", 0.30), ("flux-base", 0.42)];
const SUBCATEGORIES: [&str; 3] = ["close_up", "with_others", "in_motion"];

/// How a made-up benchmark is made.
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) prompts_per_category: usize,
    /// The share of images that the judge gives no verdict on.
    pub(crate) unscored: f64,
}

/// A folder with runs, kept as long as it is used.
pub(crate) struct Runs {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) folders: Vec<PathBuf>,
}

impl Runs {
    pub(crate) fn inputs(&self) -> Inputs {
        let runs = self.folders.iter().map(|folder| {
            let run = Run::load(folder, Depth::Pixels).unwrap();
            RunInputs::read(run).unwrap()
        });
        Inputs::new(runs.collect(), None).unwrap()
    }
}

pub(crate) fn wishes() -> Wishes {
    Wishes {
        baseline: None,
        judge: None,
        protocols: Vec::new(),
        headline: HeadlinePolicy::Guarded,
        position: PositionPolicy::Strict,
        bootstrap: Bootstrap {
            seed: 7,
            replicates: 100,
            level: Level::P95,
        },
        date: None,
    }
}

/// Makes three runs with verdicts and scores.
pub(crate) fn runs(plan: Plan) -> Runs {
    let dir = tempfile::tempdir().unwrap();
    let prompts = dir.path().join("prompts.jsonl");
    std::fs::write(&prompts, prompts_jsonl(plan.prompts_per_category)).unwrap();
    let prompts = PromptSet::read(&prompts).unwrap();
    let made: Vec<Run> = MODELS
        .iter()
        .map(|(model, _)| make_run(&dir.path().join("runs").join(model), model, &prompts))
        .collect();
    for (run, (_, rate)) in made.iter().zip(MODELS) {
        write_verdicts(run, &made[2], rate, plan.unscored);
        write_scores(run, 1.0 - rate);
    }
    let folders = made.iter().map(|run| run.dir().to_owned()).collect();
    Runs { dir, folders }
}

fn prompts_jsonl(per_category: usize) -> String {
    let mut text = String::new();
    for category in Category::ALL {
        for idx in 0..per_category {
            text.push_str(&format!(
                "{{\"id\":\"haf-{}-{idx:04}\",\"category\":\"{}\",\"subcategory\":\"{}\",\"factors\":[],\
                 \"prompt\":\"A person shows number {idx} with one hand, seen from the side.\",\
                 \"regions\":[\"hands\"],\"persons\":1,\"hands_expected\":{{\"min\":1,\"max\":2}},\
                 \"framing\":\"half_body\",\"difficulty\":1,\"lang\":\"en\",\"source\":\"human\",\
                 \"license\":\"CC0-1.0\",\"added\":\"1.0.0\"}}\n",
                category.code(),
                category.name(),
                SUBCATEGORIES[idx % SUBCATEGORIES.len()]
            ));
        }
    }
    text
}

fn make_run(folder: &Path, model: &str, prompts: &PromptSet) -> Run {
    for (idx, prompt) in prompts.prompts().iter().enumerate() {
        let path = folder.join(format!("images/{}/0.png", prompt.id));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, picture(model, idx)).unwrap();
    }
    let generator = Generator {
        kind: "folder".to_owned(),
        settings: [("steps".to_owned(), 28.into())].into(),
    };
    let protocol = ProtocolRef {
        id: "generation.v1".to_owned(),
        sha256: sha256(b"text"),
    };
    adopt(folder, model, generator, protocol, prompts).unwrap()
}

/// A disc on a slope of grey: different for each image.
fn picture(model: &str, idx: usize) -> Vec<u8> {
    let mut stream = Stream::new(idx as u64, &format!("picture/{model}"));
    let tone = [
        stream.below(160) as u8,
        stream.below(160) as u8,
        stream.below(160) as u8,
    ];
    let (cx, cy) = (stream.between(20.0, 44.0), stream.between(20.0, 44.0));
    let image = image::RgbImage::from_fn(64, 64, |x, y| {
        let distance = (f64::from(x) - cx).hypot(f64::from(y) - cy);
        if distance < 15.0 {
            image::Rgb(tone)
        } else {
            image::Rgb([190 + y as u8 / 2; 3])
        }
    });
    let mut bytes = std::io::Cursor::new(Vec::new());
    image.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

fn write_verdicts(run: &Run, baseline: &Run, rate: f64, unscored: f64) {
    let mut rows = Vec::new();
    for (idx, (id, seed)) in run.samples().enumerate() {
        let mut stream = Stream::new(idx as u64, &format!("verdict/{}", run.model()));
        let fails = stream.chance(rate);
        let said = if stream.chance(unscored) {
            Verdict::Unscored {
                reason: UnscoredReason::Blocked,
            }
        } else {
            verdict(fails)
        };
        rows.push(VerdictRow::Image(judgement(
            run,
            (id, seed),
            Judge::Model(JUDGE.to_owned()),
            said,
        )));
        for rater in (0..5).filter(|_| idx % 2 == 0) {
            let fails = fails != stream.chance(0.15);
            let judge = Judge::Human(format!("rater-{rater}"));
            rows.push(VerdictRow::Image(judgement(
                run,
                (id, seed),
                judge,
                verdict(fails),
            )));
        }
        if run.model() != baseline.model() {
            rows.extend(comparisons(run, baseline, (id, seed), rate, &mut stream));
        }
    }
    let text: String = rows.iter().map(|row| row_line(row) + "\n").collect();
    std::fs::create_dir_all(run.dir().join("verdicts")).unwrap();
    std::fs::write(run.dir().join("verdicts/made-up.jsonl"), text).unwrap();
}

const fn verdict(fails: bool) -> Verdict {
    if fails { Verdict::Fail } else { Verdict::Pass }
}

fn judgement(run: &Run, (id, seed): (&PromptId, u64), judge: Judge, verdict: Verdict) -> Judgement {
    Judgement {
        protocol: "aer.v1".to_owned(),
        judge,
        sample: run.sample(id, seed),
        topic: run.topic(id).unwrap(),
        image_sha256: run.image(id, seed).map(|image| image.sha256),
        repeat: 0,
        verdict,
    }
}

/// The judge in both orders, of which it takes the first image in one of six; three raters in one order each.
fn comparisons(
    run: &Run,
    baseline: &Run,
    (id, seed): (&PromptId, u64),
    rate: f64,
    stream: &mut Stream,
) -> Vec<VerdictRow> {
    let hash = |run: &Run| -> Option<Sha256> { run.image(id, seed).map(|image| image.sha256) };
    let better = stream.unit();
    let row = |judge: Judge, order: Order, choice: Choice| {
        VerdictRow::Pair(Comparison {
            protocol: "rsi.v1".to_owned(),
            judge,
            model: run.model().to_owned(),
            baseline: baseline.model().to_owned(),
            prompt_id: id.clone(),
            seed,
            topic: run.topic(id).unwrap(),
            images_sha256: [hash(run), hash(baseline)],
            order,
            repeat: 0,
            choice,
        })
    };
    let mut rows = Vec::new();
    for order in Order::BOTH {
        let choice = if stream.chance(1.0 / 6.0) {
            Choice::First
        } else {
            choice(better, rate, order)
        };
        rows.push(row(Judge::Model(JUDGE.to_owned()), order, choice));
    }
    for rater in 0..3 {
        let order = *stream.choose(&Order::BOTH);
        let seen = if stream.chance(0.8) { better } else { stream.unit() };
        rows.push(row(
            Judge::Human(format!("rater-{rater}")),
            order,
            choice(seen, rate, order),
        ));
    }
    rows
}

fn choice(better: f64, rate: f64, order: Order) -> Choice {
    let is_first = order == Order::ModelFirst;
    match better {
        better if better < 0.65 - rate => {
            if is_first {
                Choice::First
            } else {
                Choice::Second
            }
        }
        better if better < 0.75 => Choice::Tie,
        _ => {
            if is_first {
                Choice::Second
            } else {
                Choice::First
            }
        }
    }
}

fn write_scores(run: &Run, level: f64) {
    for (scorer, scale, base, spread) in [
        ("hpsv2.1", "cosine", 0.27, 0.02),
        ("pickscore", "exp(logit_scale) * cosine", 21.0, 0.9),
    ] {
        let mut log = ScoreLog::open(run, scorer).unwrap();
        for (idx, (id, seed)) in run.samples().enumerate() {
            let mut common = Stream::new(idx as u64, scorer);
            let mut own = Stream::new(idx as u64, &format!("{scorer}/{}", run.model()));
            let value = base + spread * (common.normal() + 0.4 * own.normal() + level);
            log.append(&ScoreRow {
                prompt_id: id.clone(),
                seed,
                image_sha256: run.image(id, seed).unwrap().sha256,
                scorer: scorer.to_owned(),
                profile: format!("{scorer}/test/v1"),
                scale: scale.to_owned(),
                dtype: "f32".to_owned(),
                weights_sha256: sha256(scorer.as_bytes()),
                value,
                sigma: None,
                is_truncated: false,
            })
            .unwrap();
        }
    }
}
