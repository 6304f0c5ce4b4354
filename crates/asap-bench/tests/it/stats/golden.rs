//! Equality with SciPy, statsmodels, scikit-learn, choix, crowd-kit, krippendorff and irrCAC on the numbers of
//! `../../golden/stats/`.

use asap_bench::stats::agreement::Confusion;
use asap_bench::stats::davidson::{Matchup, Prior, fit};
use asap_bench::stats::dawid_skene::{Answer, dawid_skene};
use asap_bench::stats::exact::{cluster_sign_test, coin_test, holm};
use asap_bench::stats::gold::{d_prime_choice, d_prime_detection};
use asap_bench::stats::krippendorff::alpha;
use asap_bench::stats::paired_aer::{PairedCounts, newcombe};
use asap_bench::stats::votes::{RsiBootstrap, Vote, Votes};
use asap_bench::stats::wilcoxon::{SignedRankMethod, ZeroMethod, signed_rank};
use asap_bench::stats::{ClusterCount, Level, Rate, rsi, wilson};
use asap_core::{Outcome, RsiCounts};
use serde_json::Value;

use super::bootstrap;

/// Direct formulas: both sides are f64 and differ by rounding only.
const TOLERANCE: f64 = 1e-9;
/// Fits: both sides stop near the maximum.
const FIT_TOLERANCE: f64 = 1e-6;

const OUTCOMES: [Outcome; 3] = [Outcome::Win, Outcome::Tie, Outcome::Loss];

fn rates() -> Value {
    serde_json::from_str(include_str!("../../golden/stats/rates.json")).expect("the file is JSON")
}

fn indices() -> Value {
    serde_json::from_str(include_str!("../../golden/stats/indices.json")).expect("the file is JSON")
}

fn agreements() -> Value {
    serde_json::from_str(include_str!("../../golden/stats/agreement.json")).expect("the file is JSON")
}

fn rows(value: &Value) -> &[Value] {
    value.as_array().expect("the script wrote a list here")
}

fn number(value: &Value) -> f64 {
    value.as_f64().expect("the script wrote a number here")
}

fn numbers(value: &Value) -> Vec<f64> {
    rows(value).iter().map(number).collect()
}

fn whole(value: &Value) -> u64 {
    value.as_u64().expect("the script wrote a count here")
}

fn wholes(value: &Value) -> Vec<u64> {
    rows(value).iter().map(whole).collect()
}

fn level(row: &Value) -> Level {
    Level::new(number(&row["level"])).expect("the script has levels below 1")
}

#[track_caller]
fn check_within(got: &[f64], expected: &[f64], tolerance: f64, row: &Value) {
    assert_eq!(got.len(), expected.len());
    for (got, expected) in got.iter().zip(expected) {
        let allowed = tolerance * expected.abs().max(1.0);
        assert!(
            (got - expected).abs() <= allowed,
            "got {got}, expected {expected} in {row}"
        );
    }
}

#[track_caller]
fn check(got: &[f64], expected: &[f64], row: &Value) {
    check_within(got, expected, TOLERANCE, row);
}

#[test]
fn normal_quantiles_are_those_of_scipy() {
    for row in rows(&rates()["quantiles"]) {
        check(&[level(row).z()], &[number(&row["z"])], row);
    }
}

#[test]
fn wilson_intervals_are_those_of_statsmodels() {
    for row in rows(&rates()["wilson"]) {
        let interval = wilson(whole(&row["hits"]), whole(&row["n"]), level(row)).unwrap();
        check(
            &[interval.low, interval.high],
            &[number(&row["low"]), number(&row["high"])],
            row,
        );
    }
}

#[test]
fn clustered_rates_have_the_robust_variance_of_statsmodels() {
    for row in rows(&rates()["clustered"]) {
        let clusters: Vec<ClusterCount> = rows(&row["clusters"])
            .iter()
            .map(|pair| ClusterCount {
                hits: whole(&pair[0]),
                n: whole(&pair[1]),
            })
            .collect();
        let rate = Rate::clustered(&clusters, Level::P95).unwrap();
        check(
            &[rate.n_effective, rate.interval.low, rate.interval.high],
            &[
                number(&row["n_effective"]),
                number(&row["low"]),
                number(&row["high"]),
            ],
            row,
        );
    }
}

#[test]
fn exact_tests_are_those_of_statsmodels_and_scipy() {
    for row in rows(&rates()["coins"]) {
        let test = coin_test(whole(&row["first"]), whole(&row["second"]));
        check(
            &[test.p, test.mid_p],
            &[number(&row["p"]), number(&row["mid_p"])],
            row,
        );
    }
    for row in rows(&rates()["cluster_sign"]) {
        check(
            &[cluster_sign_test(numbers(&row["differences"]))],
            &[number(&row["p"])],
            row,
        );
    }
}

#[test]
fn holm_is_that_of_statsmodels() {
    for row in rows(&rates()["holm"]) {
        check(&holm(&numbers(&row["p"])), &numbers(&row["holm"]), row);
    }
}

#[test]
fn newcombe_is_the_published_formula() {
    for row in rows(&rates()["newcombe"]) {
        let counts = wholes(&row["counts"]);
        let counts = PairedCounts {
            both_fail: counts[0],
            model_only: counts[1],
            baseline_only: counts[2],
            both_pass: counts[3],
        };
        let interval = newcombe(&counts, level(row)).unwrap();
        check(
            &[interval.low, interval.high],
            &[number(&row["low"]), number(&row["high"])],
            row,
        );
    }
}

#[test]
fn signed_ranks_are_those_of_scipy() {
    for row in rows(&rates()["signed_ranks"]) {
        let zeros: ZeroMethod = match row["zeros"].as_str().unwrap() {
            "zsplit" => ZeroMethod::ZSplit,
            "pratt" => ZeroMethod::Pratt,
            _ => ZeroMethod::Wilcox,
        };
        let test = signed_rank(&numbers(&row["differences"]), zeros).unwrap();
        let is_exact = row["method"] == "exact";
        assert_eq!(test.method == SignedRankMethod::Exact, is_exact, "{row}");
        let got = [test.positive.min(test.negative), test.p];
        check(&got, &[number(&row["smaller"]), number(&row["p"])], row);
    }
}

#[test]
fn sensitivity_indices_are_the_published_formulas() {
    for row in rows(&rates()["d_primes"]) {
        let pair = |name: &str| (whole(&row[name][0]), whole(&row[name][1]));
        for (got, name) in [
            (
                d_prime_detection(pair("hits"), pair("alarms"), Level::P95),
                "detection",
            ),
            (d_prime_choice(pair("hits"), Level::P95), "choice"),
        ] {
            check(
                &[got.value, 0.5 * got.interval.width()],
                &numbers(&row[name]),
                row,
            );
        }
    }
}

fn votes(row: &Value) -> Votes {
    let vote = |vote: &Value| Vote {
        prompt: whole(&vote[0]) as u32,
        rater: whole(&vote[1]) as u32,
        outcome: OUTCOMES[whole(&vote[2]) as usize],
    };
    Votes::new(&rows(&row["votes"]).iter().map(vote).collect::<Vec<_>>())
}

#[test]
fn indices_have_the_robust_variance_of_statsmodels() {
    for row in rows(&indices()["rsi"]) {
        let index = rsi::from_clusters(&votes(row).by_prompt(), Level::P95).unwrap();
        check(
            &[
                index.value.finite().unwrap(),
                index.interval.low,
                index.interval.high.unwrap(),
            ],
            &[number(&row["value"]), number(&row["low"]), number(&row["high"])],
            row,
        );
    }
}

#[test]
fn bootstraps_draw_from_the_distribution_that_numpy_draws_from() {
    let indices = indices();
    for (row, expected) in rows(&indices["rsi"]).iter().zip(rows(&indices["bootstraps"])) {
        let votes = votes(row);
        let bootstrap = bootstrap(10_000);
        check_drawn(&votes.prompt_bootstrap(&bootstrap).unwrap(), &expected["prompt"]);
        check_drawn(
            &votes.two_way_bootstrap(&bootstrap).unwrap(),
            &expected["two_way"],
        );
    }
}

/// With 10 000 replicates on both sides an end of the interval is known to about 2 % of its width, and the share
/// above 1 to 0.7 %; four times as much would be a different distribution.
fn check_drawn(got: &RsiBootstrap, expected: &Value) {
    let (low, high) = (number(&expected["low"]).ln(), number(&expected["high"]).ln());
    let allowed = 0.08 * (high - low);
    let got_high = got.interval.high.expect("the expected end is a number").ln();
    let got_low = got.interval.low.ln();
    assert!((got_low - low).abs() < allowed, "{got:?} {expected}");
    assert!((got_high - high).abs() < allowed, "{got:?} {expected}");
    // NumPy's side counts replicates at exactly 1 as not above.
    assert!(
        (got.p_above_1 - number(&expected["above"])).abs() < 0.04,
        "{got:?} {expected}"
    );
}

fn matchups(row: &Value) -> Vec<Matchup> {
    rows(&row["matchups"])
        .iter()
        .map(|row| {
            let row = wholes(row);
            Matchup {
                first: row[0] as usize,
                second: row[1] as usize,
                counts: RsiCounts {
                    wins: row[2],
                    ties: row[3],
                    losses: row[4],
                },
            }
        })
        .collect()
}

fn names(n: usize) -> Vec<String> {
    (0..n).map(|index| format!("model-{index}")).collect()
}

#[test]
fn davidson_is_the_maximum_that_scipy_finds() {
    for row in rows(&indices()["davidson"]) {
        let expected = numbers(&row["log_strengths"]);
        let fit = fit(&names(expected.len()), &matchups(row), Prior::None).unwrap();
        check_within(&fit.log_strengths, &expected, FIT_TOLERANCE, row);
        let got = [fit.tie_parameter, fit.log_likelihood];
        let expected = [number(&row["tie_parameter"]), number(&row["log_likelihood"])];
        check_within(&got, &expected, FIT_TOLERANCE, row);
    }
}

#[test]
fn davidson_without_ties_is_the_bradley_terry_model_of_choix() {
    for row in rows(&indices()["bradley_terry"]) {
        let expected = numbers(&row["log_strengths"]);
        let fit = fit(&names(expected.len()), &matchups(row), Prior::None).unwrap();
        assert_eq!(fit.tie_parameter, 0.0);
        check_within(&fit.log_strengths, &expected, FIT_TOLERANCE, row);
    }
}

#[test]
fn dawid_skene_is_that_of_crowd_kit() {
    for row in rows(&indices()["dawid_skene"]) {
        let answer = |answer: &Value| Answer {
            item: whole(&answer[0]) as u32,
            rater: whole(&answer[1]) as u32,
            class: whole(&answer[2]) as usize,
        };
        let answers: Vec<Answer> = rows(&row["answers"]).iter().map(answer).collect();
        let fit = dawid_skene(&answers, whole(&row["n_classes"]) as usize).unwrap();
        check_within(&fit.shares, &numbers(&row["shares"]), FIT_TOLERANCE, row);
        for (item, expected) in fit.items.iter().zip(rows(&row["probabilities"])) {
            check_within(&item.probabilities, &numbers(expected), FIT_TOLERANCE, row);
        }
        for (rater, expected) in fit.raters.iter().zip(rows(&row["errors"])) {
            for (errors, expected) in rater.errors.iter().zip(rows(expected)) {
                check_within(errors, &numbers(expected), FIT_TOLERANCE, row);
            }
        }
    }
}

#[test]
fn agreement_is_that_of_scikit_learn_and_irrcac() {
    for row in rows(&agreements()["pairs"]) {
        let pair = |pair: &Value| (whole(&pair[0]) as usize, whole(&pair[1]) as usize);
        let pairs: Vec<_> = rows(&row["pairs"]).iter().map(pair).collect();
        let confusion = Confusion::of(&pairs, whole(&row["n_classes"]) as usize).unwrap();
        let expected: Vec<Vec<u64>> = rows(&row["confusion"]).iter().map(wholes).collect();
        assert_eq!(confusion.cells, expected);
        for (got, name) in [
            (confusion.exact(), "exact"),
            (confusion.decisive(1), "decisive"),
            (confusion.half_credit(1), "half_credit"),
            (confusion.kappa(), "kappa"),
            (confusion.ac1(), "ac1"),
        ] {
            check(&[got.unwrap()], &[number(&row[name])], row);
        }
    }
}

#[test]
fn alpha_is_that_of_krippendorff() {
    for row in rows(&agreements()["alphas"]) {
        let items: Vec<Vec<usize>> = rows(&row["items"])
            .iter()
            .map(|item| wholes(item).into_iter().map(|class| class as usize).collect())
            .collect();
        let got = alpha(&items, whole(&row["n_classes"]) as usize, &bootstrap(100)).unwrap();
        check(&[got.value.unwrap()], &[number(&row["alpha"])], row);
    }
}
