//! One writer at a time: a lock of the operating system on a file of the run.
//!
//! The lock goes when its process ends, however it ends, so a killed trainer never leaves one behind and nothing has
//! to be guessed from process ids or ages. Readers take no lock.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;

use super::{Error, Result};

/// The right to write a run, until it is dropped.
#[derive(Debug)]
pub struct RunLock {
    /// Closing the file gives the lock back.
    _file: File,
}

impl RunLock {
    pub(super) fn take(path: &Path) -> Result<Self> {
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(|error| Error::io("write", path, error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::Locked {
                    path: path.parent().unwrap_or(path).to_owned(),
                    holder: holder(&mut file),
                });
            }
            Err(TryLockError::Error(error)) => return Err(Error::io("lock", path, error)),
        }
        // The number only helps people; a failure to note it (a full disk) is no reason to stop here.
        let noted = file
            .set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| write!(file, "{}", std::process::id()));
        if let Err(error) = noted {
            tracing::debug!(%error, path = %path.display(), "the writer's process id was not noted");
        }
        Ok(Self { _file: file })
    }
}

fn holder(file: &mut File) -> String {
    let mut text = String::new();
    match file.read_to_string(&mut text) {
        Ok(_) if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) => format!("process {text}"),
        _ => "another process".to_owned(),
    }
}
