//! Other programs: find them, run them, time them.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

/// Something that could not be had, said so that a person knows what to do about it.
#[derive(Clone, Debug)]
pub(crate) struct Lost {
    /// What goes without it.
    pub(crate) what: String,
    /// Why it could not be had.
    pub(crate) because: String,
    /// The one command that gets it.
    pub(crate) get: String,
}

impl Lost {
    pub(crate) fn new(what: &str, because: impl Into<String>, get: impl Into<String>) -> Self {
        Self {
            what: what.to_owned(),
            because: because.into(),
            get: get.into(),
        }
    }
}

impl std::fmt::Display for Lost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{}, because {}; get it with `{}`",
            self.what, self.because, self.get
        )
    }
}

/// The program and its arguments as a person would type them.
pub(crate) fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(quoted).collect::<Vec<_>>().join(" ")
}

fn quoted(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    let plain = |c: char| c.is_alphanumeric() || "-_./:=+,@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.into_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

/// Runs the command with its output shown; anything but success is an error that names the command.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let text = line(command);
    println!("$ {text}");
    let status = command
        .status()
        .with_context(|| format!("`{text}` does not start"))?;
    if !status.success() {
        bail!("`{text}` failed ({status})");
    }
    Ok(())
}

/// Standard output of a command that succeeds, trimmed; nothing where it fails or is not there.
pub(crate) fn capture(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The first program of this name on the search path.
pub(crate) fn which(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|file| is_program(file))
}

/// Whether this is a file that can be run.
pub(crate) fn is_program(file: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        file.metadata()
            .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
    }
    #[cfg(not(unix))]
    {
        file.is_file()
    }
}

/// Installs Debian packages where this user may; otherwise says in one phrase why not.
pub(crate) fn apt_install(packages: &[&str]) -> Result<(), String> {
    if env::var_os("ASAP_NO_APT").is_some() {
        return Err("ASAP_NO_APT is set".to_owned());
    }
    if which("apt-get").is_none() {
        return Err("this system has no apt-get".to_owned());
    }
    let is_root = capture(Command::new("id").arg("-u")).is_some_and(|id| id == "0");
    if !is_root && capture(Command::new("sudo").args(["-n", "true"])).is_none() {
        return Err("only root may install packages".to_owned());
    }
    println!("installing Debian packages: {}", packages.join(" "));
    // Nothing of the user's is ever removed to make room. Old package lists are the usual cause of failure.
    let install = [
        "install",
        "-y",
        "--no-install-recommends",
        "--no-remove",
        "-o",
        "DPkg::Lock::Timeout=300",
    ];
    if apt_get(is_root, &install, packages) {
        return Ok(());
    }
    if apt_get(is_root, &["update"], &[]) && apt_get(is_root, &install, packages) {
        return Ok(());
    }
    Err(format!("apt-get could not install {}", packages.join(" ")))
}

fn apt_get(is_root: bool, options: &[&str], packages: &[&str]) -> bool {
    let mut command = Command::new(if is_root { "env" } else { "sudo" });
    if !is_root {
        command.args(["-n", "env"]);
    }
    command.args(["DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"]);
    command
        .args(options)
        .args(packages)
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// Names and durations of what was done, and what has to be said at the end.
#[derive(Default)]
pub(crate) struct Steps {
    done: Vec<(String, Duration)>,
    notes: Vec<String>,
}

impl Steps {
    /// Does one step under a headline and remembers how long it took, whether it succeeds or not.
    pub(crate) fn step<T>(&mut self, name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
        println!("\n== {name}");
        let start = Instant::now();
        let result = work();
        self.done.push((name.to_owned(), start.elapsed()));
        result
    }

    /// Keeps a line for the end, where people look.
    pub(crate) fn note(&mut self, line: impl Into<String>) {
        self.notes.push(line.into());
    }

    /// One line for each step, then the notes.
    pub(crate) fn summary(&self) -> String {
        let rows = self
            .done
            .iter()
            .map(|(name, took)| format!("  {:>6.1} s  {name}", took.as_secs_f64()));
        rows.chain(self.notes.iter().cloned())
            .collect::<Vec<_>>()
            .join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_can_be_typed_again() {
        let mut command = Command::new("asap");
        command.args(["synth", "a b", "it's", "", "--n=3"]);
        assert_eq!(line(&command), "asap synth 'a b' 'it'\\''s' '' --n=3");
    }

    #[test]
    fn a_failing_command_is_named() {
        let error = run(Command::new("false").arg("x")).unwrap_err();
        assert!(error.to_string().starts_with("`false x` failed"), "{error}");
        assert_eq!(capture(&mut Command::new("false")), None);
        assert_eq!(capture(Command::new("echo").arg("a")).as_deref(), Some("a"));
    }

    #[test]
    fn a_program_is_found_by_name() {
        assert!(which("cargo").is_some_and(|path| is_program(&path)));
        assert_eq!(which("no-such-program-here"), None);
    }

    #[test]
    fn steps_are_summed_up_with_failures_and_notes() {
        let mut steps = Steps::default();
        assert_eq!(steps.step("one", || Ok(1)).unwrap(), 1);
        steps.note("skipped: x");
        assert!(steps.step("two", || -> Result<()> { bail!("no") }).is_err());
        let summary = steps.summary();
        let lines: Vec<&str> = summary.lines().collect();
        assert!(
            lines[0].ends_with(" s  one") && lines[1].ends_with(" s  two"),
            "{summary}"
        );
        assert_eq!(lines[2], "skipped: x");
    }
}
