//! Export and import are inverse; Pick-a-Pic comes in with what can be known of it.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryArray, Float64Array, RecordBatch, StringArray};
use asap_core::{Decision, Rejected, SourceKind};
use asap_store::{
    Dataset, Error, ExportOptions, ExportPairs, Filter, Group, decode_rgb, export, import, sha256,
};
use parquet::arrow::ArrowWriter;

use crate::fixture::{group, noise, png};

async fn full(path: &Path) -> Dataset {
    let mut dataset = Dataset::create(path).await.unwrap();
    let mut groups: Vec<Group> = (0..4).map(|number| group(number, 6)).collect();
    // A pair that nobody has assessed must survive as such.
    groups[3].assessments.pop();
    dataset.append(groups).await.unwrap();
    dataset
}

#[tokio::test]
async fn an_export_is_imported_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let dataset = full(&dir.path().join("a.lance")).await;
    let options = ExportOptions {
        pairs: ExportPairs::All,
        shard_bytes: 40_000,
        ..ExportOptions::new("a")
    };
    let report = export(&dataset, dir.path().join("out"), &options, &())
        .await
        .unwrap();
    assert_eq!((report.rows(), report.left_out), (24, 0));
    assert!(report.files.len() > 3, "several files a split");
    for file in &report.files {
        let bytes = fs_err::read(report.path.join(&file.path)).unwrap();
        assert_eq!(
            (bytes.len() as u64, sha256(&bytes)),
            (file.size_bytes, file.sha256)
        );
    }

    let mut copy = Dataset::create(dir.path().join("b.lance")).await.unwrap();
    let imported = import(&mut copy, &report.path, &()).await.unwrap();
    assert_eq!(
        (
            imported.rows,
            imported.appended.pairs,
            imported.appended.positives
        ),
        (24, 24, 4)
    );
    assert!(imported.refused.is_empty(), "{imported:?}");
    let mut records = dataset.stream(&Filter::default(), 8).await.unwrap();
    while let Some(batch) = records.next_batch().await.unwrap() {
        for record in batch {
            let copied = copy.record(record.pair.id).await.unwrap();
            assert_eq!(copied.pair, record.pair);
            assert_eq!(copied.positive, record.positive);
            assert_eq!(copied.assessment, record.assessment);
        }
    }
    let again = import(&mut copy, &report.path, &()).await.unwrap();
    assert_eq!((again.appended.pairs, again.appended.skipped_pairs), (0, 24));
    let error = export(&dataset, &report.path, &options, &()).await.unwrap_err();
    assert!(matches!(error, Error::Exists { .. }), "{error}");
}

#[tokio::test]
async fn an_export_has_kept_pairs_by_split_a_card_and_croissant() {
    let dir = tempfile::tempdir().unwrap();
    let dataset = full(&dir.path().join("a.lance")).await;
    let report = export(
        &dataset,
        dir.path().join("hap-demo"),
        &ExportOptions::new("HAP \"demo\""),
        &(),
    )
    .await;
    let report = report.unwrap();
    let names: Vec<&str> = report.files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(
        names,
        [
            "data/train-00000-of-00001.parquet",
            "data/validation-00000-of-00001.parquet",
            "data/test-00000-of-00001.parquet"
        ]
    );
    assert_eq!((report.rows(), report.left_out), (12, 12));
    let mut copy = Dataset::create(dir.path().join("b.lance")).await.unwrap();
    import(&mut copy, report.path.join(names[1]), &()).await.unwrap();
    let summaries = copy.summaries().await.unwrap();
    assert_eq!(summaries.len(), 4);
    assert!(
        summaries
            .iter()
            .all(|s| s.decision == Decision::Kept && s.split.name() == "validation")
    );

    let card = fs_err::read_to_string(report.path.join("README.md")).unwrap();
    assert!(
        card.starts_with("---\npretty_name: \"HAP \\\"demo\\\"\"\nlicense: cc-by-4.0\n"),
        "{card}"
    );
    for line in [
        "- n<1K",
        "  - split: validation",
        "    path: data/train-*",
        "    num_examples: 4",
        "| CC BY 4.0 | 12 |",
    ] {
        assert!(card.lines().any(|l| l == line), "no line `{line}` in\n{card}");
    }
    let croissant: serde_json::Value =
        serde_json::from_slice(&fs_err::read(report.path.join("croissant.json")).unwrap()).unwrap();
    assert_eq!(croissant["conformsTo"], "http://mlcommons.org/croissant/1.1");
    for file in &report.files {
        let distribution = croissant["distribution"].as_array().unwrap();
        let entry = distribution
            .iter()
            .find(|entry| entry["contentUrl"] == file.path.as_str())
            .unwrap();
        assert_eq!(entry["sha256"], file.sha256.to_string());
    }
    let fields = croissant["recordSet"][0]["field"].as_array().unwrap();
    assert!(
        fields
            .iter()
            .any(|f| f["name"] == "rejected" && f["dataType"] == "sc:ImageObject")
    );
}

#[tokio::test]
async fn an_interrupted_export_does_not_look_finished_and_is_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let dataset = full(&dir.path().join("a.lance")).await;
    let out = dir.path().join("out");
    let partial = dir.path().join("out.partial");
    fs_err::create_dir_all(partial.join("data")).unwrap();
    fs_err::write(partial.join("data/train-00000.parquet"), "torn").unwrap();
    let error = export(&dataset, &out, &ExportOptions::new("x"), &())
        .await
        .unwrap_err();
    assert!(
        matches!(error, Error::Exists { .. }),
        "a folder that is not ours stays: {error}"
    );
    fs_err::write(partial.join(".unfinished-export"), "").unwrap();
    export(&dataset, &out, &ExportOptions::new("x"), &())
        .await
        .unwrap();
    assert!(!partial.exists() && !out.join(".unfinished-export").exists());
    let empty = Dataset::create(dir.path().join("empty.lance")).await.unwrap();
    let error = export(&empty, dir.path().join("none"), &ExportOptions::new("x"), &())
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("it has no pairs to export: curate it first, or export all pairs")
    );
}

fn jpeg(image: &image::RgbImage) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image.write_to(&mut bytes, image::ImageFormat::Jpeg).unwrap();
    bytes.into_inner()
}

#[tokio::test]
async fn pick_a_pic_comes_in_with_counts_of_what_was_left_out() {
    let dir = tempfile::tempdir().unwrap();
    let (a, b) = (jpeg(&noise(1, 32, 24)), jpeg(&noise(2, 32, 24)));
    let other_size = png(&noise(3, 24, 32));
    let rows: [(&[u8], &[u8], f64, &str); 6] = [
        (&a, &b, 1.0, "a cat"),
        (&a, &b, 0.0, "a dog"),
        (&a, &b, 0.5, "a tie"),
        (&a, &other_size, 1.0, "sizes"),
        (&a, b"no image", 1.0, "torn"),
        (&a, &b, 0.7, "label"),
    ];
    let columns: Vec<(&str, ArrayRef)> = vec![
        (
            "caption",
            Arc::new(StringArray::from_iter_values(rows.iter().map(|r| r.3))),
        ),
        (
            "jpg_0",
            Arc::new(BinaryArray::from_iter_values(rows.iter().map(|r| r.0))),
        ),
        (
            "jpg_1",
            Arc::new(BinaryArray::from_iter_values(rows.iter().map(|r| r.1))),
        ),
        (
            "label_0",
            Arc::new(Float64Array::from_iter_values(rows.iter().map(|r| r.2))),
        ),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let file = dir.path().join("pick.parquet");
    let mut writer = ArrowWriter::try_new(File::create(&file).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();

    let mut dataset = Dataset::create(dir.path().join("hap.lance")).await.unwrap();
    let report = import(&mut dataset, dir.path(), &()).await;
    // The dataset's own folder holds no Parquet file, so the folder around it can be given.
    let report = report.unwrap();
    assert_eq!((report.rows, report.appended.pairs), (6, 2));
    let expected = [
        ("`label_0` is neither 0, 0.5 nor 1", 1),
        ("an image cannot be decoded", 1),
        ("the images differ in size", 1),
        ("tie", 1),
    ];
    assert!(
        report
            .refused
            .iter()
            .map(|(reason, &n)| (reason.as_str(), n))
            .eq(expected),
        "{report:?}"
    );
    assert!(
        report.first_refused["tie"].ends_with("pick.parquet`, row 2"),
        "{report:?}"
    );

    for (caption, preferred, rejected) in [("a cat", &a, &b), ("a dog", &b, &a)] {
        let summaries = dataset.summaries().await.unwrap();
        let summary = summaries
            .iter()
            .find(|summary| summary.prompt == caption)
            .unwrap();
        assert_eq!(summary.source_kind, SourceKind::Imported);
        let record = dataset.record(summary.id).await.unwrap();
        let decoded = |bytes: &[u8]| image::load_from_memory(bytes).unwrap().into_rgb8();
        assert_eq!(
            decode_rgb(&record.positive.image_png, "").unwrap(),
            decoded(preferred)
        );
        let Rejected::Whole { png } = &record.pair.rejected else {
            panic!("whole")
        };
        assert_eq!(decode_rgb(png, "").unwrap(), decoded(rejected));
        assert_eq!(record.positive.source.sha256, sha256(preferred).to_string());
        assert_eq!(record.pair.mask_part.area_px(), 32 * 24);
    }
}

#[tokio::test]
async fn foreign_and_torn_files_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let mut dataset = Dataset::create(dir.path().join("hap.lance")).await.unwrap();
    let torn = dir.path().join("torn.parquet");
    fs_err::write(&torn, "PAR1 and then nothing").unwrap();
    let error = import(&mut dataset, &torn, &()).await.unwrap_err();
    assert_eq!(error.to_string(), format!("cannot read `{}`", torn.display()));
    let foreign = dir.path().join("foreign.parquet");
    let column: ArrayRef = Arc::new(StringArray::from(vec!["x"]));
    let batch = RecordBatch::try_from_iter([("text", column)]).unwrap();
    let mut writer = ArrowWriter::try_new(File::create(&foreign).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let error = import(&mut dataset, &foreign, &()).await.unwrap_err().to_string();
    assert!(
        error.starts_with(&format!("`{}`: its columns are neither", foreign.display())),
        "{error}"
    );
    let empty = tempfile::tempdir().unwrap();
    let error = import(&mut dataset, empty.path(), &())
        .await
        .unwrap_err()
        .to_string();
    assert!(error.ends_with("it holds no file `*.parquet`"), "{error}");
    assert_eq!(dataset.count_rows(), 0);
}
