//! `tidy`: the rules of the workspace that no compiler checks.

mod arrows;
mod data;
mod manifests;
mod sources;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::args::Args;
use crate::context::Context;
use crate::shell;

/// A broken rule and its place.
#[derive(Clone, Debug, Eq, PartialEq, PartialOrd, Ord)]
struct Violation {
    /// Relative to the workspace root, with `/`.
    file: String,
    /// From 1; 0 where the whole file is meant.
    line: usize,
    text: String,
}

/// What one check found in one file.
struct Findings<'a> {
    file: &'a str,
    found: Vec<Violation>,
}

impl<'a> Findings<'a> {
    fn new(file: &'a str) -> Self {
        Self {
            file,
            found: Vec::new(),
        }
    }

    fn add(&mut self, line: usize, text: impl Into<String>) {
        self.found.push(Violation {
            file: self.file.to_owned(),
            line,
            text: text.into(),
        });
    }
}

impl std::fmt::Display for Violation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.file, self.text),
            line => write!(f, "{}:{line}: {}", self.file, self.text),
        }
    }
}

pub(crate) fn command(context: &Context, args: Args) -> Result<()> {
    args.end()?;
    tidy(context)
}

/// Checks everything and prints every violation; one is an error.
pub(crate) fn tidy(context: &Context) -> Result<()> {
    let files = files(context)?;
    let mut found = check(&context.root, &files)?;
    found.sort();
    for violation in &found {
        println!("{violation}");
    }
    match found.len() {
        0 => {
            println!("tidy: {} files, nothing to say", files.len());
            Ok(())
        }
        1 => bail!("tidy found 1 violation"),
        n => bail!("tidy found {n} violations"),
    }
}

fn check(root: &Path, files: &[PathBuf]) -> Result<Vec<Violation>> {
    let mut found = data::check_tree(files);
    for file in files {
        let name = file.to_string_lossy().replace('\\', "/");
        let bytes = fs::read(root.join(file)).with_context(|| format!("reading `{name}`"))?;
        // What is not text has no lines to check.
        let Ok(text) = String::from_utf8(bytes) else {
            continue;
        };
        found.extend(sources::check_text(&name, &text));
        if name.ends_with(".rs") {
            found.extend(sources::check_rust(&name, &text));
        }
        if name.ends_with("/Cargo.toml") {
            found.extend(manifests::check(&name, &text));
            found.extend(arrows::check(&name, &text));
        }
        found.extend(data::check_file(&name, &text));
    }
    Ok(found)
}

/// All files of the tree, relative to it: tracked ones and new ones that git does not ignore.
fn files(context: &Context) -> Result<Vec<PathBuf>> {
    let mut git = context.clean("git");
    git.args(["ls-files", "--cached", "--others", "--exclude-standard", "-z"]);
    let listed = shell::capture(&mut git).context("`git ls-files` failed; tidy works in a git clone")?;
    let mut files: Vec<PathBuf> = listed
        .split('\0')
        .filter(|name| !name.is_empty())
        .map(PathBuf::from)
        .collect();
    // A deleted file is listed until the deletion is staged.
    files.retain(|file| context.root.join(file).is_file());
    files.sort();
    files.dedup();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_with_one_bad_file_of_each_kind_is_found_out() {
        let root = std::env::temp_dir().join(format!("asap-xtask-tidy-{}", std::process::id()));
        let files = [
            (
                "crates/asap-core/Cargo.toml",
                "[package]\nname = \"asap-core\"\n[dependencies]\ntch.workspace = true\n",
            ),
            ("crates/asap-core/src/lib.rs", "fn a() {}\n"),
            ("datasets/x/README.md", "no front matter\n"),
            ("prompts/p.toml", "a = \n"),
            ("picture.bin", "text"),
        ];
        for (name, text) in files {
            fs::create_dir_all(root.join(name).parent().unwrap()).unwrap();
            fs::write(root.join(name), text).unwrap();
        }
        fs::write(root.join("picture.bin"), [0xff, 0xfe, 0x00]).unwrap();
        let paths: Vec<PathBuf> = files.iter().map(|(name, _)| PathBuf::from(name)).collect();
        let found = check(&root, &paths).unwrap();
        for part in ["asap-core/Cargo.toml", "lib.rs:1", "datasets/x", "prompts/p.toml"] {
            assert!(
                found.iter().any(|violation| violation.to_string().contains(part)),
                "{part}: {found:?}"
            );
        }
        fs::remove_dir_all(root).unwrap();
    }
}
