//! `golden`: runs the reference programs that write the golden numbers beside themselves.
//!
//! A folder of golden numbers is `tests/golden` of the workspace or of a crate, or a folder in one of these, for
//! a topic whose reference programs do not go together with the others. It holds scripts, what they wrote, and
//! a `requirements.txt` that pins what the scripts import.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::args::Args;
use crate::context::Context;
use crate::python::Environment;
use crate::shell;
use crate::tools::torch;

type Contents = BTreeMap<PathBuf, Vec<u8>>;

pub(crate) fn golden(context: &Context, mut args: Args) -> Result<()> {
    let only_checks = args.flag("--check");
    args.end()?;
    let mut different = Vec::new();
    for folder in folders(&context.root)? {
        let before = contents(&folder)?;
        run_scripts(context, &folder)?;
        if only_checks {
            different.extend(put_back(&before, &contents(&folder)?)?);
        }
    }
    if !different.is_empty() {
        let names: Vec<_> = different
            .iter()
            .map(|path| format!("`{}`", path.display()))
            .collect();
        bail!(
            "written anew, these golden numbers are different: {}",
            names.join(", ")
        );
    }
    if only_checks {
        println!("the golden numbers are what their programs write");
    }
    Ok(())
}

/// All folders of golden numbers that hold a script, in the order of their paths.
pub(crate) fn folders(root: &Path) -> Result<Vec<PathBuf>> {
    let mut found = vec![root.join("tests/golden")];
    for member in entries(&root.join("crates"))? {
        found.push(member.join("tests/golden"));
    }
    found.retain(|folder| folder.is_dir());
    for folder in found.clone() {
        found.extend(entries(&folder)?.into_iter().filter(|path| path.is_dir()));
    }
    found.retain(|folder| !scripts(folder).is_empty());
    found.sort();
    Ok(found)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let read = || fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect();
    let found: std::io::Result<_> = read();
    found.with_context(|| format!("reading `{}`", folder.display()))
}

/// The environment of one folder of golden numbers.
pub(crate) fn environment<'a>(root: &Path, folder: &Path, requirements: &'a Path) -> Environment<'a> {
    if torch::makes(root, folder) {
        return torch::environment(requirements);
    }
    let owner = folder
        .strip_prefix(root)
        .unwrap_or(folder)
        .to_string_lossy()
        .replace(['/', '\\'], "-");
    Environment {
        name: format!("golden-venv/{owner}"),
        requirements,
        serves: "golden numbers",
    }
}

fn scripts(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path());
    let mut found: Vec<_> = entries
        .filter(|path| path.extension().is_some_and(|end| end == "py"))
        .collect();
    found.sort();
    found
}

fn run_scripts(context: &Context, folder: &Path) -> Result<()> {
    let requirements = folder.join("requirements.txt");
    let python = match environment(&context.root, folder, &requirements).ensure(context) {
        Ok(python) => python,
        Err(lost) => bail!("there is no {lost}"),
    };
    for script in scripts(folder) {
        shell::run(context.clean(&python).arg(&script).current_dir(folder))?;
    }
    Ok(())
}

/// What the scripts may have written: every file but scripts and requirements.
fn contents(folder: &Path) -> Result<Contents> {
    let mut found = Contents::new();
    for path in entries(folder)? {
        let is_source = path
            .extension()
            .is_some_and(|end| end == "py" || end == "txt" || end == "md");
        if path.is_file() && !is_source {
            let bytes = fs::read(&path).with_context(|| format!("reading `{}`", path.display()))?;
            found.insert(path, bytes);
        }
    }
    Ok(found)
}

/// Restores the files as they were and names those that had changed.
fn put_back(before: &Contents, after: &Contents) -> Result<Vec<PathBuf>> {
    let mut different = Vec::new();
    for (path, bytes) in before {
        if after.get(path) != Some(bytes) {
            fs::write(path, bytes).with_context(|| format!("writing `{}`", path.display()))?;
            different.push(path.clone());
        }
    }
    for path in after.keys().filter(|path| !before.contains_key(*path)) {
        fs::remove_file(path).with_context(|| format!("removing `{}`", path.display()))?;
        different.push(path.clone());
    }
    Ok(different)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_have_folders_of_their_own() {
        let root = std::env::temp_dir().join(format!("asap-xtask-topics-{}", std::process::id()));
        let golden = root.join("crates/a/tests/golden");
        for folder in [
            root.join("tests/golden"),
            golden.join("lpips"),
            golden.join("empty"),
        ] {
            fs::create_dir_all(folder).unwrap();
        }
        for script in [golden.join("ssim.py"), golden.join("lpips/lpips.py")] {
            fs::write(script, "").unwrap();
        }
        assert_eq!(folders(&root).unwrap(), [golden.clone(), golden.join("lpips")]);
        fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn a_check_names_what_changed_and_leaves_the_files_as_they_were() {
        let folder = std::env::temp_dir().join(format!("asap-xtask-golden-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        for name in ["a.json", "b.json", "make.py", "requirements.txt"] {
            fs::write(folder.join(name), name).unwrap();
        }
        let before = contents(&folder).unwrap();
        assert_eq!(before.len(), 2);
        assert_eq!(
            put_back(&before, &contents(&folder).unwrap()).unwrap(),
            Vec::<PathBuf>::new()
        );

        fs::write(folder.join("a.json"), "other").unwrap();
        fs::write(folder.join("c.json"), "new").unwrap();
        let different = put_back(&before, &contents(&folder).unwrap()).unwrap();
        assert_eq!(different, [folder.join("a.json"), folder.join("c.json")]);
        assert_eq!(contents(&folder).unwrap(), before);
        fs::remove_dir_all(folder).unwrap();
    }
}
