//! Computes a report again from the logs in it and lists every difference.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::config::{Config, REPORT_SCHEMA};
use super::figure::Figure;
use super::images::PictureFile;
use super::log::Log;
use super::render::{ReportFile, render};
use super::write::{SUMS, is_inside, read_sums};
use crate::run::sha256;
use crate::{Error, Result, jsonl};

/// One thing that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Difference {
    /// The file, relative to the report.
    pub file: String,
    /// What was expected and what was found.
    pub message: String,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "`{}`: {}", self.file, self.message)
    }
}

/// What a verification found.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Verified {
    /// Files whose hash was checked.
    pub n_files: usize,
    /// Figures that were computed again.
    pub n_figures: usize,
    /// Everything that differs; empty where the report is what its logs say.
    pub differences: Vec<Difference>,
}

impl Verified {
    fn add(&mut self, file: impl Into<String>, message: impl Into<String>) {
        self.differences.push(Difference {
            file: file.into(),
            message: message.into(),
        });
    }
}

/// Checks every hash, computes every figure, table, plot and the page again, and compares them to the last digit.
///
/// It shows that the report follows from its logs. Whether the logs are what the judge said is shown by the answers
/// in the runs, and whether the images are those that were judged by the hashes in the logs.
///
/// # Errors
/// [`Error::File`] where the folder is no report, [`Error::Io`] where a file cannot be read.
pub fn verify(dir: &Path) -> Result<Verified> {
    let sums = dir.join(SUMS);
    if !sums.is_file() {
        return Err(Error::File {
            path: dir.to_owned(),
            message: format!("expected a report, got a folder without `{SUMS}`"),
        });
    }
    let mut verified = Verified::default();
    check_hashes(dir, &jsonl::read_text(&sums)?, &mut verified)?;
    let Some(config) = read_json::<Config>(dir, "config.json", &mut verified) else {
        return Ok(verified);
    };
    check_versions(&config, &mut verified);
    let pictures = read_json::<Vec<PictureFile>>(dir, "images.json", &mut verified).unwrap_or_default();
    let log = match Log::read(dir) {
        Ok((log, hashes)) => {
            for hash in hashes.iter().filter(|hash| !config.logs.contains(hash)) {
                verified.add(&hash.file, "is not the log whose hash `config.json` has");
            }
            log
        }
        Err(error) => {
            verified.add("config.json", format!("no figure was computed again: {error}"));
            return Ok(verified);
        }
    };
    match render(&log, &config, &pictures) {
        Ok(rendered) => compare(dir, &rendered.texts, &mut verified),
        Err(error) => verified.add("report.json", format!("no figure was computed again: {error}")),
    }
    Ok(verified)
}

/// Compares each file with the list, and the list with the folder.
fn check_hashes(dir: &Path, sums: &str, verified: &mut Verified) -> Result<()> {
    let mut listed = BTreeSet::from([SUMS.to_owned()]);
    for (hash, name) in read_sums(sums) {
        if !is_inside(&name) {
            verified.add(SUMS, format!("lists `{name}`, which is outside of the report"));
            continue;
        }
        verified.n_files += 1;
        match fs_err::read(dir.join(&name)) {
            Ok(bytes) if sha256(&bytes).to_string() == hash => {}
            Ok(_) => verified.add(&name, "its bytes are not those that were written"),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => verified.add(&name, "is missing"),
            Err(error) => return Err(error.into()),
        }
        listed.insert(name);
    }
    for name in files_of(dir)? {
        if !listed.contains(&name) {
            verified.add(name, "does not belong to the report");
        }
    }
    Ok(())
}

/// The names of all files below a folder, with `/`, sorted.
fn files_of(dir: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    let mut open: Vec<PathBuf> = vec![dir.to_owned()];
    while let Some(folder) = open.pop() {
        for item in fs_err::read_dir(&folder)? {
            let path = item?.path();
            if path.is_dir() {
                open.push(path);
            } else if let Ok(inside) = path.strip_prefix(dir) {
                names.push(inside.to_string_lossy().replace('\\', "/"));
            }
        }
    }
    names.sort();
    Ok(names)
}

fn read_json<T: serde::de::DeserializeOwned>(dir: &Path, name: &str, verified: &mut Verified) -> Option<T> {
    let read = jsonl::read_text(&dir.join(name)).map_err(|error| error.to_string());
    match read.and_then(|text| serde_json::from_str(&text).map_err(|error| error.to_string())) {
        Ok(value) => Some(value),
        Err(message) => {
            verified.add(name, message);
            None
        }
    }
}

/// Another version may compute another number with good reason: that is told, and compared all the same.
fn check_versions(config: &Config, verified: &mut Verified) {
    let ours = env!("CARGO_PKG_VERSION");
    if config.schema != REPORT_SCHEMA {
        verified.add(
            "config.json",
            format!("expected schema {REPORT_SCHEMA}, got {}", config.schema),
        );
    }
    if config.toolkit != ours {
        let message = format!(
            "was made by version {}, and this is {ours}: use that version",
            config.toolkit
        );
        verified.add("config.json", message);
    }
    if config.paper_table_sha256 != super::paper_table_sha256() {
        verified.add("config.json", "the paper's table is another one in this version");
    }
}

fn compare(dir: &Path, texts: &BTreeMap<String, String>, verified: &mut Verified) {
    for (name, expected) in texts {
        let Ok(found) = fs_err::read(dir.join(name)) else {
            // A missing file that is listed has been told already.
            if !verified
                .differences
                .iter()
                .any(|difference| difference.file == *name)
            {
                verified.add(name, "is missing");
            }
            continue;
        };
        let is_equal = found == expected.as_bytes();
        if name == "report.json" {
            compare_figures(&found, expected, is_equal, verified);
        } else if !is_equal {
            verified.add(name, "is not what the logs give");
        }
    }
}

fn compare_figures(found: &[u8], expected: &str, is_equal: bool, verified: &mut Verified) {
    let name = "report.json";
    // Both texts are read by one reader, so equal digits become equal numbers.
    let expected: ReportFile = serde_json::from_str(expected).expect("a report that was just written");
    verified.n_figures = expected.figures.len();
    let found: ReportFile = match serde_json::from_slice(found) {
        Ok(found) => found,
        Err(error) => return verified.add(name, error.to_string()),
    };
    let before = verified.differences.len();
    let mut known: BTreeMap<String, &Figure> = found
        .figures
        .iter()
        .map(|figure| (figure.name(), figure))
        .collect();
    for figure in &expected.figures {
        match known.remove(&figure.name()) {
            None => verified.add(name, format!("has no {}", figure.name())),
            Some(found) if same(found, figure) => {}
            Some(found) => verified.add(name, format!("{}: {}", figure.name(), told(figure, found))),
        }
    }
    for extra in known.keys() {
        verified.add(name, format!("has {extra}, which the logs do not give"));
    }
    if !is_equal && verified.differences.len() == before {
        verified.add(name, "has the figures that the logs give, but not the same bytes");
    }
}

/// Equal in every field, numbers in every bit.
fn same(one: &Figure, other: &Figure) -> bool {
    one == other && bits(one) == bits(other)
}

fn bits(figure: &Figure) -> [Option<u64>; 3] {
    let ends = figure.interval;
    [
        figure.value,
        ends.map(|ends| ends.low),
        ends.and_then(|ends| ends.high),
    ]
    .map(|value| value.map(f64::to_bits))
}

fn told(expected: &Figure, found: &Figure) -> String {
    let number = |value: Option<f64>| value.map_or_else(|| "none".to_owned(), |value| value.to_string());
    let text = |figure: &Figure| {
        let [low, high] = [
            figure.interval.map(|it| it.low),
            figure.interval.and_then(|it| it.high),
        ];
        format!(
            "{} [{}, {}] n {}",
            number(figure.value),
            number(low),
            number(high),
            figure.n
        )
    };
    let (expected_text, found_text) = (text(expected), text(found));
    if expected_text == found_text {
        return "method, status or note differ".to_owned();
    }
    format!("the logs give {expected_text}, the report has {found_text}")
}
