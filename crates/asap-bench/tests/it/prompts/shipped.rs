//! The benchmark that is shipped passes its own validator.

use std::path::Path;

use asap_bench::prompts::{Options, Rules, Severity, Tokenizers, read, validate};

#[test]
fn the_shipped_benchmark_has_no_errors() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../prompts/haf-bench");
    if !folder.join("taxonomy.toml").is_file() {
        println!("skipped: no `{}` with a taxonomy", folder.display());
        return;
    }
    let reading = read(&folder).unwrap();
    let options = Options {
        rules: &Rules::embedded(),
        tokenizers: &Tokenizers::estimates(),
        captions: None,
    };
    let report = validate(&reading, &options);
    let errors = report.findings.iter().filter(|it| it.severity == Severity::Error);
    let errors: Vec<&str> = errors.map(|it| it.message.as_str()).collect();
    assert!(
        errors.is_empty(),
        "{} errors\n{}",
        errors.len(),
        errors.join("\n")
    );
    assert_eq!(report.n_prompts, asap_core::paper::HAF_BENCH_PROMPTS as usize);
}
