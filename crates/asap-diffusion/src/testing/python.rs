//! Programs in Python that read what this crate wrote.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The interpreter in `ASAP_TORCH_PYTHON`. Where none is named, it is said that `what` is skipped, unless `ASAP_REQUIRE`
/// names `torch`.
pub(crate) fn interpreter(what: &str) -> Option<PathBuf> {
    let python = std::env::var_os("ASAP_TORCH_PYTHON").map(PathBuf::from);
    if python.is_none() {
        let required = std::env::var("ASAP_REQUIRE").unwrap_or_default();
        assert!(
            !required.split(',').any(|name| name == "torch"),
            "ASAP_REQUIRE names torch, but ASAP_TORCH_PYTHON is not set"
        );
        eprintln!("skipped: {what}; set ASAP_TORCH_PYTHON to an interpreter with the packages of");
        eprintln!("`crates/asap-diffusion/tests/golden/requirements.txt`");
    }
    python
}

/// Runs a program of `tests/python`; it must succeed. Gives what it printed, or nothing where there is no
/// [`interpreter`].
pub(crate) fn run(program: &str, arguments: &[String]) -> Option<String> {
    let python = interpreter(&format!("`{program}`"))?;
    let script = folder().join(program);
    let output = Command::new(python)
        .arg(&script)
        .args(arguments)
        .env("HF_HUB_OFFLINE", "1")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "`{program}` failed\n{stdout}\n{stderr}");
    Some(stdout)
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python")
}
