//! Laws that hold for all data, tried on made-up data.

use asap_bench::stats::agreement::{Confusion, agreement};
use asap_bench::stats::davidson::{Matchup, Prior, fit};
use asap_bench::stats::dawid_skene::{Answer, dawid_skene};
use asap_bench::stats::exact::{coin_test, holm};
use asap_bench::stats::flip::{aer_order, rsi_order, rsi_side};
use asap_bench::stats::gold::{ChoiceAnswer, DetectionAnswer, GoldChoice, choice_skills, detection_skills};
use asap_bench::stats::human::{SplitRule, leave_one_out, majority};
use asap_bench::stats::krippendorff::alpha;
use asap_bench::stats::ranking::{ModelVote, ranking};
use asap_bench::stats::rogan_gladen::{Calibration, corrected_aer};
use asap_bench::stats::rsi::{self, RsiMethod, RsiValue};
use asap_bench::stats::votes::{Vote, Votes};
use asap_bench::stats::{ClusterCount, Error, Level, Rate, wilson};
use asap_core::{AerCounts, Outcome, RsiCounts, Stream};

use super::bootstrap;

const OUTCOMES: [Outcome; 3] = [Outcome::Win, Outcome::Tie, Outcome::Loss];

fn streams(name: &str) -> impl Iterator<Item = Stream> {
    (0..200).map(move |index| Stream::new(index, name))
}

fn random_counts(stream: &mut Stream, below: usize) -> RsiCounts {
    let [wins, ties, losses] = [0; 3].map(|_: u64| stream.below(below) as u64);
    RsiCounts { wins, ties, losses }
}

#[test]
fn an_index_and_its_interval_reverse() {
    for mut stream in streams("reverse") {
        let clusters: Vec<RsiCounts> = (0..1 + stream.below(6))
            .map(|_| random_counts(&mut stream, 4))
            .collect();
        let reversed: Vec<RsiCounts> = clusters.iter().map(|counts| counts.reversed()).collect();
        let (Ok(one), Ok(other)) = (
            rsi::from_clusters(&clusters, Level::P95),
            rsi::from_clusters(&reversed, Level::P95),
        ) else {
            assert!(clusters.iter().all(|counts| *counts == RsiCounts::default()));
            continue;
        };
        match (one.value, other.value) {
            (RsiValue::Finite(a), RsiValue::Finite(b)) => {
                assert!((a * b - 1.0).abs() < 1e-15, "{clusters:?}")
            }
            (a, b) => {
                assert!([a, b].contains(&RsiValue::Finite(0.0)) && [a, b].contains(&RsiValue::Infinite))
            }
        }
        let back = other.interval.reversed();
        assert!(
            (one.interval.low - back.low).abs() < 1e-12 * one.interval.low.max(1.0),
            "{clusters:?}"
        );
        assert_eq!(one.interval.high.is_some(), back.high.is_some(), "{clusters:?}");
        if let (Some(a), Some(b)) = (one.interval.high, back.high) {
            assert!((a / b - 1.0).abs() < 1e-12 || a == b, "{clusters:?}");
        }
    }
}

#[test]
fn outcomes_that_are_all_alike_have_an_exact_bound() {
    let index = |wins, ties, losses| rsi::from_counts(RsiCounts { wins, ties, losses }, Level::P95).unwrap();
    let won = index(20, 0, 0);
    assert_eq!((won.value, won.interval.high), (RsiValue::Infinite, None));
    // Clopper and Pearson: of 20 without a hit the share is at most 0.16843.
    assert!(
        (won.interval.low - (1.0 - 0.168_433_5) / 0.168_433_5).abs() < 1e-4,
        "{won:?}"
    );
    let tied = index(0, 20, 0);
    assert!(tied.interval.contains(1.0) && tied.interval.contains(0.84) && tied.interval.contains(1.2));
    for index in [won, tied, index(0, 0, 20)] {
        assert_eq!(index.interval.method, RsiMethod::ExactBound);
    }
    let one_prompt = [RsiCounts {
        wins: 3,
        ties: 1,
        losses: 1,
    }];
    let index = rsi::from_clusters(&one_prompt, Level::P95).unwrap();
    assert_eq!((index.interval.low, index.interval.high), (0.0, None));
    assert!(rsi::from_clusters(&[RsiCounts::default()], Level::P95).is_err());
}

#[test]
fn a_rate_lies_in_its_interval_and_clusters_never_narrow_it() {
    for mut stream in streams("rates") {
        let clusters: Vec<ClusterCount> = (0..2 + stream.below(30))
            .map(|_| {
                let n = 1 + stream.below(4) as u64;
                ClusterCount {
                    hits: stream.below(n as usize + 1) as u64,
                    n,
                }
            })
            .collect();
        let rate = Rate::clustered(&clusters, Level::P95).unwrap();
        assert!(rate.interval.contains(rate.value), "{rate:?}");
        let plain = wilson(rate.hits, rate.n, Level::P95).unwrap();
        assert!(
            rate.interval.width() >= plain.width() - 1e-12,
            "{rate:?} {plain:?}"
        );
        assert!(wilson(rate.hits, rate.n, Level::P99).unwrap().width() > plain.width());
    }
    let impossible = [ClusterCount { hits: 3, n: 2 }];
    assert!(matches!(
        Rate::clustered(&impossible, Level::P95),
        Err(Error::TooMany { most: 2, got: 3, .. })
    ));
    assert!(wilson(0, 0, Level::P95).is_err() && Level::new(1.0).is_err() && Level::new(f64::NAN).is_err());
}

#[test]
fn holm_is_monotone_and_never_below_the_p_value() {
    for mut stream in streams("holm") {
        let p: Vec<f64> = (0..1 + stream.below(8)).map(|_| stream.unit().powi(3)).collect();
        let adjusted = holm(&p);
        for i in 0..p.len() {
            assert!(adjusted[i] >= p[i] && adjusted[i] <= 1.0);
            assert!((0..p.len()).all(|j| p[i] > p[j] || adjusted[i] <= adjusted[j]));
        }
    }
}

#[test]
fn coin_tests_are_symmetric() {
    for mut stream in streams("coins") {
        let (a, b) = (stream.below(50) as u64, stream.below(50) as u64);
        let test = coin_test(a, b);
        assert_eq!(test, coin_test(b, a));
        assert!(test.mid_p <= test.p && test.p <= 1.0);
    }
}

fn random_votes(stream: &mut Stream, n: usize) -> Vec<Vote> {
    (0..n)
        .map(|_| Vote {
            prompt: 7 * stream.below(12) as u32,
            rater: 1000 + stream.below(5) as u32,
            outcome: *stream.choose(&OUTCOMES),
        })
        .collect()
}

#[test]
fn bootstraps_depend_on_the_seed_and_not_on_threads_or_the_order_of_votes() {
    let bootstrap = bootstrap(300);
    let mut stream = Stream::new(1, "votes");
    let mut listed = random_votes(&mut stream, 90);
    let votes = Votes::new(&listed);
    assert_eq!((votes.len(), votes.n_prompts(), votes.n_raters()), (90, 12, 5));
    let expected = (
        votes.prompt_bootstrap(&bootstrap).unwrap(),
        votes.two_way_bootstrap(&bootstrap).unwrap(),
    );
    stream.shuffle(&mut listed);
    let shuffled = Votes::new(&listed);
    for n_threads in [1, 3] {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(n_threads)
            .build()
            .unwrap();
        let got = pool.install(|| {
            (
                shuffled.prompt_bootstrap(&bootstrap).unwrap(),
                shuffled.two_way_bootstrap(&bootstrap).unwrap(),
            )
        });
        assert_eq!(got, expected);
    }
    let other = asap_bench::stats::Bootstrap {
        seed: 12,
        ..bootstrap
    };
    assert_ne!(votes.prompt_bootstrap(&other).unwrap(), expected.0);
    let counted = RsiCounts::of(listed.iter().map(|vote| vote.outcome));
    assert_eq!(votes.counts(), counted);
}

#[test]
fn perfect_agreement_is_1_and_what_is_undefined_is_absent() {
    let bootstrap = bootstrap(50);
    for mut stream in streams("perfect") {
        let classes: Vec<usize> = [0, 1]
            .into_iter()
            .chain((0..20).map(|_| stream.below(3)))
            .collect();
        let pairs: Vec<_> = classes.iter().map(|class| (*class, *class)).collect();
        let items: Vec<Vec<usize>> = classes
            .iter()
            .map(|class| vec![*class; 2 + stream.below(3)])
            .collect();
        let confusion = Confusion::of(&pairs, 3).unwrap();
        assert_eq!((confusion.kappa(), confusion.ac1()), (Some(1.0), Some(1.0)));
        assert_eq!(alpha(&items, 3, &bootstrap).unwrap().value, Some(1.0));
        assert_eq!(
            leave_one_out(&items, 3, SplitRule::Drop, &bootstrap)
                .unwrap()
                .value,
            Some(1.0)
        );
    }
    let one_class = agreement(&[(1, 1); 10], 3, Some(1), &bootstrap).unwrap();
    assert_eq!((one_class.kappa.value, one_class.kappa.interval), (None, None));
    assert_eq!(one_class.decisive.unwrap().value, None);
    assert_eq!(one_class.ac1.value, Some(1.0));
    assert_eq!(
        alpha(&[vec![1, 1], vec![1, 1, 1]], 2, &bootstrap).unwrap().value,
        None
    );
    assert!(alpha(&[vec![1], vec![]], 2, &bootstrap).is_err());
    assert!(Confusion::of(&[(0, 2)], 2).is_err());
}

#[test]
fn a_split_majority_follows_the_rule() {
    assert_eq!(majority(&[0, 2, 2], 3, SplitRule::Drop), Some(2));
    assert_eq!(majority(&[0, 2], 3, SplitRule::Drop), None);
    assert_eq!(majority(&[0, 2], 3, SplitRule::Class(1)), Some(1));
    assert_eq!(majority(&[], 3, SplitRule::Class(1)), None);
}

/// Tries all ways to change so many votes.
fn can_reverse(first: RsiCounts, second: RsiCounts, changes: u64) -> bool {
    let ratio = |counts: RsiCounts| (counts.wins + counts.ties, counts.losses + counts.ties);
    let less = |a: (u64, u64), b: (u64, u64)| a.0 * b.1 < b.0 * a.1;
    let is_higher = less(ratio(second), ratio(first));
    let all = |counts: RsiCounts| {
        let n = counts.wins + counts.ties + counts.losses;
        (0..=n).flat_map(move |wins| {
            (0..=n - wins).map(move |ties| RsiCounts {
                wins,
                ties,
                losses: n - wins - ties,
            })
        })
    };
    let distance = |a: RsiCounts, b: RsiCounts| {
        (a.wins.abs_diff(b.wins) + a.ties.abs_diff(b.ties) + a.losses.abs_diff(b.losses)) / 2
    };
    all(first).any(|one| {
        all(second).any(|two| {
            let is_reversed = match is_higher {
                true => less(ratio(one), ratio(two)),
                false => less(ratio(two), ratio(one)),
            };
            is_reversed && distance(first, one) + distance(second, two) <= changes
        })
    })
}

#[test]
fn votes_to_flip_are_the_fewest_that_do() {
    for mut stream in streams("flip") {
        let (first, second) = (random_counts(&mut stream, 4), random_counts(&mut stream, 4));
        assert_eq!(rsi_order(first, second), rsi_order(second, first));
        if let Some(changes) = rsi_order(first, second) {
            assert!(
                can_reverse(first, second, changes),
                "{first:?} {second:?} {changes}"
            );
            assert!(
                !can_reverse(first, second, changes - 1),
                "{first:?} {second:?} {changes}"
            );
        }
        let even = RsiCounts {
            wins: 1,
            ties: 0,
            losses: 1,
        };
        let lead = first.wins.abs_diff(first.losses);
        assert_eq!(rsi_side(first), (lead > 0).then_some(lead / 2 + 1));
        assert_eq!(rsi_order(even, RsiCounts::default()), None);
    }
    let aer = |failures, passes| AerCounts {
        failures,
        passes,
        unscored: 9,
    };
    // 30 and 20 of 100: with 5 fewer and 6 more, or any other split, the second is ahead.
    assert_eq!(aer_order(aer(30, 70), aer(20, 80)), Some(11));
    assert_eq!(aer_order(aer(20, 80), aer(30, 70)), Some(11));
    // One verdict of ten weighs as much as ten of a hundred.
    assert_eq!(aer_order(aer(3, 7), aer(25, 75)), Some(1));
    assert_eq!(aer_order(aer(1, 1), aer(2, 2)), None);
}

fn names(n: usize) -> Vec<String> {
    (0..n).map(|index| format!("model-{index}")).collect()
}

fn matchup(first: usize, second: usize, [wins, ties, losses]: [u64; 3]) -> Matchup {
    Matchup {
        first,
        second,
        counts: RsiCounts { wins, ties, losses },
    }
}

#[test]
fn comparisons_without_a_best_fit_are_refused_and_a_prior_helps() {
    let anchor = Prior::Anchor { weight: 1.0 };
    let apart = [matchup(0, 1, [3, 2, 3]), matchup(2, 3, [3, 2, 3])];
    let error = fit(&names(4), &apart, Prior::None).unwrap_err();
    assert!(
        matches!(&error, Error::Disconnected { one, .. } if one.len() == 2),
        "{error}"
    );
    let unbeaten = [matchup(0, 1, [3, 0, 0]), matchup(1, 2, [3, 2, 3])];
    // Neither lost, nor enough of both: the fit would run to infinity with ν.
    let undefeated = [matchup(0, 1, [5, 5, 0])];
    let ties_only = [matchup(0, 1, [0, 8, 0])];
    for matchups in [&unbeaten[..], &undefeated, &ties_only] {
        let n = matchups.len() + 1;
        let error = fit(&names(n), matchups, Prior::None).unwrap_err();
        assert!(matches!(error, Error::Separated { .. }), "{error}");
        assert!(fit(&names(n), matchups, anchor).is_ok());
    }
    assert!(fit(&names(4), &apart, anchor).is_ok());
    assert!(fit(&names(2), &[matchup(0, 0, [1, 1, 1])], Prior::None).is_err());
    assert!(fit(&names(2), &undefeated, Prior::Anchor { weight: 0.0 }).is_err());
    // Without losses of model 0, but a circle of wins over model 2.
    let circle = [
        matchup(0, 1, [5, 1, 0]),
        matchup(1, 2, [4, 0, 1]),
        matchup(2, 0, [4, 0, 1]),
    ];
    assert!(fit(&names(3), &circle, Prior::None).is_ok());
}

#[test]
fn two_models_have_the_index_that_was_counted() {
    for mut stream in streams("two") {
        let [wins, ties, losses] = [0; 3].map(|_: u64| 1 + stream.below(40) as u64);
        let fit = fit(&names(2), &[matchup(0, 1, [wins, ties, losses])], Prior::None).unwrap();
        let expected = (wins + ties) as f64 / (losses + ties) as f64;
        assert!((fit.rsi(0, 1) / expected - 1.0).abs() < 1e-8);
        assert!(fit.log_strengths.iter().sum::<f64>().abs() < 1e-12);
    }
}

#[test]
fn ranks_follow_strengths_and_clear_leads_have_one_rank() {
    let mut stream = Stream::new(1, "ranks");
    let mut votes = Vec::new();
    for prompt in 0..80 {
        for (first, second) in [(1, 0), (2, 0), (2, 1)] {
            let outcome = match stream.unit() {
                x if x < 0.7 => Outcome::Win,
                x if x < 0.8 => Outcome::Tie,
                _ => Outcome::Loss,
            };
            votes.push(ModelVote {
                prompt,
                first,
                second,
                outcome,
            });
        }
    }
    let ranking = ranking(&names(3), &votes, Prior::None, &bootstrap(200)).unwrap();
    let rows: Vec<_> = ranking
        .models
        .iter()
        .map(|row| (row.model.as_str(), row.rank, row.n_votes))
        .collect();
    assert_eq!(
        rows,
        [("model-2", 1, 160), ("model-1", 2, 160), ("model-0", 3, 160)]
    );
    assert_eq!(ranking.models[0].rank_interval, [1, 1]);
    assert_eq!(ranking.n_undefined, 0);
}

#[test]
fn one_rater_who_is_always_wrong_does_not_mislead_the_rest() {
    let answers: Vec<Answer> = (0..60)
        .flat_map(|item| {
            let truth = usize::from(item % 3 == 0);
            (0..4).map(move |rater| Answer {
                item,
                rater,
                class: if rater == 3 { 1 - truth } else { truth },
            })
        })
        .collect();
    let fit = dawid_skene(&answers, 2).unwrap();
    assert!((fit.shares[1] - 1.0 / 3.0).abs() < 1e-6);
    assert!(fit.raters[3].errors[0][1] > 0.999 && fit.raters[0].errors[0][0] > 0.999);
    assert!(dawid_skene(&[], 2).is_err());
}

#[test]
fn a_perfect_judge_needs_no_correction_and_a_useless_one_gets_none() {
    let clusters: Vec<ClusterCount> = (0..100)
        .map(|i| ClusterCount {
            hits: u64::from(i < 30),
            n: 1,
        })
        .collect();
    let perfect = Calibration {
        caught: 50,
        missed: 0,
        false_alarms: 0,
        cleared: 50,
    };
    let corrected = corrected_aer(&clusters, &perfect, &bootstrap(200)).unwrap();
    assert!(
        (corrected.value - 0.3).abs() < 1e-15 && corrected.clipped_share == 0.0,
        "{corrected:?}"
    );
    // More false alarms in the calibration than failures in all: the rate is cut at 0.
    let strict = Calibration {
        caught: 50,
        missed: 0,
        false_alarms: 25,
        cleared: 25,
    };
    let cut = corrected_aer(&clusters, &strict, &bootstrap(200)).unwrap();
    assert!(
        cut.unclipped < 0.0 && cut.value == 0.0 && cut.clipped_share > 0.9,
        "{cut:?}"
    );
    let useless = Calibration {
        caught: 25,
        missed: 25,
        false_alarms: 25,
        cleared: 25,
    };
    assert!(matches!(
        corrected_aer(&clusters, &useless, &bootstrap(9)),
        Err(Error::Undefined { .. })
    ));
}

#[test]
fn raters_are_measured_on_gold_by_grade() {
    let answer = |rater: &str, grade, has_error, said_error| DetectionAnswer {
        rater: rater.to_owned(),
        grade,
        has_error,
        said_error,
    };
    let answers = [
        answer("b", 1, true, true),
        answer("b", 2, true, false),
        answer("b", 1, false, false),
        answer("a", 1, true, true),
    ];
    let skills = detection_skills(&answers, Level::P95).unwrap();
    let [a, b] = skills.as_slice() else {
        panic!("{skills:?}")
    };
    assert_eq!((a.rater.as_str(), a.d_prime, a.false_alarms), ("a", None, None));
    let grades: Vec<_> = b
        .grades
        .iter()
        .map(|(grade, rate)| (*grade, rate.hits, rate.n))
        .collect();
    assert_eq!(grades, [(1, 1, 1), (2, 0, 1)]);
    assert!(b.d_prime.unwrap().value > 0.0);

    let choice = |choice| ChoiceAnswer {
        rater: "a".to_owned(),
        grade: 3,
        choice,
    };
    let answers = [
        choice(GoldChoice::Better),
        choice(GoldChoice::Tie),
        choice(GoldChoice::Worse),
    ];
    let skills = choice_skills(&answers, Level::P95).unwrap();
    assert_eq!(
        (skills[0].hits.hits, skills[0].hits.n, skills[0].ties.hits),
        (1, 3, 1)
    );
    assert!(skills[0].d_prime.unwrap().value.abs() < 1e-12);
}
