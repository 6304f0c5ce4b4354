//! Whole data sets of a few made-up pairs.

use asap_core::Mask;

use super::decide::tests::good;
use super::*;

/// The good pair of the rules' tests as pair `pair` of positive `positive`, unlike every other.
fn input(positive: u64, pair: u64) -> CurationInput {
    let (stats, mut evidence) = good();
    let mut stream = Stream::new(positive, "positive");
    evidence.positive_phash = stream.bits();
    evidence.positive_dhash = stream.bits();
    evidence.part_phash = stream.bits();
    let mut stream = Stream::new(pair, "pair");
    evidence.rejected_part_phash = stream.bits();
    let positive_id = PositiveId::new(&positive.to_string(), "");
    CurationInput {
        pair_id: PairId::new(positive_id, "", "", pair),
        positive_id,
        source_kind: SourceKind::Photograph,
        source_sha256: String::new(),
        operators: vec!["hand.melted@1".to_owned()],
        stats,
        evidence,
        mask: MaskThumb::of(&Mask::from_fn(64, 64, |x, y| x < 20 && y < 20)),
    }
}

fn with(mut input: CurationInput, change: impl FnOnce(&mut CurationInput)) -> CurationInput {
    change(&mut input);
    input
}

/// The rules that every pair failed.
fn failed(report: &CurationReport) -> Vec<Vec<&str>> {
    report
        .curations
        .iter()
        .map(|curation| {
            curation
                .rejections
                .iter()
                .map(|rejection| rejection.rule.as_str())
                .collect()
        })
        .collect()
}

#[test]
fn twins_of_one_positive_leave_the_one_nearest_to_the_paper() {
    let twin = |pair, ssim| {
        with(input(1, pair), |input| {
            input.stats[0].ssim_inside = Some(ssim);
            input.evidence.rejected_part_phash = 77;
        })
    };
    let elsewhere = with(twin(5, 0.8), |input| {
        input.mask = MaskThumb::of(&Mask::from_fn(64, 64, |x, _| x > 40));
    });
    let bad = with(twin(6, 0.53), |input| input.evidence.containment = f64::NAN);
    let inputs = [
        twin(1, 0.8),
        twin(2, 0.55),
        input(1, 3),
        twin(4, 0.2),
        elsewhere,
        bad,
    ];
    let report = curate(&inputs, &Thresholds::embedded());
    let twin_rule = vec!["twin_mask_iou_max"];
    // The failing twin is nearest to the paper and still displaces nobody.
    let expected = [
        twin_rule.clone(),
        vec![],
        vec![],
        twin_rule,
        vec![],
        vec!["containment_min"],
    ];
    assert_eq!(failed(&report), expected);
}

#[test]
fn of_a_crowd_of_like_positives_the_best_stay() {
    let alike = |positive, sharpness| {
        with(input(positive, positive), |input| {
            (input.evidence.positive_phash, input.evidence.positive_dhash) = (0, 0);
            input.evidence.part_phash = 0;
            input.evidence.part_sharpness = sharpness;
        })
    };
    let inputs = [
        alike(1, 100.0),
        alike(2, 400.0),
        alike(3, 300.0),
        alike(4, 200.0),
        input(5, 5),
    ];
    let report = curate(&inputs, &Thresholds::embedded());
    let clusters: Vec<u32> = report.curations.iter().map(|curation| curation.cluster).collect();
    assert_eq!(clusters, [0, 0, 0, 0, 1]);
    assert_eq!(
        report.curations[0].rejections,
        [duplicate("positives_per_cluster_max", 4.0, 3.0)]
    );
    assert!(
        report.curations[1..]
            .iter()
            .all(|curation| curation.decision == Decision::Kept)
    );
    let splits: Vec<Split> = report.curations[..4]
        .iter()
        .map(|curation| curation.split)
        .collect();
    assert!(
        splits.iter().all(|split| *split == splits[0]),
        "a cluster is never divided"
    );
}

#[test]
fn splits_have_their_shares_and_do_not_move_when_data_comes() {
    let inputs: Vec<CurationInput> = (0..2000).map(|positive| input(positive, 0)).collect();
    let thresholds = Thresholds::embedded();
    let all = curate(&inputs, &thresholds);
    let some = curate(&inputs[500..900], &thresholds);
    let share = |split: Split| {
        let n = all
            .curations
            .iter()
            .filter(|curation| curation.split == split)
            .count();
        n as f64 / all.curations.len() as f64
    };
    assert!(
        (share(Split::Train) - 0.8).abs() < 0.03,
        "{}",
        share(Split::Train)
    );
    assert!((share(Split::Test) - 0.1).abs() < 0.03, "{}", share(Split::Test));
    let split = |curations: &[Curation]| {
        curations
            .iter()
            .map(|curation| curation.split)
            .collect::<Vec<_>>()
    };
    assert_eq!(split(&all.curations[500..900]), split(&some.curations));
}

#[test]
fn the_order_of_the_inputs_changes_no_decision() {
    let mut inputs: Vec<CurationInput> = (0..40)
        .map(|pair| {
            with(input(pair / 4, pair), |input| {
                input.evidence.rejected_part_phash = pair % 2;
                input.evidence.positive_phash &= 0b111 << 61;
                input.evidence.positive_dhash = 0;
                input.evidence.part_phash = 0;
                input.stats[0].ssim_inside = Some(0.4 + 0.015 * pair as f64);
            })
        })
        .collect();
    let decided = |inputs: &[CurationInput]| {
        let report = curate(inputs, &Thresholds::embedded());
        let decisions = inputs.iter().zip(report.curations);
        let mut decisions: Vec<_> = decisions
            .map(|(input, curation)| (input.pair_id, curation.decision, curation.split))
            .collect();
        decisions.sort_unstable();
        (decisions, report.funnel, report.worst_kept, report.best_rejected)
    };
    let before = decided(&inputs);
    assert!(
        before
            .0
            .iter()
            .any(|(_, decision, _)| *decision == Decision::Rejected)
    );
    Stream::new(8, "order").shuffle(&mut inputs);
    assert_eq!(decided(&inputs), before);
}

/// A small data set with all outcomes.
fn report() -> CurationReport {
    let blurred = with(input(2, 1), |input| input.evidence.part_sharpness = 30.0);
    let faint = with(input(3, 1), |input| input.stats[0].ssim_inside = Some(0.9));
    let blurred_and_faint = with(input(4, 1), |input| {
        input.evidence.part_sharpness = 3.0;
        input.stats[0].ssim_inside = Some(0.99);
    });
    let leaking = with(input(5, 1), |input| input.stats[0].ssim_outside = Some(0.9));
    let composed = with(input(6, 1), |input| {
        input.operators = vec!["hand.size@2".to_owned(), "hand.melted@1".to_owned()];
    });
    let figure = with(input(7, 1), |input| {
        input.source_kind = SourceKind::Figure;
        input.evidence.mask_share = 0.5;
    });
    let inputs = [
        input(1, 1),
        blurred,
        faint,
        blurred_and_faint,
        leaking,
        composed,
        figure,
    ];
    curate(&inputs, &Thresholds::embedded())
}

#[test]
fn the_funnel_counts_each_pair_once_in_each_of_its_rows() {
    let funnel = report().funnel;
    let expected = "\
source      operator     made  positive  visible  background  mask  duplicate  kept  kept %
photograph  hand.melted     6         2        1           1     0          0     2    33.3
photograph  hand.size       1         0        0           0     0          0     1   100.0
figure      hand.melted     1         0        0           0     1          0     0     0.0
            all             7         2        1           1     1          0     2    28.6
";
    assert_eq!(funnel.to_text(), expected);
    assert_eq!(funnel.all.failed.visible_degradation, 2);
    assert_eq!(funnel.rules["visible_degradation/ssim_edit_max"], 2);
    let json = serde_json::to_string(&funnel).unwrap();
    assert_eq!(serde_json::from_str::<Funnel>(&json).unwrap(), funnel);
}

#[test]
fn the_chart_says_what_the_table_says() {
    let svg = report().funnel.to_svg();
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
    for text in [
        "2 of 7 pairs kept (29 %)",
        "hand.size",
        "<title>hand.melted: 1 not visible</title>",
        "1 / 1 · 100 %",
    ] {
        assert!(svg.contains(text), "{text} is missing");
    }
    let opened = svg.matches("<text").count() + svg.matches("<title").count();
    assert_eq!(
        opened,
        svg.matches("</text>").count() + svg.matches("</title>").count()
    );
}

#[test]
fn edges_are_the_nearest_to_the_thresholds() {
    let near = with(input(1, 1), |input| input.stats[0].ssim_inside = Some(0.84));
    let missed = with(input(2, 1), |input| input.stats[0].ssim_inside = Some(0.86));
    let hopeless = with(input(3, 1), |input| input.evidence.mask_components = 90);
    let report = curate(
        &[input(4, 1), near.clone(), missed.clone(), hopeless],
        &Thresholds::embedded(),
    );
    let first = report.worst_kept[0];
    assert_eq!((first.pair_id, first.rule), (near.pair_id, "ssim_edit_max"));
    assert_eq!(report.worst_kept.len(), 2);
    let ids: Vec<PairId> = report.best_rejected.iter().map(|edge| edge.pair_id).collect();
    assert_eq!(ids, [missed.pair_id]);
}
