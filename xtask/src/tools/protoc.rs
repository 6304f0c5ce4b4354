//! The protobuf compiler, which lance's build scripts call.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::context::Context;
use crate::shell;

/// Where protoc was found.
pub(crate) enum Protoc {
    /// The variable `PROTOC` names it.
    Variable(PathBuf),
    /// On the search path, with its include files.
    SearchPath(PathBuf),
    /// The copy under `<target>/tools`.
    Tools(PathBuf),
}

impl Protoc {
    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::Variable(path) | Self::SearchPath(path) | Self::Tools(path) => path,
        }
    }

    /// Whether build scripts find it only when `PROTOC` is set for them.
    pub(crate) fn needs_variable(&self) -> bool {
        matches!(self, Self::Tools(_))
    }
}

pub(crate) fn locate(context: &Context) -> Option<Protoc> {
    if let Some(given) = env::var_os("PROTOC") {
        return Some(Protoc::Variable(given.into()));
    }
    if let Some(found) = shell::which("protoc").filter(|path| has_include_files(path)) {
        return Some(Protoc::SearchPath(found));
    }
    let ours = ours(context);
    (shell::is_program(&ours) && has_include_files(&ours)).then_some(Protoc::Tools(ours))
}

pub(crate) fn ensure(context: &Context) -> Result<Protoc> {
    if let Some(found) = locate(context) {
        return Ok(found);
    }
    let program = protoc_bin_vendored::protoc_bin_path().context("no prebuilt protoc for this machine")?;
    let include = protoc_bin_vendored::include_path().context("no include files of protoc")?;
    install(&program, &include, &ours(context))?;
    Ok(Protoc::Tools(ours(context)))
}

fn ours(context: &Context) -> PathBuf {
    context
        .tools
        .join("protoc/bin")
        .join(format!("protoc{}", env::consts::EXE_SUFFIX))
}

/// Protoc looks for `google/protobuf/*.proto` in `../include` beside its folder. Debian has the program and
/// these files in two packages, so the one can be there without the other.
fn has_include_files(program: &Path) -> bool {
    let real = program.canonicalize().unwrap_or_else(|_| program.to_owned());
    let mut folders = [program, &real]
        .into_iter()
        .filter_map(|path| path.parent()?.parent());
    folders.any(|folder| {
        let include = folder.join("include/google/protobuf");
        ["empty.proto", "timestamp.proto"]
            .iter()
            .all(|file| include.join(file).is_file())
    })
}

fn install(program: &Path, include: &Path, to: &Path) -> Result<()> {
    let bin = to.parent().context("protoc has a folder")?;
    let folder = bin.parent().context("protoc's folder has a parent")?;
    copy_folder(include, &folder.join("include"))?;
    fs::create_dir_all(bin).with_context(|| format!("making `{}`", bin.display()))?;
    fs::copy(program, to).with_context(|| format!("copying protoc to `{}`", to.display()))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(to, fs::Permissions::from_mode(0o755))
            .with_context(|| format!("making `{}` runnable", to.display()))?;
    }
    Ok(())
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("making `{}`", to.display()))?;
    for entry in fs::read_dir(from).with_context(|| format!("reading `{}`", from.display()))? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), &target).with_context(|| format!("writing `{}`", target.display()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vendored_protoc_is_installed_with_its_include_files() {
        let folder = env::temp_dir().join(format!("asap-xtask-protoc-{}", std::process::id()));
        let to = folder.join("bin/protoc");
        let program = protoc_bin_vendored::protoc_bin_path().unwrap();
        install(&program, &protoc_bin_vendored::include_path().unwrap(), &to).unwrap();
        assert!(has_include_files(&to));
        let version = shell::capture(std::process::Command::new(&to).arg("--version")).unwrap();
        assert!(version.starts_with("libprotoc"), "{version}");

        fs::remove_file(folder.join("include/google/protobuf/empty.proto")).unwrap();
        assert!(!has_include_files(&to));
        fs::remove_dir_all(folder).unwrap();
    }
}
