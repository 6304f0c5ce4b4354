//! The base of `tiny`, which is a part of its run's folder, is trained once for all runs.

use std::path::Path;

use crate::folder::BASE;

/// Copies a base from one of the runs into `to`, where it has none. One that does not fit is made anew there.
pub(super) fn share<'a>(runs: impl Iterator<Item = &'a Path>, to: &Path) -> std::io::Result<()> {
    let target = to.join(BASE);
    if target.exists() {
        return Ok(());
    }
    match runs.map(|run| run.join(BASE)).find(|base| base.is_dir()) {
        Some(base) => copy_folder(&base, &target),
        None => Ok(()),
    }
}

fn copy_folder(from: &Path, to: &Path) -> std::io::Result<()> {
    fs_err::create_dir_all(to)?;
    for entry in fs_err::read_dir(from)? {
        let path = entry?.path();
        let target = to.join(path.file_name().unwrap_or_default());
        if path.is_dir() {
            copy_folder(&path, &target)?;
        } else {
            fs_err::copy(&path, &target)?;
        }
    }
    Ok(())
}
