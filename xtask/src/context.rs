//! Where the workspace and its target folder are, and the environment that child processes get.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::shell;
use crate::tools::{protoc, torch};

/// Folders that everything else is found from.
pub(crate) struct Context {
    /// The workspace.
    pub(crate) root: PathBuf,
    /// The target folder as cargo resolved it for this very program.
    pub(crate) target: PathBuf,
    /// `<target>/tools`: what this program gets for the machine.
    pub(crate) tools: PathBuf,
}

impl Context {
    pub(crate) fn find() -> Result<Self> {
        let here = env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
        let root = here
            .parent()
            .context("the workspace root is above xtask")?
            .to_owned();
        if !root.join("Cargo.lock").is_file() {
            bail!(
                "`{}` is not the workspace; call `cargo xtask` inside it",
                root.display()
            );
        }
        let target = target_folder(&root)?;
        let tools = target.join("tools");
        Ok(Self { root, target, tools })
    }

    /// Cargo, with the one environment that all builds share. Builds that differ in flags or variables would
    /// compile the heavy libraries again.
    pub(crate) fn cargo(&self) -> Command {
        let mut command = self.clean(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.env("CARGO_TARGET_DIR", &self.target);
        if let Some(found) = protoc::locate(self)
            && found.needs_variable()
        {
            command.env("PROTOC", found.path());
        }
        if let Some(found) = torch::locate(self) {
            command.env("LIBTORCH", found.libtorch);
        }
        command
    }

    /// A program in the workspace root, without what `cargo run` added to the environment: some build scripts
    /// watch these variables and would run again at each change from `cargo xtask` to plain cargo.
    pub(crate) fn clean(&self, program: impl Into<OsString>) -> Command {
        let mut command = Command::new(program.into());
        command.current_dir(&self.root);
        for (name, _) in env::vars_os() {
            let text = name.to_string_lossy();
            if ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_"]
                .iter()
                .any(|prefix| text.starts_with(prefix))
            {
                command.env_remove(&name);
            }
        }
        match env::var_os("LD_LIBRARY_PATH").map(|paths| without_cargo_folders(&paths, &self.target)) {
            Some(paths) if paths.is_empty() => command.env_remove("LD_LIBRARY_PATH"),
            Some(paths) => command.env("LD_LIBRARY_PATH", paths),
            None => &mut command,
        };
        command
    }

    /// The built `asap`.
    pub(crate) fn asap(&self) -> PathBuf {
        self.built("asap")
    }

    /// The built `asap-train`.
    pub(crate) fn asap_train(&self) -> PathBuf {
        self.built("asap-train")
    }

    fn built(&self, program: &str) -> PathBuf {
        self.target
            .join("debug")
            .join(format!("{program}{}", env::consts::EXE_SUFFIX))
    }

    /// The selection of packages that every build has: all, or all that can be linked here.
    pub(crate) fn selection(&self) -> Vec<&'static str> {
        let mut words = vec!["--workspace"];
        if torch::locate(self).is_none() {
            words.extend(torch::LINKED.iter().flat_map(|package| ["--exclude", package]));
        }
        words
    }

    /// The browser client, as the server takes it.
    pub(crate) fn site(&self) -> PathBuf {
        self.target.join("site")
    }

    /// Builds everything: libraries, `asap`, tests.
    pub(crate) fn build_all(&self) -> Result<()> {
        shell::run(
            self.cargo()
                .arg("build")
                .args(self.selection())
                .arg("--all-targets"),
        )
    }

    /// Builds `asap` alone. `--workspace` stands here because cargo chooses the features of shared libraries
    /// per selection of packages: `-p asap-cli` would give another `syn`, and with it a second lance.
    pub(crate) fn build_asap(&self) -> Result<()> {
        shell::run(self.cargo().args(["build", "--workspace", "--bin", "asap"]))
    }

    /// Builds the trainer alone.
    pub(crate) fn build_asap_train(&self) -> Result<()> {
        shell::run(self.cargo().args(["build", "--workspace", "--bin", "asap-train"]))
    }
}

/// Cargo marks its target folder with a file, and this program runs from inside that folder.
fn target_folder(root: &Path) -> Result<PathBuf> {
    let program = env::current_exe().context("the path of this program")?;
    if let Some(marked) = program
        .ancestors()
        .find(|folder| folder.join("CACHEDIR.TAG").is_file())
    {
        return Ok(marked.to_owned());
    }
    let given = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    std::path::absolute(given).context("the path of the target folder")
}

fn without_cargo_folders(paths: &OsString, target: &Path) -> OsString {
    let is_cargos =
        |path: &PathBuf| path.starts_with(target) || path.to_string_lossy().contains("/toolchains/");
    let kept = env::split_paths(paths).filter(|path| !is_cargos(path) && !path.as_os_str().is_empty());
    env::join_paths(kept).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_users_own_library_folders_are_kept() {
        let given = OsString::from("/t/debug/deps:/opt/lib:/u/.rustup/toolchains/stable/lib:");
        assert_eq!(without_cargo_folders(&given, Path::new("/t")), "/opt/lib");
    }

    #[test]
    fn the_workspace_is_found() {
        let context = Context::find().unwrap();
        assert!(context.root.join("xtask/Cargo.toml").is_file());
        assert!(context.tools.starts_with(&context.target));
    }
}
