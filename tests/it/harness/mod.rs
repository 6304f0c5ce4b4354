//! A folder to work in, the command to run in it, and one check of all that it printed.

pub(crate) mod images;
pub(crate) mod jpeg;
pub(crate) mod people;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use regex::Regex;

/// A folder of its own for one test; commands run in it, so that messages show short relative paths.
pub(crate) struct Sandbox {
    dir: tempfile::TempDir,
}

/// Variables that change what the program does.
const SETTINGS: [&str; 11] = [
    "ASAP_ADDR",
    "ASAP_DATA",
    "ASAP_JOBS",
    "ASAP_SITE",
    "ASAP_WEIGHTS",
    "GEMINI_API_KEY",
    "GOOGLE_API_KEY",
    "GOOGLE_GEMINI_BASE_URL",
    "OPENAI_API_KEY",
    "OPENAI_BASE_URL",
    "RUST_LOG",
];

/// What a command did.
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Sandbox {
    pub(crate) fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a file, making the folders above it.
    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(&path, bytes).unwrap();
        path
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs_err::read(self.path(name)).unwrap()
    }

    /// Runs `asap` with the words of `line` to its end.
    pub(crate) fn asap(&self, line: &str) -> Run {
        Run::of(&mut self.command(line))
    }

    /// Runs `asap`, which must succeed; gives its stdout.
    pub(crate) fn ok(&self, line: &str) -> String {
        let run = self.asap(line);
        assert_eq!(run.code, Some(0), "`asap {line}` failed\n{}", run.snapshot());
        run.stdout
    }

    /// Runs `asap ... --json`, which must succeed; gives what it printed.
    pub(crate) fn json(&self, line: &str) -> serde_json::Value {
        let stdout = self.ok(&format!("{line} --json"));
        serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error} in\n{stdout}"))
    }

    /// Starts `asap` and leaves it running.
    pub(crate) fn start(&self, line: &str) -> Running {
        let child = self
            .command(line)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Running { child }
    }

    /// The command with the words of `line`, nothing of the surroundings' settings, in the folder.
    pub(crate) fn command(&self, line: &str) -> Command {
        let mut command = Command::new(asap_binary());
        command
            .args(line.split_whitespace())
            .current_dir(self.dir.path())
            .stdin(Stdio::null());
        for name in SETTINGS {
            command.env_remove(name);
        }
        command.env("NO_COLOR", "1");
        command
    }
}

/// Runs `line` in `sandbox` and compares everything that a user sees with `expected`, whose common
/// indentation does not count.
#[track_caller]
pub(crate) fn check(sandbox: &Sandbox, line: &str, expected: &str) {
    let got = sandbox.asap(line).snapshot();
    let expected = dedent(expected);
    assert!(
        got == expected,
        "`asap {line}`\n=== got\n{got}=== expected\n{expected}"
    );
}

impl Run {
    pub(crate) fn of(command: &mut Command) -> Self {
        let output = command.output().unwrap();
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Exit code and both streams, with what changes from run to run replaced.
    pub(crate) fn snapshot(&self) -> String {
        let code = self
            .code
            .map_or_else(|| "signal".to_owned(), |code| code.to_string());
        let mut text = format!("exit {code}\n");
        for (name, stream) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            if !stream.is_empty() {
                text.push_str(&format!("--- {name}\n{}", filtered(stream)));
            }
        }
        text
    }
}

/// Waits until something has happened in a program that runs beside the test; fails with `missing` after two minutes.
#[track_caller]
pub(crate) fn wait_until(missing: &str, mut has_happened: impl FnMut() -> bool) {
    let start = Instant::now();
    while !has_happened() {
        assert!(start.elapsed() < Duration::from_secs(120), "{missing}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A command that runs beside the test; ended when the test is over, however it ends.
pub(crate) struct Running {
    pub(crate) child: Child,
}

impl Running {
    /// Waits for the end.
    pub(crate) fn wait(mut self) -> Run {
        use std::io::Read as _;
        let mut stdout = String::new();
        let mut stderr = String::new();
        // The streams are short: neither fills its pipe while the other is read.
        self.child
            .stdout
            .take()
            .unwrap()
            .read_to_string(&mut stdout)
            .unwrap();
        self.child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut stderr)
            .unwrap();
        let code = self.child.wait().unwrap().code();
        Run { code, stdout, stderr }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// Durations, rates, ids and hashes differ or say nothing.
fn filtered(text: &str) -> String {
    static FILTERS: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
        [
            (r"\b[0-9a-f]{64}\b", "[digest]"),
            (r"[0-9.]+ s, [0-9.]+ pairs/s", "[time]"),
            (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?( UTC|Z)?", "[date]"),
        ]
        .map(|(pattern, name)| (Regex::new(pattern).unwrap(), name))
        .into()
    });
    FILTERS.iter().fold(text.to_owned(), |text, (pattern, name)| {
        pattern.replace_all(&text, *name).into_owned()
    })
}

/// Drops the first line break and the indentation that all lines share.
fn dedent(text: &str) -> String {
    let lines: Vec<&str> = text
        .trim_start_matches('\n')
        .trim_end_matches(' ')
        .lines()
        .collect();
    let indent = lines
        .iter()
        .filter(|line| !line.trim().is_empty())
        .map(|line| line.len() - line.trim_start().len())
        .min()
        .unwrap_or(0);
    lines
        .iter()
        .map(|line| format!("{}\n", line.get(indent..).unwrap_or("")))
        .collect()
}

/// `ASAP_BIN`, else the binary beside the folder of the test executable.
fn asap_binary() -> PathBuf {
    if let Some(path) = std::env::var_os("ASAP_BIN") {
        return path.into();
    }
    let test = std::env::current_exe().unwrap();
    let binary = test
        .ancestors()
        .nth(2)
        .unwrap()
        .join(format!("asap{}", std::env::consts::EXE_SUFFIX));
    assert!(
        binary.is_file(),
        "no `{}`: run `cargo build -p asap-cli` first, or name the program in ASAP_BIN",
        binary.display()
    );
    binary
}

/// The folder of test material that is not part of the project, if it is there; else says what is skipped.
pub(crate) fn shared(what: &str) -> Option<PathBuf> {
    let root = std::env::var_os("ASAP_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared"),
        PathBuf::from,
    );
    let path = root.join(what);
    if path.exists() {
        return Some(path);
    }
    println!(
        "skipped: no `{}`; set ASAP_SHARED to the folder that holds `{what}`",
        path.display()
    );
    None
}
