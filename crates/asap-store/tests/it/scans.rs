//! Filtered streams, counts, verification, and the time that lists take.

use std::sync::Mutex;

use asap_core::{Decision, Kind, Mechanism, Region, SourceKind, Split, StatRegion};
use asap_store::{Dataset, Filter, Record, sha256};

use crate::fixture::{group, stats};

async fn dataset(dir: &tempfile::TempDir) -> Dataset {
    let mut dataset = Dataset::create(dir.path().join("hap.lance")).await.unwrap();
    dataset
        .append((0..4).map(|number| group(number, 6)).collect())
        .await
        .unwrap();
    dataset
}

async fn collect(dataset: &Dataset, filter: &Filter, batch_size: usize) -> Vec<Record> {
    let mut records = dataset.stream(filter, batch_size).await.unwrap();
    let expected = records.len();
    let mut all = Vec::new();
    while let Some(batch) = records.next_batch().await.unwrap() {
        assert!(
            !batch.is_empty() && batch.len() <= batch_size,
            "{} records at once",
            batch.len()
        );
        all.extend(batch);
    }
    assert_eq!(all.len(), expected);
    all
}

#[tokio::test]
async fn a_stream_is_bounded_ordered_and_shares_preferred_images() {
    let dir = tempfile::tempdir().unwrap();
    let dataset = dataset(&dir).await;
    let all = collect(&dataset, &Filter::default(), 7).await;
    let expected: Vec<_> = (0..4).flat_map(|number| group(number, 6).pairs).collect();
    assert!(all.iter().map(|record| &record.pair).eq(&expected));
    assert!(all.iter().all(|record| {
        record
            .assessment
            .as_ref()
            .is_some_and(|a| a.pair_id == record.pair.id)
    }));
    let batch = dataset.records_at(&[0, 1, 2]).await.unwrap();
    assert!(std::sync::Arc::ptr_eq(&batch[0].positive, &batch[2].positive));
}

#[tokio::test]
async fn a_filter_lets_through_what_a_loop_over_all_would() {
    let dir = tempfile::tempdir().unwrap();
    let dataset = dataset(&dir).await;
    let all = collect(&dataset, &Filter::default(), 24).await;
    let kept = |r: &Record| r.assessment.as_ref().unwrap().curation.decision == Decision::Kept;
    let split = |r: &Record| r.assessment.as_ref().unwrap().curation.split;
    type Case<'a> = (Filter, Box<dyn Fn(&Record) -> bool + 'a>);
    let cases: Vec<Case<'_>> = vec![
        (Filter::kept(), Box::new(kept)),
        (
            Filter {
                splits: vec![Split::Validation, Split::Test],
                ..Filter::kept()
            },
            Box::new(|r| kept(r) && split(r) != Split::Train),
        ),
        (
            Filter {
                mechanisms: vec![Mechanism::SkeletonSpace],
                ..Filter::default()
            },
            Box::new(|r| r.pair.mechanism == Mechanism::SkeletonSpace),
        ),
        (
            Filter {
                operators: vec!["hand.extra_finger".to_owned()],
                ..Filter::default()
            },
            Box::new(|r| r.pair.provenance.operators[0] == "hand.extra_finger@1"),
        ),
        (
            Filter {
                source_kinds: vec![SourceKind::Figure],
                kinds: vec![Kind::Fused],
                ..Filter::default()
            },
            Box::new(|r| r.positive.source.kind == SourceKind::Figure),
        ),
        (
            Filter {
                regions: vec![Region::Torso],
                ..Filter::default()
            },
            Box::new(|_| false),
        ),
        (
            Filter {
                ssim_inside_max: Some(0.5025),
                ssim_inside_min: Some(0.501),
                ..Filter::default()
            },
            Box::new(|r| [1, 2].contains(&(r.assessment.as_ref().unwrap().evidence.part_phash))),
        ),
    ];
    for (filter, expected) in cases {
        let got = collect(&dataset, &filter, 5).await;
        let expected: Vec<_> = all.iter().filter(|r| expected(r)).map(|r| r.pair.id).collect();
        assert_eq!(
            got.iter().map(|r| r.pair.id).collect::<Vec<_>>(),
            expected,
            "{filter:?}"
        );
    }
}

#[tokio::test]
async fn counts_add_up() {
    let dir = tempfile::tempdir().unwrap();
    let dataset = dataset(&dir).await;
    let stats = dataset.stats().await.unwrap();
    assert_eq!(stats.rows.pairs, 24);
    assert_eq!(
        (stats.by_decision["kept"], stats.by_decision["rejected"]),
        (12, 12)
    );
    assert_eq!(stats.by_split.values().sum::<u64>(), 24);
    assert_eq!((stats.by_region["face"], stats.by_region["left_hand"]), (24, 24));
    assert_eq!(
        (
            stats.by_operator["hand.extra_finger@1"],
            stats.by_operator["face.melt@2"]
        ),
        (12, 12)
    );
    assert_eq!(stats.by_degradation["finger/extra"], 24);
    assert_eq!(stats.by_rejection["visible_degradation/ssim_edit_max"], 12);
    // Slots 0 to 5 of each positive have 0.500 to 0.505.
    assert_eq!(stats.ssim_inside.n, 24);
    assert!((stats.ssim_inside.mean.unwrap() - 0.5025).abs() < 1e-12);
    assert_eq!((stats.lpips_inside.mean, stats.lpips_inside.n), (None, 0));
}

#[tokio::test]
async fn verification_is_clean_and_samples_evenly() {
    let dir = tempfile::tempdir().unwrap();
    let dataset = dataset(&dir).await;
    let asked = Mutex::new(0);
    let report = dataset
        .verify(
            8,
            &|record, _, _| {
                *asked.lock().unwrap() += 1;
                record.assessment.as_ref().map(|a| a.stats[0].clone())
            },
            &(),
        )
        .await
        .unwrap();
    assert!(report.is_clean(), "{:?}", report.faults);
    assert_eq!((report.positives, report.pairs, report.recomputed), (4, 24, 8));
    assert_eq!(*asked.lock().unwrap(), 8);
    let report = dataset
        .verify(24, &|_, _, _| Some(stats(StatRegion::Edit, Some(0.502))), &())
        .await
        .unwrap();
    assert_eq!(report.faults.len(), 20, "all but the four pairs of slot 2");
    assert_eq!(
        report.faults[0].reason,
        "`ssim_inside` is stored as Some(0.5), computed again it is Some(0.502)"
    );
}

#[tokio::test]
async fn verification_names_the_image_whose_bytes_changed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("hap.lance");
    drop(dataset(&dir).await);
    let positive = group(2, 1).positive;
    // Flip one bit inside the stored image, wherever it lies.
    let mut n_flipped = 0;
    let mut folders = vec![path.join("positives.lance/data")];
    while let Some(folder) = folders.pop() {
        for entry in fs_err::read_dir(folder).unwrap() {
            let file = entry.unwrap().path();
            if file.is_dir() {
                folders.push(file);
                continue;
            }
            let mut bytes = fs_err::read(&file).unwrap();
            let needle = &positive.image_png[100..140];
            if let Some(at) = bytes.windows(needle.len()).position(|window| window == needle) {
                bytes[at] ^= 1;
                fs_err::write(&file, bytes).unwrap();
                n_flipped += 1;
            }
        }
    }
    assert_eq!(n_flipped, 1, "the image is stored once, as it is");
    let dataset = Dataset::open(&path).await.unwrap();
    let report = dataset.verify(0, &|_, _, _| None, &()).await.unwrap();
    let fault = &report.faults[0];
    assert_eq!(
        (fault.what.as_str(), fault.id.as_str()),
        ("positive", positive.id.to_string().as_str())
    );
    assert!(
        fault
            .reason
            .ends_with(&format!("expected `{}`", sha256(&positive.image_png))),
        "{}",
        fault.reason
    );
    assert!(
        report
            .faults
            .iter()
            .all(|f| f.what == "positive" || group_ids(2).contains(&f.id)),
        "{report:?}"
    );
}

fn group_ids(number: u64) -> Vec<String> {
    group(number, 6)
        .pairs
        .iter()
        .map(|pair| pair.id.to_string())
        .collect()
}
