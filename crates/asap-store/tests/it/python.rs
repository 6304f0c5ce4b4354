//! The real readers of other people: `pylance`, `datasets`, `duckdb`, `mlcroissant`.

use std::process::Command;

use asap_store::{Dataset, ExportOptions, ExportPairs, export};

use crate::fixture::group;

#[tokio::test]
async fn python_reads_tables_and_exports() {
    let Some(python) = std::env::var_os("ASAP_PYTHON") else {
        let required = std::env::var("ASAP_REQUIRE").unwrap_or_default();
        assert!(
            !required.contains("python"),
            "ASAP_REQUIRE names python, but ASAP_PYTHON is not set"
        );
        println!("skipped python_reads_tables_and_exports: set ASAP_PYTHON to an interpreter with");
        println!("the packages of tests/python/requirements.txt");
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("hap.lance");
    let mut dataset = Dataset::create(&path).await.unwrap();
    for number in 0..3 {
        dataset.append(vec![group(number, 6)]).await.unwrap();
    }
    let options = ExportOptions {
        pairs: ExportPairs::All,
        ..ExportOptions::new("interop")
    };
    let report = export(&dataset, dir.path().join("out"), &options, &())
        .await
        .unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/python/check_store.py");
    let output = Command::new(python)
        .arg(script)
        .args([&path, &report.path])
        // `datasets` keeps a cache and asks the network unless told otherwise.
        .env("HF_HOME", dir.path().join("hf"))
        .env("HF_HUB_OFFLINE", "1")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    assert!(
        text.contains("18 pairs agree in lance, datasets, duckdb and mlcroissant"),
        "{text}"
    );
}
