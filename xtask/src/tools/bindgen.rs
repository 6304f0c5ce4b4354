//! wasm-bindgen's program, at exactly the version of the library in Cargo.lock: any other refuses the wasm.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use serde::Deserialize;

use crate::context::Context;
use crate::shell::{self, Lost};

/// What goes without the client.
pub(crate) const SERVES: &str =
    "the interactive viewer (pages are plain HTML: no live filters, zoom or slider)";

#[derive(Deserialize)]
struct Lock {
    package: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
}

/// The version that Cargo.lock has.
pub(crate) fn wanted(root: &Path) -> Result<String> {
    let path = root.join("Cargo.lock");
    let text = fs::read_to_string(&path).with_context(|| format!("reading `{}`", path.display()))?;
    version_in(&text)
}

fn version_in(lock: &str) -> Result<String> {
    let lock: Lock = toml::from_str(lock).context("`Cargo.lock` does not parse")?;
    let found = lock
        .package
        .into_iter()
        .find(|package| package.name == "wasm-bindgen");
    Ok(found.context("`Cargo.lock` has no `wasm-bindgen`")?.version)
}

/// The program at this version: among our tools or on the search path.
pub(crate) fn locate(context: &Context, version: &str) -> Option<PathBuf> {
    let ours = context
        .tools
        .join("bin")
        .join(format!("wasm-bindgen{}", env::consts::EXE_SUFFIX));
    let candidates = [Some(ours), shell::which("wasm-bindgen")];
    candidates.into_iter().flatten().find(|path| {
        let said = shell::capture(Command::new(path).arg("--version"));
        said.is_some_and(|said| said.split_whitespace().nth(1) == Some(version))
    })
}

/// Compiles the program where it is not there.
pub(crate) fn ensure(context: &Context, version: &str) -> Result<PathBuf, Lost> {
    if let Some(found) = locate(context, version) {
        return Ok(found);
    }
    println!("no wasm-bindgen {version} here: compiling it once");
    // First as its authors locked it; where the registry at hand lacks one of those versions, with what it has.
    for locked in [Some("--locked"), None] {
        if shell::run(install(context, version).args(locked)).is_ok()
            && let Some(found) = locate(context, version)
        {
            return Ok(found);
        }
    }
    Err(Lost::new(
        SERVES,
        format!("wasm-bindgen {version} does not install"),
        get(version),
    ))
}

/// The command that gets it.
pub(crate) fn get(version: &str) -> String {
    format!("cargo install wasm-bindgen-cli --version {version}")
}

fn install(context: &Context, version: &str) -> Command {
    let mut command = context.cargo();
    // It runs for a second, so little is spent on optimising it; nor is its TLS for test browsers needed.
    command
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16");
    command.env("CARGO_TARGET_DIR", context.tools.join("build"));
    command.args([
        "install",
        "wasm-bindgen-cli",
        "--version",
        version,
        "--no-default-features",
    ]);
    command
        .args(["--bin", "wasm-bindgen", "--root"])
        .arg(&context.tools);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_the_librarys_in_the_lock_file() {
        let lock = "version = 4\n[[package]]\nname = \"wasm-bindgen-macro\"\nversion = \"9.9.9\"\n\n\
                    [[package]]\nname = \"wasm-bindgen\"\nversion = \"0.2.130\"\n";
        assert_eq!(version_in(lock).unwrap(), "0.2.130");
        assert!(version_in("version = 4\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\n").is_err());
    }
}
