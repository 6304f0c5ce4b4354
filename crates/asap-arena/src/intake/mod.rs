//! Intake: what comes from outside is read under limits, checked whole, and told what is wrong with it.
//!
//! [`examine`] is the one validator: the command line runs it before an upload, the server after. It blocks, so a
//! server calls it through [`in_turn`].

mod archive;
mod limits;
mod picture;
mod refusal;

use std::collections::BTreeMap;
use std::io::Read;
use std::time::Duration;

use asap_bench::prompts::PromptSet;
use asap_core::Sha256;
use tokio::sync::Semaphore;

use crate::manifest::{self, Fault, Manifest};

pub use limits::Limits;
pub use picture::{Picture, decode};
pub use refusal::Refusal;

/// Uploads that are decoded at once; each may take the memory of [`Limits::decode_bytes`] a few times.
static AT_ONCE: Semaphore = Semaphore::const_new(4);

/// Checks an archive: its entries, its images, its manifest, and each against the others. `keep` is given every image
/// with its name in the archive, before it is known whether the whole is good.
///
/// # Errors
/// The first [`Refusal`] of an entry, or all [`Fault`]s of the manifest.
pub fn examine(
    reader: impl Read,
    prompts: &PromptSet,
    limits: &Limits,
    keep: &mut dyn FnMut(&str, Picture) -> Result<(), Refusal>,
) -> Result<Manifest, Refusal> {
    let mut text = None;
    let mut files = BTreeMap::new();
    archive::read(reader, limits, &mut |name, bytes| {
        if name == manifest::FILE {
            let read = String::from_utf8(bytes);
            text = Some(read.map_err(|error| Refusal::entry(name, "UTF-8", error))?);
            return Ok(());
        }
        let picture = decode(name, &bytes, limits)?;
        files.insert(name.to_owned(), picture.original);
        keep(name, picture)
    })?;
    let text =
        text.ok_or_else(|| Refusal::entry(manifest::FILE, "a manifest at the top of the archive", "none"))?;
    settle(&text, &files, prompts)
}

/// Checks a manifest, and that it lists the files that are there and no others.
///
/// # Errors
/// All [`Fault`]s.
pub fn settle(
    text: &str,
    files: &BTreeMap<String, Sha256>,
    prompts: &PromptSet,
) -> Result<Manifest, Refusal> {
    let manifest = manifest::check(text, prompts).map_err(Refusal::Faults)?;
    let mut faults = Vec::new();
    let mut unlisted = files.clone();
    for (idx, image) in manifest.images.iter().enumerate() {
        let line = idx + 2;
        match unlisted.remove(&image.file) {
            Some(got) if got == image.sha256 => {}
            Some(got) => faults.push(Fault::new(
                line,
                "sha256",
                format!("`{}`", image.sha256),
                format!("`{got}`"),
            )),
            None => faults.push(Fault::new(
                line,
                "file",
                format!("`{}` in the upload", image.file),
                "none",
            )),
        }
    }
    faults.extend(
        unlisted
            .keys()
            .map(|name| Fault::new(0, "images", "files that are listed only", format!("`{name}`"))),
    );
    match faults.is_empty() {
        true => Ok(manifest),
        false => Err(Refusal::Faults(manifest::cut(faults))),
    }
}

/// Checks the name of a file that is uploaded alone.
///
/// # Errors
/// [`Refusal::Entry`].
pub fn check_name(name: &str, limits: &Limits) -> Result<(), Refusal> {
    archive::check_name(name, limits)
}

/// Does blocking work off the threads that answer requests, a few at a time, and waits for so long at most. Work that
/// is not awaited any more ends by its own limits and holds its turn until then.
///
/// # Errors
/// Those of the work, and [`Refusal::Archive`] where it took too long.
pub async fn in_turn<T: Send + 'static>(
    time: Duration,
    work: impl FnOnce() -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    let turn = AT_ONCE.acquire().await.map_err(Refusal::archive)?;
    let working = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        work()
    });
    let Ok(done) = tokio::time::timeout(time, working).await else {
        let got = format!("one that takes more than {} s", time.as_secs());
        return Err(Refusal::archive(got));
    };
    done.map_err(Refusal::archive)?
}

#[cfg(test)]
mod tests;
