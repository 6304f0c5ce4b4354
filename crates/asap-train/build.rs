//! Tells programs and tests of this package where libtorch is, so that they start without LD_LIBRARY_PATH, and the
//! program which commit it was built from.

use std::process::Command;

fn main() {
    // `asap-diffusion` links libtorch and tells its folder.
    if let Ok(lib) = std::env::var("DEP_ASAP_DIFFUSION_LIBTORCH_LIB") {
        println!("cargo:rustc-link-arg=-Wl,-rpath,{lib}");
    }
    println!("cargo:rerun-if-changed=build.rs");
    commit();
}

/// A source tree without git has no commit, and is no error.
fn commit() {
    println!("cargo:rerun-if-env-changed=ASAP_COMMIT");
    if let Ok(given) = std::env::var("ASAP_COMMIT") {
        println!("cargo:rustc-env=ASAP_COMMIT={given}");
        return;
    }
    let Some(commit) = git(&["rev-parse", "HEAD"]) else {
        return;
    };
    println!("cargo:rustc-env=ASAP_COMMIT={commit}");
    // The commit changes with HEAD, or with the branch that HEAD names. A path that is not there would make every
    // build a new one.
    let branch = git(&["symbolic-ref", "--quiet", "HEAD"]);
    for name in ["HEAD"].into_iter().map(str::to_owned).chain(branch) {
        let path = git(&["rev-parse", "--path-format=absolute", "--git-path", &name]);
        if let Some(path) = path.filter(|path| std::path::Path::new(path).exists()) {
            println!("cargo:rerun-if-changed={path}");
        }
    }
}

/// One line of git's answer; nothing where it fails or is not installed.
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    (output.status.success() && !text.trim().is_empty()).then(|| text.trim().to_owned())
}
