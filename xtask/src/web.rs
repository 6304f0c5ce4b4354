//! `web`: the browser client, compiled for wasm and bound to JavaScript.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};

use crate::args::Args;
use crate::context::Context;
use crate::shell::{self, Lost};
use crate::tools::{bindgen, wasm};

/// How the wasm is bound. The names of generic view types would be most of the file, and a browser has no use for
/// them.
const OPTIONS: [&str; 7] = [
    "--target",
    "web",
    "--no-typescript",
    "--remove-name-section",
    "--remove-producers-section",
    "--out-name",
    "asap",
];

/// The `web` command: what cannot be had is told, and is no failure.
pub(crate) fn command(context: &Context, args: Args) -> Result<()> {
    args.end()?;
    if let Err(lost) = build(context)? {
        eprintln!("{}", sentence(&lost));
    }
    Ok(())
}

/// One paragraph about the client that could not be built.
pub(crate) fn sentence(lost: &Lost) -> String {
    format!("note: going on without {lost}")
}

/// Builds the client into `<target>/site`. The outer error is a client that does not compile; the inner one, a
/// tool that cannot be had.
pub(crate) fn build(context: &Context) -> Result<Result<PathBuf, Lost>> {
    let compiler = match wasm::ensure(context) {
        Ok(compiler) => compiler,
        Err(lost) => return Ok(Err(lost)),
    };
    let version = bindgen::wanted(&context.root)?;
    let program = match bindgen::ensure(context, &version) {
        Ok(program) => program,
        Err(lost) => return Ok(Err(lost)),
    };
    let mut cargo = compiler.build(context);
    shell::run(cargo.args([
        "--package",
        "asap-client",
        "--lib",
        "--profile",
        "web",
        "--locked",
    ]))?;
    let wasm = wasm::target_folder(context)
        .join(wasm::TARGET)
        .join("web/asap_client.wasm");
    let folder = context.site().join("pkg");
    let stamp = stamp(&wasm, &version)?;
    if is_current(&folder, &stamp) {
        println!("the client is up to date");
    } else {
        bind(context, &program, &wasm, &folder)?;
        write(&folder.join("built"), &stamp)?;
    }
    println!("{}", sizes(&folder.join("asap_bg.wasm"))?);
    Ok(Ok(context.site()))
}

fn bind(context: &Context, program: &Path, wasm: &Path, folder: &Path) -> Result<()> {
    let mut command = context.clean(program);
    shell::run(command.args(OPTIONS).arg("--out-dir").arg(folder).arg(wasm))
}

/// What the bound files were made from: version and options of the program, size and time of the wasm.
fn stamp(wasm: &Path, version: &str) -> Result<String> {
    let meta = fs::metadata(wasm).with_context(|| format!("cargo left no `{}`", wasm.display()))?;
    Ok(format!(
        "{version} {} {} {:?}",
        OPTIONS.join(" "),
        meta.len(),
        meta.modified()?
    ))
}

fn is_current(folder: &Path, stamp: &str) -> bool {
    let has_files = ["asap.js", "asap_bg.wasm"]
        .iter()
        .all(|name| folder.join(name).is_file());
    has_files && fs::read_to_string(folder.join("built")).is_ok_and(|found| found == stamp)
}

pub(crate) fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("writing `{}`", path.display()))
}

fn sizes(wasm: &Path) -> Result<String> {
    let raw = fs::metadata(wasm)
        .with_context(|| format!("reading `{}`", wasm.display()))?
        .len();
    let packed = Command::new("gzip")
        .arg("-9c")
        .arg(wasm)
        .stderr(Stdio::null())
        .output();
    let packed = match packed {
        Ok(output) if output.status.success() => {
            format!(", {:.1} KiB with gzip", kib(output.stdout.len() as u64))
        }
        _ => String::new(),
    };
    Ok(format!(
        "client: {} is {:.1} KiB{packed}",
        wasm.display(),
        kib(raw)
    ))
}

#[expect(clippy::cast_precision_loss, reason = "a size for people")]
fn kib(bytes: u64) -> f64 {
    bytes as f64 / 1024.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bound_files_are_current_only_with_their_stamp() {
        let folder = std::env::temp_dir().join(format!("asap-xtask-web-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("asap.js"), "").unwrap();
        fs::write(folder.join("built"), "a").unwrap();
        assert!(!is_current(&folder, "a"));
        fs::write(folder.join("asap_bg.wasm"), "").unwrap();
        assert!(is_current(&folder, "a"));
        assert!(!is_current(&folder, "b"));
        fs::remove_dir_all(folder).unwrap();
    }
}
