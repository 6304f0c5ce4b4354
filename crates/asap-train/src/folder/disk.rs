//! Files that are there whole or not at all.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use super::{Error, Result};

/// Writes a whole file in one step: readers see the old one or the new one, also after a power cut.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let parent = path.parent().unwrap_or(Path::new("."));
    create_dir(parent)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let part = path.with_file_name(format!(".{name}.{}.part", std::process::id()));
    let write = || {
        let mut file = File::create(&part)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&part, path)
    };
    if let Err(error) = write() {
        // The first error is the one to tell.
        _ = std::fs::remove_file(&part);
        return Err(Error::io("write", path, error));
    }
    sync_dir(parent)
}

pub(super) fn create_dir(path: &Path) -> Result<()> {
    std::fs::create_dir_all(path).map_err(|error| Error::io("create", path, error))
}

pub(super) fn remove_dir(path: &Path) -> Result<()> {
    std::fs::remove_dir_all(path).map_err(|error| Error::io("remove", path, error))
}

pub(super) fn rename(from: &Path, to: &Path) -> Result<()> {
    std::fs::rename(from, to).map_err(|error| Error::io("rename", from, error))
}

/// Brings a written file to the disk.
pub(super) fn sync_file(path: &Path) -> std::io::Result<()> {
    File::open(path)?.sync_all()
}

/// Makes the names in a folder last through a power cut.
pub(super) fn sync_dir(dir: &Path) -> Result<()> {
    // Windows cannot open a folder as a file, and does not need it.
    if cfg!(unix) {
        let dir = if dir.as_os_str().is_empty() {
            Path::new(".")
        } else {
            dir
        };
        sync_file(dir).map_err(|error| Error::io("sync", dir, error))?;
    }
    Ok(())
}

/// The names in a folder, sorted; none where there is no folder.
pub(super) fn names(dir: &Path) -> Result<Vec<String>> {
    let io = |error| Error::io("list", dir, error);
    let entries = match std::fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(io(error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        names.push(entry.map_err(io)?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}
