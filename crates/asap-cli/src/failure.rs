//! How a failure is shown: one line that says what went wrong, then the way out where we know one.

use std::io::ErrorKind;

use anyhow::Error;

/// A failure of a command itself, with the way out of it.
#[derive(Debug)]
pub(crate) struct Hinted {
    message: String,
    hint: String,
}

impl std::fmt::Display for Hinted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Hinted {}

/// An error that says `message`, to be shown with `hint`.
pub(crate) fn hinted(message: impl Into<String>, hint: impl Into<String>) -> Error {
    Hinted {
        message: message.into(),
        hint: hint.into(),
    }
    .into()
}

/// The lines that go to stderr: `error: ...` and, where a way out is known, `hint: ...`.
pub(crate) fn render(error: &Error) -> String {
    let mut text = format!("error: {}\n", message(error));
    if let Some(hint) = hint(error) {
        text.push_str(&format!("hint: {hint}\n"));
    }
    text
}

/// The whole chain as one line.
pub(crate) fn message(error: &Error) -> String {
    let text = one_line(&chain(error));
    // Libraries name files by their whole path; in the folder of the user the rest is enough.
    match std::env::current_dir() {
        Ok(here) => text.replace(&format!("`{}{}", here.display(), std::path::MAIN_SEPARATOR), "`"),
        Err(_) => text,
    }
}

/// Whether the reader of stdout went away, as `asap ... | head` does: no failure of ours.
pub(crate) fn is_closed_pipe(error: &Error) -> bool {
    io_kinds(error).any(|kind| kind == ErrorKind::BrokenPipe)
}

/// The messages of the chain joined with `: `, leaving out a cause that its parent already quotes.
fn chain(error: &Error) -> String {
    let mut text = String::new();
    for cause in error.chain() {
        let message = cause.to_string();
        if text.contains(&message) {
            continue;
        }
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&message);
        if says_all(cause) {
            break;
        }
    }
    text
}

/// Whether a message has the way out in it, so that what the storage library said adds nothing.
fn says_all(cause: &(dyn std::error::Error + 'static)) -> bool {
    matches!(
        cause.downcast_ref(),
        Some(asap_store::Error::DiskFull { .. } | asap_store::Error::NotWritable { .. })
    )
}

/// Control characters and line breaks of quoted texts become spaces, so that a message stays one line.
fn one_line(text: &str) -> String {
    let words: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect();
    words.join(" ")
}

fn hint(error: &Error) -> Option<String> {
    let own = error.chain().find_map(|cause| cause.downcast_ref::<Hinted>());
    if let Some(hinted) = own {
        return Some(hinted.hint.clone());
    }
    if error.chain().any(says_all) {
        return None;
    }
    io_kinds(error).find_map(hint_of_io).map(str::to_owned)
}

fn io_kinds(error: &Error) -> impl Iterator<Item = ErrorKind> {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .map(std::io::Error::kind)
}

fn hint_of_io(kind: ErrorKind) -> Option<&'static str> {
    match kind {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            Some("free some space and run the same command again; what is stored is whole")
        }
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            Some("choose a place that you may write to")
        }
        ErrorKind::AddrInUse => Some("choose another port with `--addr`, or port 0 for a free one"),
        ErrorKind::NotFound => Some("check the path"),
        ErrorKind::NotADirectory => Some("there is a file where a folder is needed: choose another name"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;

    use super::*;

    #[test]
    fn a_chain_is_one_line_with_its_hint() {
        let io = std::io::Error::from(ErrorKind::StorageFull);
        let error = Error::new(io).context("cannot write\n`a.lance`").context("run 3");
        assert_eq!(
            render(&error),
            "error: run 3: cannot write `a.lance`: no storage space\n\
             hint: free some space and run the same command again; what is stored is whole\n"
        );
    }

    #[test]
    fn a_cause_that_is_quoted_is_not_said_twice() {
        let error = Error::msg("no such table").context("cannot open: no such table");
        assert_eq!(render(&error), "error: cannot open: no such table\n");
    }

    #[test]
    fn a_message_with_the_way_out_stands_alone() {
        let error = asap_store::Error::DiskFull {
            path: "a.lance".into(),
            source: "LanceError(IO): a long story".into(),
        };
        let text = render(&error.into());
        assert!(
            text.starts_with("error: no space left on the disk of `a.lance`: free some"),
            "{text}"
        );
        assert!(
            !text.contains("LanceError") && text.lines().count() == 1,
            "{text}"
        );
    }

    #[test]
    fn an_own_hint_goes_before_the_one_of_the_cause() {
        let error = hinted("no pairs", "build some");
        assert_eq!(render(&error), "error: no pairs\nhint: build some\n");
        let result: anyhow::Result<()> = Err(error).context("cannot curate `a.lance`");
        assert_eq!(
            render(&result.unwrap_err()),
            "error: cannot curate `a.lance`: no pairs\nhint: build some\n"
        );
    }
}
