//! Files of one JSON value a line: read with line numbers, and appended to so that a crash loses nothing.

use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use fs_err::{File, OpenOptions};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Error, Result};

/// A line that is not whole, because a process ended while it wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TornLine {
    /// The file.
    pub path: PathBuf,
    /// Line, from 1.
    pub line: usize,
    /// Its length in bytes.
    pub n_bytes: usize,
}

impl std::fmt::Display for TornLine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "`{}` line {}: the last line is torn ({} bytes), as after a crash; it is left out, and what it was about is asked again",
            self.path.display(),
            self.line,
            self.n_bytes
        )
    }
}

/// A row with its line number, from 1.
pub(crate) type Row<T> = (usize, T);

/// The text of a file.
pub(crate) fn read_text(path: &Path) -> Result<String> {
    to_text(path, fs_err::read(path)?)
}

/// All rows of a file. Blank lines are passed over.
pub(crate) fn read_rows<T: DeserializeOwned>(path: &Path) -> Result<Vec<Row<T>>> {
    parse_rows(path, &read_text(path)?)
}

/// All rows of a text that came from `path`.
pub(crate) fn parse_rows<T: DeserializeOwned>(path: &Path, text: &str) -> Result<Vec<Row<T>>> {
    text.lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(idx, line)| {
            let row = serde_json::from_str(line).map_err(|error| Error::Row {
                path: path.to_owned(),
                line: idx + 1,
                message: plain(&error),
            })?;
            Ok((idx + 1, row))
        })
        .collect()
}

/// What serde says, without its own count of lines: a row is one line of the file.
pub(crate) fn plain(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let message = text.split(" at line ").next().unwrap_or(&text);
    match error.column() {
        0 => message.to_owned(),
        column => format!("{message} (column {column})"),
    }
}

/// Reads a log without touching it: a torn last line is left out and told.
pub(crate) fn read_log<T: DeserializeOwned>(path: &Path) -> Result<(Vec<Row<T>>, Option<TornLine>)> {
    let mut bytes = fs_err::read(path)?;
    let (keep, torn) = whole_lines::<T>(path, &bytes);
    bytes.truncate(keep);
    Ok((parse_rows(path, &to_text(path, bytes)?)?, torn))
}

/// A log that is open for appending: one process at a time, each row on the disk before it counts.
#[derive(Debug)]
pub(crate) struct Journal {
    file: File,
    path: PathBuf,
}

impl Journal {
    /// Opens or makes a log, cuts a torn last line off and gives all rows.
    pub(crate) fn open<T: DeserializeOwned>(path: &Path) -> Result<(Self, Vec<Row<T>>, Option<TornLine>)> {
        let is_new = !path.exists();
        let mut file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .open(path)?;
        file.file().try_lock().map_err(|error| match error {
            std::fs::TryLockError::WouldBlock => Error::Locked {
                path: path.to_owned(),
            },
            std::fs::TryLockError::Error(error) => error.into(),
        })?;
        if is_new && let Some(parent) = path.parent() {
            sync_dir(parent)?;
        }
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(0))?;
        file.read_to_end(&mut bytes)?;
        let (keep, torn) = whole_lines::<T>(path, &bytes);
        bytes.truncate(keep);
        let is_unended = bytes.last().is_some_and(|byte| *byte != b'\n');
        let rows = parse_rows(path, &to_text(path, bytes)?)?;
        if torn.is_some() {
            file.set_len(keep as u64)?;
        }
        if is_unended {
            file.write_all(b"\n")?;
        }
        if torn.is_some() || is_unended {
            file.sync_data()?;
        }
        let journal = Self {
            file,
            path: path.to_owned(),
        };
        Ok((journal, rows, torn))
    }

    /// Appends a row; when this returns, the row is on the disk.
    pub(crate) fn append<T: Serialize>(&mut self, row: &T) -> Result<()> {
        let mut line = serde_json::to_vec(row).map_err(|error| Error::File {
            path: self.path.clone(),
            message: format!("cannot write a row: {error}"),
        })?;
        line.push(b'\n');
        self.file.write_all(&line)?;
        self.file.sync_data()?;
        Ok(())
    }
}

/// How many bytes of a log are whole lines, and the torn line after them.
///
/// A last line without its line break that still parses is whole: only the break was lost.
fn whole_lines<T: DeserializeOwned>(path: &Path, bytes: &[u8]) -> (usize, Option<TornLine>) {
    let start = bytes
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |at| at + 1);
    let last = &bytes[start..];
    if last.is_empty() || serde_json::from_slice::<T>(last).is_ok() {
        return (bytes.len(), None);
    }
    let torn = TornLine {
        path: path.to_owned(),
        line: bytes.iter().filter(|byte| **byte == b'\n').count() + 1,
        n_bytes: last.len(),
    };
    (start, Some(torn))
}

fn to_text(path: &Path, bytes: Vec<u8>) -> Result<String> {
    String::from_utf8(bytes).map_err(|error| {
        let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line_start = before
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |at| at + 1);
        Error::NotUtf8 {
            path: path.to_owned(),
            line: before.iter().filter(|byte| **byte == b'\n').count() + 1,
            column: before.len() - line_start + 1,
        }
    })
}

/// Writes a whole file in one step: readers see the old one or the new one.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let parent = path.parent().unwrap_or(Path::new("."));
    fs_err::create_dir_all(parent)?;
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    let part = path.with_file_name(name);
    let mut file = File::create(&part)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs_err::rename(&part, path)?;
    sync_dir(parent)
}

/// Makes a new name in a folder last through a power cut.
pub(crate) fn sync_dir(dir: &Path) -> Result<()> {
    let dir = if dir.as_os_str().is_empty() {
        Path::new(".")
    } else {
        dir
    };
    // Windows cannot open a folder as a file, and does not need it.
    if cfg!(unix) {
        File::open(dir)?.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows or error, the torn line, and the file after one more row.
    type Opened = (std::result::Result<Vec<Row<u32>>, String>, Option<usize>, Vec<u8>);

    fn opened(bytes: &[u8]) -> Opened {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log.jsonl");
        std::fs::write(&path, bytes).unwrap();
        match Journal::open::<u32>(&path) {
            Ok((mut journal, rows, torn)) => {
                journal.append(&9_u32).unwrap();
                (
                    Ok(rows),
                    torn.map(|torn| torn.line),
                    std::fs::read(&path).unwrap(),
                )
            }
            Err(error) => {
                let text = error
                    .to_string()
                    .replace(&format!("{}/", dir.path().display()), "");
                (Err(text), None, std::fs::read(&path).unwrap())
            }
        }
    }

    #[test]
    fn a_torn_last_line_is_cut_and_a_lost_break_is_put_back() {
        assert_eq!(opened(b""), (Ok(vec![]), None, b"9\n".to_vec()));
        assert_eq!(opened(b"1\n"), (Ok(vec![(1, 1)]), None, b"1\n9\n".to_vec()));
        assert_eq!(
            opened(b"1\n2"),
            (Ok(vec![(1, 1), (2, 2)]), None, b"1\n2\n9\n".to_vec())
        );
        assert_eq!(
            opened(b"1\n{\"a"),
            (Ok(vec![(1, 1)]), Some(2), b"1\n9\n".to_vec())
        );
        // What some file systems leave after a power cut.
        assert_eq!(
            opened(b"1\n\0\0\0"),
            (Ok(vec![(1, 1)]), Some(2), b"1\n9\n".to_vec())
        );
        assert_eq!(
            opened(b"1\n\xc3"),
            (Ok(vec![(1, 1)]), Some(2), b"1\n9\n".to_vec())
        );
    }

    #[test]
    fn other_corruption_is_refused_with_its_line_and_left_alone() {
        let broken = b"1\n2 2\n3\n";
        let (result, _, after) = opened(broken);
        assert_eq!(
            result.unwrap_err(),
            "`log.jsonl` line 2: trailing characters (column 3)"
        );
        assert_eq!(after, broken);
        let (result, _, _) = opened(b"1\n2\xff\n3\n");
        assert_eq!(
            result.unwrap_err(),
            "`log.jsonl` line 2: expected UTF-8, byte 2 is not; save the file as UTF-8"
        );
    }

    #[test]
    fn one_process_writes_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log.jsonl");
        let first = Journal::open::<u32>(&path).unwrap();
        assert!(matches!(Journal::open::<u32>(&path), Err(Error::Locked { .. })));
        drop(first);
        assert!(Journal::open::<u32>(&path).is_ok());
    }
}
