//! Python environments with pinned packages: readers of our files in tests, and reference programs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::context::Context;
use crate::shell::{self, Lost};

/// A Python environment under `<target>/tools`, made from one requirements file.
pub(crate) struct Environment<'a> {
    /// The folder's name.
    pub(crate) name: String,
    pub(crate) requirements: &'a Path,
    /// What goes without it.
    pub(crate) serves: &'a str,
}

impl Environment<'_> {
    fn folder(&self, context: &Context) -> PathBuf {
        context.tools.join(&self.name)
    }

    fn stamp(&self, context: &Context) -> PathBuf {
        self.folder(context).join("requirements.installed")
    }

    /// Its Python, where it holds exactly what the requirements say.
    pub(crate) fn locate(&self, context: &Context) -> Option<PathBuf> {
        let python = self.folder(context).join("bin/python");
        let wanted = fs::read_to_string(self.requirements).ok()?;
        let installed = fs::read_to_string(self.stamp(context)).ok()?;
        (wanted == installed && shell::is_program(&python)).then_some(python)
    }

    /// Its Python; made and filled where it is not there or holds something else.
    pub(crate) fn ensure(&self, context: &Context) -> Result<PathBuf, Lost> {
        match self.locate(context) {
            Some(found) => Ok(found),
            None => self
                .make(context)
                .map_err(|because| Lost::new(self.serves, because, self.get(context))),
        }
    }

    /// The command that gets it.
    pub(crate) fn get(&self, context: &Context) -> String {
        let folder = self.folder(context);
        format!(
            "python3 -m venv {0} && {0}/bin/pip install -r {1}",
            folder.display(),
            self.requirements.display()
        )
    }

    fn make(&self, context: &Context) -> Result<PathBuf, String> {
        let wanted = fs::read_to_string(self.requirements)
            .map_err(|error| format!("`{}` does not read: {error}", self.requirements.display()))?;
        let folder = self.folder(context);
        make_venv(context, &folder)?;
        let python = folder.join("bin/python");
        let mut pip = context.clean(&python);
        pip.args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "-r",
        ])
        .arg(self.requirements);
        shell::run(&mut pip).map_err(|error| format!("{error:#}"))?;
        fs::write(self.stamp(context), wanted)
            .map_err(|error| format!("its stamp does not write: {error}"))?;
        Ok(python)
    }
}

fn make_venv(context: &Context, folder: &Path) -> Result<(), String> {
    let make = || {
        shell::run(
            context
                .clean("python3")
                .args(["-m", "venv", "--clear"])
                .arg(folder),
        )
    };
    if shell::which("python3").is_none() {
        shell::apt_install(&["python3", "python3-venv"])
            .map_err(|reason| format!("there is no python3 and {reason}"))?;
    }
    // Debian keeps the module that fills a new environment in a package of its own.
    if shell::capture(Command::new("python3").args(["-c", "import ensurepip"])).is_none() {
        shell::apt_install(&["python3-venv"])
            .map_err(|reason| format!("python3 cannot make a venv and {reason}"))?;
    }
    make().map_err(|error| format!("{error:#}"))
}
