//! From judgements to whole reports.

use asap_bench::stats::aer::{AerReport, Headline, HeadlinePolicy, aer_report};
use asap_bench::stats::agreement::outcome_agreement;
use asap_bench::stats::human::{JudgedItem, outcome_items, verdict_items};
use asap_bench::stats::paired_aer::paired_aer;
use asap_bench::stats::position::{PositionPolicy, items, position_report};
use asap_bench::stats::rsi_report::{RsiReport, rsi_report};
use asap_bench::stats::scorers::{PairedScore, score_difference};
use asap_bench::stats::{Error, Level, RateMethod};
use asap_core::{
    Category, Choice, Comparison, Judge, Judgement, Order, Outcome, PromptId, RsiCounts, Sample, Topic,
    UnscoredReason, Verdict,
};

use super::bootstrap;

const BLOCKED: Verdict = Verdict::Unscored {
    reason: UnscoredReason::Blocked,
};

fn prompt_id(prompt: usize) -> PromptId {
    format!("haf-{prompt}")
        .parse()
        .expect("these are letters, digits and `-`")
}

fn topic(prompt: usize) -> Topic {
    Topic {
        category: Category::ALL[prompt % 2],
        subcategory: if prompt % 4 < 2 { "hands" } else { "feet" }.to_owned(),
    }
}

fn judgement(model: &str, prompt: usize, seed: u64, verdict: Verdict) -> Judgement {
    Judgement {
        protocol: "aer.v1".to_owned(),
        judge: Judge::Known,
        sample: Sample {
            model: model.to_owned(),
            prompt_id: prompt_id(prompt),
            seed,
        },
        topic: topic(prompt),
        image_sha256: None,
        repeat: 0,
        verdict,
    }
}

/// A model that fails on the first prompts, with one seed.
fn run(model: &str, n_fail: usize) -> Vec<Judgement> {
    let verdict = |prompt| {
        if prompt < n_fail {
            Verdict::Fail
        } else {
            Verdict::Pass
        }
    };
    (0..100)
        .map(|prompt| judgement(model, prompt, 0, verdict(prompt)))
        .collect()
}

fn comparison(prompt: usize, order: Order, choice: Choice) -> Comparison {
    Comparison {
        protocol: "rsi.v1".to_owned(),
        judge: Judge::Model("judge".to_owned()),
        model: "ours".to_owned(),
        baseline: "base".to_owned(),
        prompt_id: prompt_id(prompt),
        seed: 0,
        topic: topic(prompt),
        images_sha256: [None; 2],
        order,
        repeat: 0,
        choice,
    }
}

fn both(prompt: usize, model_first: Choice, baseline_first: Choice) -> [Comparison; 2] {
    [
        comparison(prompt, Order::ModelFirst, model_first),
        comparison(prompt, Order::BaselineFirst, baseline_first),
    ]
}

#[test]
fn an_error_rate_has_all_its_parts() {
    let mut judgements = run("ours", 30);
    judgements[99].verdict = BLOCKED;
    let report = aer_report(&judgements, Level::P95, HeadlinePolicy::Guarded).unwrap();
    let overall = &report.table.overall;
    let aer = overall.aer.unwrap();
    assert_eq!((aer.hits, aer.n, aer.method), (30, 99, RateMethod::Wilson));
    assert_eq!((overall.coverage, overall.headline), (Some(0.99), Headline::Fit));
    assert_eq!(overall.unscored.get(&UnscoredReason::Blocked), Some(&1));
    let bounds = overall.worst_case.unwrap();
    assert_eq!((bounds.low, bounds.high), (0.30, 0.31));
    assert_eq!(report.table.categories.len(), 2);
    assert_eq!(report.table.subcategories.len(), 4);
    assert_eq!(
        report.category(Category::BasicAnatomy).unwrap().counts.failures,
        15
    );
    assert!(report.category(Category::FullBody).is_none());
}

#[test]
fn too_many_unscored_images_refuse_the_headline() {
    let mut judgements = run("ours", 30);
    for judgement in &mut judgements[90..] {
        judgement.verdict = BLOCKED;
    }
    let headline = |judgements: &[Judgement], policy| {
        aer_report(judgements, Level::P95, policy)
            .unwrap()
            .table
            .overall
            .headline
    };
    assert_eq!(headline(&judgements, HeadlinePolicy::Guarded), Headline::Refused);
    assert_eq!(headline(&judgements, HeadlinePolicy::Forced), Headline::Forced);
    for judgement in &mut judgements {
        judgement.verdict = BLOCKED;
    }
    assert_eq!(headline(&judgements, HeadlinePolicy::Forced), Headline::Empty);
}

#[test]
fn several_images_of_a_prompt_are_a_cluster() {
    let mut judgements = run("ours", 30);
    judgements.extend(run("ours", 30).into_iter().map(|mut judgement| {
        judgement.sample.seed = 1;
        judgement
    }));
    let report = aer_report(&judgements, Level::P95, HeadlinePolicy::Guarded).unwrap();
    let aer = report.table.overall.aer.unwrap();
    assert_eq!(
        (aer.method, aer.n, aer.n_clusters),
        (RateMethod::ClusterWilson, 200, 100)
    );
    // Both seeds say the same, so they tell about as much as one.
    assert!((aer.n_effective - 99.0).abs() < 1e-9, "{aer:?}");
}

#[test]
fn judgements_that_do_not_belong_together_are_refused() {
    let report = |judgements: &[Judgement]| aer_report(judgements, Level::P95, HeadlinePolicy::Guarded);
    let mixed = [run("ours", 1), run("base", 1)].concat();
    assert!(matches!(report(&mixed), Err(Error::Mixed { what: "model", .. })));
    let twice = [run("ours", 1), run("ours", 1)].concat();
    let message = report(&twice).unwrap_err().to_string();
    assert_eq!(
        message,
        "prompt `haf-0`, seed 0, repeat 0 of model `ours` by Known: expected one judgement, got two"
    );
    assert!(matches!(report(&[]), Err(Error::TooFew { .. })));
}

#[test]
fn two_error_rates_are_compared_on_what_both_have() {
    let mut baseline = run("base", 40);
    baseline[99].verdict = BLOCKED;
    baseline.push(judgement("base", 100, 0, Verdict::Fail));
    let report = paired_aer(&run("ours", 30), &baseline, &bootstrap(500)).unwrap();
    let overall = &report.table.overall;
    assert_eq!(
        (report.n_unmatched, overall.n_unscored, overall.counts.n()),
        (1, 1, 99)
    );
    assert_eq!((overall.counts.model_only, overall.counts.baseline_only), (0, 10));
    assert_eq!(overall.difference, Some(-10.0 / 99.0));
    assert!((overall.mcnemar.p - 2.0 / 1024.0).abs() < 1e-15 && overall.p() == overall.mcnemar.p);
    for interval in [overall.newcombe.unwrap(), overall.bootstrap.unwrap()] {
        assert!(
            interval.high < 0.0 && interval.contains(-10.0 / 99.0),
            "{interval:?}"
        );
    }
    for (_, cell) in &report.table.categories {
        assert!(
            (cell.holm_p.unwrap() - 2.0 * cell.p()).abs() < 1e-12,
            "both categories are alike"
        );
    }
    let others = [judgement("base", 500, 0, Verdict::Fail)];
    assert!(matches!(
        paired_aer(&run("ours", 30), &others, &bootstrap(9)),
        Err(Error::TooFew { .. })
    ));
}

fn two_orders() -> Vec<Comparison> {
    let unscored = Choice::Unscored {
        reason: UnscoredReason::Parse,
    };
    let mut comparisons = Vec::new();
    for prompt in 0..40 {
        comparisons.extend(match prompt {
            0..20 => both(prompt, Choice::First, Choice::Second),
            20..28 => both(prompt, Choice::Second, Choice::First),
            28..34 => both(prompt, Choice::Tie, Choice::Tie),
            34..37 => both(prompt, Choice::First, Choice::First),
            37 => both(prompt, Choice::First, Choice::Tie),
            38 => both(prompt, Choice::First, unscored),
            _ => both(prompt, unscored, unscored),
        });
    }
    comparisons.push(comparison(40, Order::ModelFirst, Choice::First));
    comparisons
}

#[test]
fn orders_are_joined_by_the_policy() {
    let comparisons = two_orders();
    let strict = rsi_report(&comparisons, PositionPolicy::Strict, &bootstrap(300)).unwrap();
    let overall = &strict.table.overall;
    assert_eq!(
        overall.counts,
        RsiCounts {
            wins: 20,
            ties: 10,
            losses: 8
        }
    );
    assert_eq!((overall.n_inconsistent, overall.n_incomplete), (4, 1));
    assert_eq!(overall.unscored.get(&UnscoredReason::Parse), Some(&2));
    assert_eq!(overall.index.unwrap().value.finite(), Some(30.0 / 18.0));
    assert_eq!(
        (overall.tie_share, overall.ceiling),
        (Some(10.0 / 38.0), Some(3.8))
    );
    assert_eq!(overall.net_win_rate, Some(12.0 / 38.0));
    assert_eq!(overall.win_rate.unwrap().value, 20.0 / 28.0);
    assert!(overall.prompt_bootstrap.unwrap().p_above_1 > 0.95);
    assert!(overall.two_way_bootstrap.is_none(), "there is one judge only");

    let pooled = rsi_report(&comparisons, PositionPolicy::Pooled, &bootstrap(300)).unwrap();
    let overall = &pooled.table.overall;
    assert_eq!(
        overall.counts,
        RsiCounts {
            wins: 46,
            ties: 13,
            losses: 19
        }
    );
    assert_eq!(
        (overall.unscored.get(&UnscoredReason::Parse), overall.n_prompts),
        (Some(&3), 40)
    );
    assert_eq!(overall.p(), overall.clustered_p);

    let single = rsi_report(&comparisons, PositionPolicy::Single, &bootstrap(300));
    assert!(matches!(single, Err(Error::TooMany { .. })));
    let one_order: Vec<Comparison> = comparisons
        .into_iter()
        .filter(|comparison| comparison.order == Order::ModelFirst)
        .collect();
    let single = rsi_report(&one_order, PositionPolicy::Single, &bootstrap(300)).unwrap();
    assert_eq!(
        single.table.overall.counts,
        RsiCounts {
            wins: 26,
            ties: 6,
            losses: 8
        }
    );
}

#[test]
fn a_preference_for_a_position_is_seen() {
    let report = position_report(&two_orders(), Level::P95).unwrap();
    assert_eq!(report.table, [[20, 1, 3], [0, 6, 0], [0, 0, 8]]);
    let flips = report.flips.unwrap();
    assert_eq!((flips.hits, flips.n), (4, 38));
    assert_eq!(report.reversals.unwrap().hits, 3);
    let picks = report.first_picks.unwrap();
    assert_eq!(
        (picks.hits, picks.n),
        (20 + 8 + 6 + 1 + 1 + 1, 2 * 28 + 6 + 1 + 1 + 1)
    );
    let [model_first, baseline_first] = report
        .by_order
        .map(|index| index.unwrap().value.finite().unwrap());
    assert!(model_first > baseline_first, "the image shown first is preferred");
}

#[test]
fn a_judge_is_put_beside_people() {
    let human = |name: &str, prompt, verdict| Judgement {
        judge: Judge::Human(name.to_owned()),
        ..judgement("ours", prompt, 0, verdict)
    };
    let humans = [
        human("a", 0, Verdict::Fail),
        human("b", 0, Verdict::Pass),
        human("a", 1, BLOCKED),
        human("a", 99, Verdict::Fail),
    ];
    let expected = [
        JudgedItem {
            judge: 1,
            humans: vec![1, 0],
        },
        JudgedItem {
            judge: 0,
            humans: vec![1],
        },
    ];
    assert_eq!(verdict_items(&run("ours", 30), &humans), expected);

    let comparisons = two_orders();
    let people: Vec<Comparison> = [0, 1, 36]
        .into_iter()
        .map(|prompt| Comparison {
            judge: Judge::Human("a".to_owned()),
            ..comparison(prompt, Order::BaselineFirst, Choice::Second)
        })
        .collect();
    let joined = outcome_items(&items(&comparisons).unwrap(), &items(&people).unwrap());
    let pairs: Vec<(Outcome, Outcome)> = vec![
        (Outcome::Win, Outcome::Win),
        (Outcome::Win, Outcome::Win),
        (Outcome::Tie, Outcome::Win),
    ];
    let expected: Vec<JudgedItem> = pairs
        .iter()
        .map(|(judge, human)| JudgedItem {
            judge: *judge as usize,
            humans: vec![*human as usize],
        })
        .collect();
    assert_eq!(joined, expected);
    let report = outcome_agreement(&pairs, &bootstrap(100)).unwrap();
    let (exact, half_credit) = (
        report.exact.value.unwrap(),
        report.half_credit.unwrap().value.unwrap(),
    );
    assert_eq!((exact, half_credit), (2.0 / 3.0, 2.5 / 3.0));
    assert_eq!(report.decisive.unwrap().value, Some(1.0));
}

#[test]
fn scores_weigh_by_prompt_and_must_be_numbers() {
    let score = |prompt: usize, model, baseline| PairedScore {
        prompt_id: prompt_id(prompt),
        model,
        baseline,
    };
    // The first prompt has two seeds and weighs as much as the second.
    let scores = [score(0, 2.0, 1.0), score(0, 4.0, 1.0), score(1, 1.0, 2.0)];
    let report = score_difference(&scores, &bootstrap(100)).unwrap();
    assert_eq!((report.n_pairs, report.n_prompts, report.difference), (3, 2, 0.5));
    assert_eq!((report.model_mean, report.baseline_mean), (2.0, 1.5));
    let bad = [score(0, f64::NAN, 1.0)];
    let message = score_difference(&bad, &bootstrap(9)).unwrap_err().to_string();
    assert_eq!(
        message,
        "score of the model 0: expected a finite number, got `NaN`"
    );
    assert!(matches!(
        score_difference(&[], &bootstrap(9)),
        Err(Error::TooFew { .. })
    ));
}

#[test]
fn reports_are_read_back_as_they_were_written() {
    let report = rsi_report(&two_orders(), PositionPolicy::Strict, &bootstrap(50)).unwrap();
    let value = serde_json::to_value(&report).unwrap();
    assert_eq!(serde_json::from_value::<RsiReport>(value).unwrap(), report);
    let report = aer_report(&run("ours", 30), Level::P95, HeadlinePolicy::Guarded).unwrap();
    let value = serde_json::to_value(&report).unwrap();
    assert_eq!(serde_json::from_value::<AerReport>(value).unwrap(), report);
}
