//! What goes where: data to stdout, everything else to stderr.

use std::io::Write as _;

use anyhow::{Context as _, Result};
use serde::Serialize;

use crate::args::GlobalArgs;

/// Prints for one run of the program.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Printer {
    quiet: bool,
    json: bool,
}

impl Printer {
    pub(crate) fn new(global: &GlobalArgs) -> Self {
        Self {
            quiet: global.quiet,
            json: global.json,
        }
    }

    /// Prints what the command was asked for: as text, or as JSON where that was asked for.
    pub(crate) fn data(self, text: &str, value: &impl Serialize) -> Result<()> {
        if self.json {
            let json = serde_json::to_string_pretty(value).context("cannot write the result as JSON")?;
            return to_stdout(&json);
        }
        to_stdout(text)
    }

    /// Prints what was done: like [`Self::data`], but `--quiet` leaves out the text.
    pub(crate) fn summary(self, text: &str, value: &impl Serialize) -> Result<()> {
        if self.quiet && !self.json {
            return Ok(());
        }
        self.data(text, value)
    }

    /// Tells the user something on stderr, unless `--quiet`.
    pub(crate) fn note(self, text: &str) {
        if !self.quiet {
            to_stderr(text);
        }
    }

    /// Whether progress is drawn.
    pub(crate) fn shows_progress(self) -> bool {
        !self.quiet
    }
}

/// Prints raw data, such as a completion script.
pub(crate) fn to_stdout(text: &str) -> Result<()> {
    let mut stdout = std::io::stdout().lock();
    stdout
        .write_all(text.as_bytes())
        .and_then(|()| {
            if text.ends_with('\n') {
                Ok(())
            } else {
                stdout.write_all(b"\n")
            }
        })
        .and_then(|()| stdout.flush())
        .context("cannot write to stdout")
}

/// Prints a line on stderr. There is nobody left to tell when that fails.
pub(crate) fn to_stderr(text: &str) {
    let mut stderr = std::io::stderr().lock();
    let end = if text.ends_with('\n') { "" } else { "\n" };
    _ = write!(stderr, "{text}{end}");
}
