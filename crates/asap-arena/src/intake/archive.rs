//! Tar and zip, read under limits; nothing is ever written under a name that is in them.
//!
//! Tar is read as it comes, header by header: the names that its extensions carry are read under a limit of their own,
//! because a header may say that a name has a gigabyte. Zip has its list at the end, and only there says what is a link,
//! so it waits in a file without a name.

use std::collections::BTreeSet;
use std::io::{self, Read, Seek as _, SeekFrom};

use tar::{Entry, EntryType, PaxExtensions};
use zip::ZipArchive;

use super::limits::{Guarded, Limits};
use super::refusal::Refusal;

/// A header that names a file may be this long.
const EXTENSION_BYTES: u64 = 16 << 10;
/// A small file may be packed better than the ratio allows.
const RATIO_FREE_BYTES: u64 = 64 << 10;

/// Takes each file: its name and its bytes.
pub(super) type Each<'a> = dyn FnMut(&str, Vec<u8>) -> Result<(), Refusal> + 'a;

/// Calls `each` with the files of an archive, in its order.
pub(super) fn read(reader: impl Read, limits: &Limits, each: &mut Each<'_>) -> Result<(), Refusal> {
    let mut reader = Guarded::new(reader, limits);
    let mut start = Vec::new();
    reader
        .by_ref()
        .take(4)
        .read_to_end(&mut start)
        .map_err(Refusal::archive)?;
    let mut counted = Counted::new(limits);
    match start.as_slice() {
        [b'P', b'K', 3, 4] => zip(io::Cursor::new(start).chain(reader), &mut counted, each),
        [0x1f, 0x8b, ..] => Err(Refusal::archive("a gzip file: unpack it with `gunzip` first")),
        [_, _, _, _] => tar(start, reader, &mut counted, each),
        _ => Err(Refusal::archive(format!("{} bytes", start.len()))),
    }
}

/// What has been read, against the limits.
struct Counted<'a> {
    limits: &'a Limits,
    n_entries: usize,
    total_bytes: u64,
    names: BTreeSet<String>,
}

impl<'a> Counted<'a> {
    const fn new(limits: &'a Limits) -> Self {
        Self {
            limits,
            n_entries: 0,
            total_bytes: 0,
            names: BTreeSet::new(),
        }
    }

    fn entry(&mut self) -> Result<(), Refusal> {
        self.n_entries += 1;
        match self.n_entries <= self.limits.n_entries {
            true => Ok(()),
            false => Err(Refusal::archive(format!(
                "more than {} entries",
                self.limits.n_entries
            ))),
        }
    }

    /// Reads a file of `said` bytes that may have `most` at most.
    fn file(
        &mut self,
        name: &str,
        said: u64,
        most: u64,
        content: &mut impl Read,
    ) -> Result<Vec<u8>, Refusal> {
        check_name(name, self.limits)?;
        if !self.names.insert(name.to_owned()) {
            return Err(Refusal::entry(name, "each name once", "a second of that name"));
        }
        let left = self.limits.total_bytes - self.total_bytes;
        let most = most.min(self.limits.entry_bytes).min(left);
        let expected = || format!("at most {most} bytes");
        if said > most {
            return Err(Refusal::entry(name, expected(), format!("{said} bytes")));
        }
        let mut bytes = Vec::new();
        content
            .take(most.saturating_add(1))
            .read_to_end(&mut bytes)
            .map_err(|error| Refusal::entry(name, "a whole file", error))?;
        let n = bytes.len() as u64;
        if n > most {
            return Err(Refusal::entry(name, expected(), "more"));
        }
        if n != said {
            return Err(Refusal::entry(
                name,
                format!("{said} bytes as its header says"),
                n,
            ));
        }
        self.total_bytes += n;
        Ok(bytes)
    }
}

/// Names are keys, not paths; these are refused all the same, because whoever packs them means no good.
pub(super) fn check_name(name: &str, limits: &Limits) -> Result<(), Refusal> {
    let is_known = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/ ".contains(&byte);
    let is_plain = !name.is_empty()
        && name.len() <= limits.name_bytes
        && name.bytes().all(is_known)
        && name.split('/').all(|part| !matches!(part, "" | "." | ".."));
    match is_plain {
        true => Ok(()),
        false => Err(Refusal::entry(
            name,
            format!(
                "a relative name of up to {} letters, digits, `.`, `_`, `-`, `/`",
                limits.name_bytes
            ),
            "another",
        )),
    }
}

fn tar<R: Read>(
    start: Vec<u8>,
    reader: Guarded<R>,
    counted: &mut Counted<'_>,
    each: &mut Each<'_>,
) -> Result<(), Refusal> {
    let mut archive = tar::Archive::new(io::Cursor::new(start).chain(reader));
    let mut long_name = None;
    for entry in archive.entries().map_err(Refusal::archive)?.raw(true) {
        let mut entry = entry.map_err(Refusal::archive)?;
        counted.entry()?;
        let kind = entry.header().entry_type();
        match kind {
            EntryType::XHeader => {
                long_name = pax_name(&extension(&mut entry)?)?.or(long_name);
                continue;
            }
            EntryType::GNULongName => {
                let name = extension(&mut entry)?;
                long_name = Some(name.strip_suffix(b"\0").unwrap_or(&name).to_vec());
                continue;
            }
            EntryType::XGlobalHeader => {
                extension(&mut entry)?;
                continue;
            }
            _ => {}
        }
        let name = long_name
            .take()
            .unwrap_or_else(|| entry.path_bytes().into_owned());
        let name = String::from_utf8_lossy(&name).into_owned();
        let plain = name.strip_prefix("./").unwrap_or(&name);
        match kind {
            EntryType::Directory => continue,
            EntryType::Regular | EntryType::Continuous => {}
            other => return Err(Refusal::entry(plain, "a file", kind_name(other))),
        }
        let said = entry.size();
        let bytes = counted.file(plain, said, u64::MAX, &mut entry)?;
        each(plain, bytes)?;
    }
    let (_, reader) = archive.into_inner().into_inner();
    match reader.zeros_at_end() >= 512 {
        true => Ok(()),
        false => Err(Refusal::archive("one without an end: it was cut")),
    }
}

fn extension(entry: &mut Entry<'_, impl Read>) -> Result<Vec<u8>, Refusal> {
    let mut bytes = Vec::new();
    if entry.size() > EXTENSION_BYTES {
        return Err(Refusal::archive(format!("a header of {} bytes", entry.size())));
    }
    entry.read_to_end(&mut bytes).map_err(Refusal::archive)?;
    Ok(bytes)
}

/// The name in a pax header. One that changes a size is refused: the header itself can say every size that is allowed.
fn pax_name(bytes: &[u8]) -> Result<Option<Vec<u8>>, Refusal> {
    let mut name = None;
    for record in PaxExtensions::new(bytes) {
        let record = record.map_err(Refusal::archive)?;
        match record.key_bytes() {
            b"path" => name = Some(record.value_bytes().to_vec()),
            key if key == b"size" || key.starts_with(b"GNU.sparse") => {
                return Err(Refusal::archive("a pax header that changes sizes"));
            }
            _ => {}
        }
    }
    Ok(name)
}

const fn kind_name(kind: EntryType) -> &'static str {
    match kind {
        EntryType::Link => "a hard link",
        EntryType::Symlink => "a symbolic link",
        EntryType::Char | EntryType::Block => "a device",
        EntryType::Fifo => "a pipe",
        EntryType::GNUSparse => "a sparse file",
        _ => "an entry of another kind",
    }
}

fn zip(mut reader: impl Read, counted: &mut Counted<'_>, each: &mut Each<'_>) -> Result<(), Refusal> {
    let mut spool = tempfile::tempfile().map_err(Refusal::archive)?;
    io::copy(&mut reader, &mut spool).map_err(Refusal::archive)?;
    let listed = listed_entries(&mut spool)?;
    if listed > counted.limits.n_entries as u64 {
        return Err(Refusal::archive(format!(
            "{listed} entries, more than {}",
            counted.limits.n_entries
        )));
    }
    let mut archive = ZipArchive::new(io::BufReader::new(spool)).map_err(Refusal::archive)?;
    if archive.len() as u64 != listed {
        return Err(Refusal::archive(
            "a name twice, or a list that does not fit its count",
        ));
    }
    for idx in 0..archive.len() {
        counted.entry()?;
        let mut entry = archive.by_index(idx).map_err(Refusal::archive)?;
        let name = entry.name().map_err(Refusal::archive)?.into_owned();
        if entry.is_dir() {
            continue;
        }
        // The upper bits of the mode: 0o100000 is a file; archives from Windows have none.
        let kind = entry.unix_mode().unwrap_or(0) & 0o170_000;
        if kind != 0 && kind != 0o100_000 {
            let got = if kind == 0o120_000 {
                "a symbolic link"
            } else {
                "an entry of another kind"
            };
            return Err(Refusal::entry(&name, "a file", got));
        }
        let most = entry
            .compressed_size()
            .saturating_mul(counted.limits.ratio)
            .saturating_add(RATIO_FREE_BYTES);
        let bytes = counted.file(&name, entry.size(), most, &mut entry)?;
        each(&name, bytes)?;
    }
    Ok(())
}

/// How many entries the end of a zip file says there are. It is looked at first, because the list itself is held in
/// memory, and because a reader that keeps one entry for each name would hide a name that is there twice.
fn listed_entries(file: &mut std::fs::File) -> Result<u64, Refusal> {
    const END_BYTES: usize = 22;
    let len = file.seek(SeekFrom::End(0)).map_err(Refusal::archive)?;
    let tail_len = len.min(END_BYTES as u64 + u64::from(u16::MAX));
    file.seek(SeekFrom::Start(len - tail_len))
        .map_err(Refusal::archive)?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail).map_err(Refusal::archive)?;
    file.rewind().map_err(Refusal::archive)?;
    let end = tail
        .windows(END_BYTES)
        .rposition(|window| window.starts_with(b"PK\x05\x06"))
        .ok_or_else(|| Refusal::archive("one without an end: it was cut"))?;
    match u16::from_le_bytes([tail[end + 10], tail[end + 11]]) {
        u16::MAX => Err(Refusal::archive("65535 entries or more")),
        n => Ok(u64::from(n)),
    }
}
