//! What goes in comes out; nothing goes in twice; old versions stay.

use asap_core::{Decision, PairId, Rejected};
use asap_store::{Appended, Dataset, Error, Group, reconstruct, rejected_png, sha256};

use crate::fixture::{assessment, group, pair, positive};

#[tokio::test]
async fn records_survive_whole() {
    let dir = tempfile::tempdir().unwrap();
    // Lance sees the path as part of an address: spaces and signs must not be read as such.
    let path = dir.path().join("a b%20ü#?.lance");
    let groups = [group(1, 3), group(2, 2), group(3, 1)];
    let mut dataset = Dataset::create(&path).await.unwrap();
    let appended = dataset.append(groups.to_vec()).await.unwrap();
    assert_eq!(
        appended,
        Appended {
            positives: 3,
            pairs: 6,
            assessments: 6,
            skipped_pairs: 0
        }
    );
    drop(dataset);

    let dataset = Dataset::open(&path).await.unwrap();
    assert_eq!(dataset.count_rows(), 6);
    for group in &groups {
        let stored = dataset.positive(group.positive.id).await.unwrap();
        assert_eq!(stored, group.positive);
        assert_eq!(
            dataset.positive_png(group.positive.id).await.unwrap(),
            group.positive.image_png
        );
        let recorded = dataset.positive_sha256(group.positive.id).await.unwrap();
        assert_eq!(recorded, sha256(&group.positive.image_png));
        for (pair, assessment) in group.pairs.iter().zip(&group.assessments) {
            assert_eq!(&dataset.pair(pair.id).await.unwrap(), pair);
            assert_eq!(
                dataset.assessment(pair.id).await.unwrap().as_ref(),
                Some(assessment)
            );
            let masks = dataset.mask_pngs(pair.id).await.unwrap();
            assert_eq!(asap_store::decode_mask(&masks.part).unwrap(), pair.mask_part);
            assert_eq!(
                dataset.pair_hashes(pair.id).await.unwrap().mask_edit,
                sha256(&masks.edit)
            );
        }
    }
    let all = dataset.assessments().await.unwrap();
    assert!(all.is_sorted_by_key(|assessment| assessment.pair_id) && all.len() == 6);
    let rows = dataset.records_at(&[4, 0]).await.unwrap();
    assert_eq!(
        (rows[0].pair.id, rows[1].pair.id),
        (groups[1].pairs[1].id, groups[0].pairs[0].id)
    );
    assert_eq!(*rows[1].positive, groups[0].positive);
    let error = dataset.records_at(&[6]).await.unwrap_err();
    assert!(
        error.to_string().starts_with("no pair in row `6` in `"),
        "{error}"
    );
}

#[tokio::test]
async fn a_patch_is_put_back_byte_for_byte() {
    let group = group(1, 3);
    let whole = reconstruct(&group.positive, &group.pairs[2]).unwrap();
    let patched = reconstruct(&group.positive, &group.pairs[0]).unwrap();
    let preferred = image::load_from_memory(&group.positive.image_png)
        .unwrap()
        .into_rgb8();
    let Rejected::Patch { budget, png } = &group.pairs[0].rejected else {
        panic!("a patch")
    };
    let patch = image::load_from_memory(png).unwrap().into_rgb8();
    for (x, y, pixel) in patched.enumerate_pixels() {
        let expected = if budget.contains(x, y) {
            patch.get_pixel(x - budget.x0, y - budget.y0)
        } else {
            preferred.get_pixel(x, y)
        };
        assert_eq!(pixel, expected, "at {x}, {y}");
    }
    assert_ne!(whole, patched);
    let Rejected::Whole { png } = &group.pairs[2].rejected else {
        panic!("whole")
    };
    assert_eq!(&rejected_png(&group.positive, &group.pairs[2]).unwrap(), png);
    let served = rejected_png(&group.positive, &group.pairs[0]).unwrap();
    assert_eq!(image::load_from_memory(&served).unwrap().into_rgb8(), patched);
}

#[tokio::test]
async fn appending_again_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("hap.lance");
    let mut dataset = Dataset::open_or_create(&path).await.unwrap();
    dataset.append(vec![group(1, 2)]).await.unwrap();
    let version = dataset.version();
    let again = dataset.append(vec![group(1, 2)]).await.unwrap();
    assert_eq!(
        again,
        Appended {
            skipped_pairs: 2,
            ..Appended::default()
        }
    );
    assert_eq!(dataset.version(), version);
    drop(dataset);

    let mut dataset = Dataset::open_or_create(&path).await.unwrap();
    let more = dataset
        .append(vec![group(1, 4), group(2, 1), group(2, 1)])
        .await
        .unwrap();
    assert_eq!(
        more,
        Appended {
            positives: 1,
            pairs: 3,
            assessments: 3,
            skipped_pairs: 3
        }
    );
    let expected = [group(1, 4), group(2, 1)];
    let slots = dataset.built_slots().await.unwrap();
    assert_eq!(slots.len(), 5);
    for group in &expected {
        for pair in &group.pairs {
            assert!(slots.contains(&(group.positive.id, pair.provenance.seed)));
            assert_eq!(&dataset.pair(pair.id).await.unwrap(), pair);
        }
    }
    let reopened = Dataset::open(&path).await.unwrap();
    assert_eq!(reopened.built_slots().await.unwrap(), slots);
}

#[tokio::test]
async fn assessments_are_replaced_and_old_versions_keep_theirs() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("hap.lance");
    let mut dataset = Dataset::create(&path).await.unwrap();
    let group = group(1, 4);
    dataset
        .append(vec![Group {
            assessments: Vec::new(),
            ..group.clone()
        }])
        .await
        .unwrap();
    let before = dataset.version();
    assert_eq!(dataset.assessment(group.pairs[0].id).await.unwrap(), None);
    assert!(
        dataset
            .summaries()
            .await
            .unwrap()
            .iter()
            .all(|s| s.decision == Decision::Pending)
    );

    dataset.put_assessments(group.assessments.clone()).await.unwrap();
    let curated = dataset.version();
    let mut changed = assessment(&group.pairs[1], 10);
    changed.curation.cluster = 99;
    dataset.put_assessments(vec![changed.clone()]).await.unwrap();
    assert_eq!(
        dataset.assessment(group.pairs[1].id).await.unwrap(),
        Some(changed.clone())
    );
    assert_eq!(
        dataset.assessment(group.pairs[2].id).await.unwrap().as_ref(),
        Some(&group.assessments[2])
    );
    assert_eq!(dataset.row_counts().assessments, 4);
    // A rewritten row stands elsewhere: lookups by row must still find the right one.
    for (row, pair) in (0..).zip(&group.pairs) {
        let record = dataset.records_at(&[row]).await.unwrap().remove(0);
        assert_eq!(record.assessment.unwrap().pair_id, pair.id);
    }

    let old = Dataset::open_at(&path, curated).await.unwrap();
    assert_eq!(
        old.assessment(group.pairs[1].id).await.unwrap().as_ref(),
        Some(&group.assessments[1])
    );
    let mut oldest = Dataset::open_at(&path, before).await.unwrap();
    assert_eq!(oldest.row_counts().assessments, 0);
    let error = oldest.put_assessments(vec![changed]).await.unwrap_err();
    assert!(matches!(error, Error::OldVersion { .. }), "{error}");
    let versions = dataset.versions().unwrap();
    assert_eq!(
        versions.iter().map(|v| v.version).collect::<Vec<_>>(),
        [1, 2, 3, 4]
    );
    assert!(versions.iter().map(|v| v.rows.assessments).eq([0, 0, 4, 4]));
    let error = Dataset::open_at(&path, 9).await.err().unwrap().to_string();
    assert!(
        error.ends_with("has no version 9: it has versions 1 to 4"),
        "{error}"
    );
}

#[tokio::test]
async fn summaries_are_sorted_and_say_what_is_stored() {
    let dir = tempfile::tempdir().unwrap();
    let mut dataset = Dataset::create(dir.path().join("hap.lance")).await.unwrap();
    dataset.append(vec![group(1, 5), group(2, 3)]).await.unwrap();
    let summaries = dataset.summaries().await.unwrap();
    assert!(summaries.is_sorted_by_key(|summary| summary.id) && summaries.len() == 8);
    let expected = group(1, 5);
    let summary = summaries.iter().find(|s| s.id == expected.pairs[1].id).unwrap();
    let (pair, assessment) = (&expected.pairs[1], &expected.assessments[1]);
    assert_eq!(summary.positive_id, expected.positive.id);
    assert_eq!(
        (summary.width, summary.height),
        (expected.positive.width, expected.positive.height)
    );
    assert_eq!(summary.prompt, expected.positive.prompt);
    assert_eq!(summary.source_kind, expected.positive.source.kind);
    assert_eq!(summary.source_name, expected.positive.source.name);
    assert_eq!(summary.mechanism, pair.mechanism);
    assert_eq!(summary.operators, pair.provenance.operators);
    assert_eq!(summary.degradations, pair.degradations);
    assert_eq!(summary.regions, pair.regions);
    assert_eq!(
        (summary.split, summary.decision),
        (assessment.curation.split, Decision::Rejected)
    );
    assert_eq!(
        summary.rejections,
        [
            "visible_degradation/ssim_edit_max",
            "positive_quality/pose_score_min"
        ]
    );
    assert_eq!(summary.ssim_inside, assessment.stats[0].ssim_inside);
    assert_eq!(summary.ssim_outside, assessment.stats[0].ssim_outside);
    assert_eq!((summary.lpips_inside, summary.lpips_outside), (None, None));
    assert_eq!(summary.mask_share, Some(assessment.evidence.mask_share));
}

#[tokio::test]
async fn compaction_keeps_every_row_in_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("hap.lance");
    let mut dataset = Dataset::create(&path).await.unwrap();
    for number in 0..5 {
        dataset.append(vec![group(number, 2)]).await.unwrap();
    }
    dataset
        .put_assessments(vec![assessment(&pair(&positive(2), 0), 8)])
        .await
        .unwrap();
    let before = dataset.records_at(&(0..10).collect::<Vec<_>>()).await.unwrap();
    let version = dataset.version();
    dataset.compact().await.unwrap();
    assert_eq!(dataset.version(), version + 1);
    for dataset in [&dataset, &Dataset::open(&path).await.unwrap()] {
        let after = dataset.records_at(&(0..10).collect::<Vec<_>>()).await.unwrap();
        for (before, after) in before.iter().zip(&after) {
            assert_eq!(before.pair, after.pair);
            assert_eq!(before.positive, after.positive);
            assert_eq!(before.assessment, after.assessment);
        }
    }
    dataset.append(vec![group(9, 1)]).await.unwrap();
    assert_eq!(
        dataset.record(pair(&positive(9), 0).id).await.unwrap().pair,
        pair(&positive(9), 0)
    );
    let old = Dataset::open_at(&path, 3).await.unwrap();
    assert_eq!(old.positive(positive(1).id).await.unwrap(), positive(1));
}

#[tokio::test]
async fn records_that_contradict_themselves_are_refused_before_anything_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let mut dataset = Dataset::create(dir.path().join("hap.lance")).await.unwrap();
    let good = group(1, 1);
    let mut cases = Vec::new();
    let mut wrong = good.clone();
    wrong.positive.width += 1;
    cases.push((wrong, "its image is 48x40, expected 49x40"));
    let mut wrong = good.clone();
    wrong.positive.image_png.truncate(10);
    cases.push((wrong, "cannot decode an image"));
    let mut wrong = good.clone();
    wrong.pairs[0].mask_edit = asap_core::Mask::new(3, 3);
    cases.push((wrong, "its `mask_edit` is 3x3, expected 48x40"));
    let mut wrong = good.clone();
    wrong.pairs[0].positive_id = positive(2).id;
    cases.push((wrong, "it belongs to positive"));
    let mut wrong = good.clone();
    let Rejected::Patch { budget, .. } = &mut wrong.pairs[0].rejected else {
        panic!("a patch")
    };
    budget.x1 = 100;
    cases.push((wrong, "does not lie in an image of 48x40"));
    let mut wrong = good.clone();
    wrong.assessments[0].pair_id = PairId::from_bytes([1; 32]);
    cases.push((wrong, "its pair is not in its group"));
    for (wrong, expected) in cases {
        let error = dataset
            .append(vec![group(5, 1), wrong])
            .await
            .unwrap_err()
            .to_string();
        assert!(error.contains(expected), "{error}");
        assert_eq!((dataset.version(), dataset.count_rows()), (1, 0));
    }
    let error = dataset
        .put_assessments(good.assessments.clone())
        .await
        .unwrap_err();
    assert!(error.to_string().starts_with("no pair `"), "{error}");
    dataset.append(vec![good.clone()]).await.unwrap();
    let twice = [good.assessments.clone(), good.assessments].concat();
    let error = dataset.put_assessments(twice).await.unwrap_err().to_string();
    assert!(error.ends_with("is refused: it is given twice"), "{error}");
}
