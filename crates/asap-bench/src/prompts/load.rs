//! Reads a set of prompts, going on after each fault so that all of them are told at once.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use asap_core::prompt::latest_version;
use asap_core::{Category, Prompt, PromptId, Sha256};
use sha2::Digest as _;

use super::{Error, Fault, PromptSet, Result, Taxonomy, row, split};

/// Where the parts of a folder are.
const TAXONOMY: &str = "taxonomy.toml";
const ROWS: &str = "data/prompts.jsonl";
const HASHES: &str = "data/prompts.sha256";
const SPLITS: &str = "splits";

/// What could be read, and what is wrong with the rest.
#[derive(Clone, Debug)]
pub struct Reading {
    /// The rows that parsed.
    pub set: PromptSet,
    /// Everything that is wrong, by file and line.
    pub faults: Vec<Fault>,
}

/// Reads a folder in the layout of `prompts/haf-bench`, or one `.jsonl` file.
///
/// # Errors
/// [`Error::Read`] where the rows, or the taxonomy of a folder, cannot be read at all; [`Error::Toml`] for the
/// taxonomy.
pub fn read(path: &Path) -> Result<Reading> {
    let is_folder = path.is_dir();
    let (file, taxonomy) = if is_folder {
        (path.join(ROWS), Some(Taxonomy::read(&path.join(TAXONOMY))?))
    } else {
        (path.to_owned(), None)
    };
    let bytes = bytes_of(&file)?;
    let mut rows = Rows::parse(&bytes, &file, taxonomy.as_ref());
    if rows.prompts.is_empty() && rows.faults.is_empty() {
        rows.faults.push(Fault {
            file: file.clone(),
            line: None,
            message: "expected at least one prompt, got none".to_owned(),
        });
    }
    let mut set = PromptSet {
        path: path.to_owned(),
        name: taxonomy.as_ref().map_or_else(|| stem(path), |it| it.name.clone()),
        version: taxonomy
            .as_ref()
            .map_or_else(|| latest_version(&rows.prompts), |it| it.version.clone()),
        sha256: Sha256::from_bytes(sha2::Sha256::digest(&bytes).into()),
        file: file.clone(),
        prompts: rows.prompts,
        lines: rows.lines,
        idx_by_id: rows.idx_by_id,
        taxonomy,
        splits: BTreeMap::new(),
    };
    let mut faults = rows.faults;
    if is_folder {
        faults.extend(count_faults(&set));
        faults.extend(hash_faults(&set, &path.join(HASHES))?);
        faults.extend(read_splits(&mut set, &path.join(SPLITS))?);
    }
    faults.sort();
    Ok(Reading { set, faults })
}

fn bytes_of(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|source| Error::Read {
        path: path.to_owned(),
        source,
    })
}

fn stem(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default();
    stem.to_string_lossy().into_owned()
}

/// The rows file, taken apart.
#[derive(Default)]
struct Rows {
    prompts: Vec<Prompt>,
    lines: Vec<u32>,
    idx_by_id: BTreeMap<PromptId, usize>,
    faults: Vec<Fault>,
}

impl Rows {
    fn parse(bytes: &[u8], file: &Path, taxonomy: Option<&Taxonomy>) -> Self {
        let mut rows = Self::default();
        let body = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        if body.is_empty() {
            return rows;
        }
        for (line, text) in (1..).zip(body.split(|&byte| byte == b'\n')) {
            let found = match parse_row(text) {
                Ok(prompt) => rows.add(prompt, line, taxonomy),
                Err(message) => vec![message],
            };
            rows.faults.extend(found.into_iter().map(|message| Fault {
                file: file.to_owned(),
                line: Some(line),
                message,
            }));
        }
        rows
    }

    /// Takes a row in, unless its id is taken; gives what is wrong with it.
    fn add(&mut self, prompt: Prompt, line: u32, taxonomy: Option<&Taxonomy>) -> Vec<String> {
        let mut found = row::faults(&prompt, taxonomy);
        if let Some(&idx) = self.idx_by_id.get(&prompt.id) {
            let first = self.lines[idx];
            found.push(format!("id `{}` stands on line {first} already", prompt.id));
            return found;
        }
        if taxonomy.is_some()
            && let Some(last) = self.prompts.last()
            && (last.category, &last.id) > (prompt.category, &prompt.id)
        {
            found.push(format!(
                "row order: expected rows by category and id, got `{}` after `{}`",
                prompt.id, last.id
            ));
        }
        self.idx_by_id.insert(prompt.id.clone(), self.prompts.len());
        self.lines.push(line);
        self.prompts.push(prompt);
        found
    }
}

fn parse_row(bytes: &[u8]) -> std::result::Result<Prompt, String> {
    let text = std::str::from_utf8(bytes)
        .map_err(|error| format!("not UTF-8: bad byte at column {}", error.valid_up_to() + 1))?;
    if text.trim().is_empty() {
        return Err("empty line: expected one JSON object".to_owned());
    }
    if text.starts_with('\u{feff}') {
        return Err("byte-order mark at the start: save the file as UTF-8 without it".to_owned());
    }
    serde_json::from_str(text).map_err(|error| {
        let column = error.column();
        let message = error.to_string();
        // The parser counts lines inside the row; there is one only.
        let reason = message.split(" at line ").next().unwrap_or(&message);
        format!("not a prompt row: {reason} (column {column})")
    })
}

/// Whether each category has as many prompts as the taxonomy says.
fn count_faults(set: &PromptSet) -> Vec<Fault> {
    let Some(taxonomy) = &set.taxonomy else {
        return Vec::new();
    };
    let expected = taxonomy.prompts_per_category as usize;
    let counted = Category::ALL.map(|category| {
        let n_rows = set.prompts.iter().filter(|it| it.category == category).count();
        (category, n_rows)
    });
    let wrong = counted.into_iter().filter(|&(_, n_rows)| n_rows != expected);
    wrong
        .map(|(category, n_rows)| Fault {
            file: set.file.clone(),
            line: None,
            message: format!(
                "category `{}`: expected {expected} prompts, got {n_rows}",
                category.name()
            ),
        })
        .collect()
}

/// Compares the rows file with the hash that stands beside it, in the format of `sha256sum`.
fn hash_faults(set: &PromptSet, path: &Path) -> Result<Vec<Fault>> {
    let bytes = bytes_of(path)?;
    let text = String::from_utf8_lossy(&bytes);
    let name = file_name(&set.file);
    let stated = (1..).zip(text.lines()).find_map(|(line, text)| {
        let (hash, file) = text.split_once([' ', '\t'])?;
        let file = file.trim_start_matches([' ', '\t', '*']);
        (file_name(Path::new(file)) == name).then(|| (line, hash.to_ascii_lowercase()))
    });
    let fault = |line, message| Fault {
        file: path.to_owned(),
        line,
        message,
    };
    let got = set.sha256.to_string();
    Ok(match stated {
        None => vec![fault(
            None,
            format!("expected the line `{got}  {name}`, as `sha256sum` writes it"),
        )],
        Some((line, hash)) if hash != got => vec![fault(
            Some(line),
            format!("`{name}` has the SHA-256 {got}, not {hash}: was it changed after hashing?"),
        )],
        Some(_) => Vec::new(),
    })
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

fn read_splits(set: &mut PromptSet, dir: &Path) -> Result<Vec<Fault>> {
    let mut faults = Vec::new();
    for path in text_files(dir)? {
        let name = stem(&path);
        let (ids, found) = split::parse(&bytes_of(&path)?, &path, &set.idx_by_id);
        faults.extend(found);
        faults.extend(split::size_fault(&name, ids.len(), set.prompts.len(), &path));
        set.splits.insert(name, ids);
    }
    Ok(faults)
}

/// The `.txt` files of a folder by name; none where there is no such folder.
fn text_files(dir: &Path) -> Result<Vec<PathBuf>> {
    if !dir.is_dir() {
        return Ok(Vec::new());
    }
    let read_error = |source| Error::Read {
        path: dir.to_owned(),
        source,
    };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(read_error)? {
        let path = entry.map_err(read_error)?.path();
        if path.extension().is_some_and(|ending| ending == "txt") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
