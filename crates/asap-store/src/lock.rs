//! One writer at a time: a lock of the operating system on a file of the dataset.
//!
//! The lock goes when its process ends, however it ends, so a killed writer never leaves one behind.
//! Readers take no lock.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;

use crate::{Error, Result};

/// The right to write a dataset, until it is dropped.
#[derive(Debug)]
pub(crate) struct WriterLock {
    /// Closing the file gives the lock back.
    _file: File,
}

impl WriterLock {
    /// The name of its file.
    pub(crate) const FILE: &str = "writer.lock";

    /// Takes the lock, or says who has it.
    pub(crate) fn take(root: &Path) -> Result<Self> {
        let path = root.join(Self::FILE);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|error| Error::io("write", &path, error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::Locked {
                    path: root.to_owned(),
                    holder: holder(&mut file),
                });
            }
            Err(TryLockError::Error(error)) => return Err(Error::io("lock", &path, error)),
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
