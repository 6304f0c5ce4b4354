//! Makes the folder of a report.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::config::{Config, Options, REPORT_SCHEMA};
use super::gallery::gallery;
use super::images::picture_file;
use super::inputs::Inputs;
use super::log::Log;
use super::paper::paper_table_sha256;
use super::plot::to_png;
use super::render::{Rendered, render};
use crate::jsonl::write_whole;
use crate::run::sha256;
use crate::{Error, Result};

/// The list of all files with their hashes.
pub(super) const SUMS: &str = "SHA256SUMS";

/// A report that was written.
#[derive(Clone, Debug)]
pub struct Written {
    /// The page.
    pub page: PathBuf,
    /// What was found.
    pub rendered: Rendered,
    /// What could not be made, in sentences.
    pub notes: Vec<String>,
}

/// Computes a report and writes it. An older report in the same place is replaced; any other folder with files in it
/// is refused.
///
/// # Errors
/// Those of [`render`], [`Error::Io`], and [`Error::File`] where `out` holds something else.
pub fn write(inputs: &Inputs, options: &Options, out: &Path) -> Result<Written> {
    check_place(out)?;
    let texts = inputs.log(options).to_files();
    let log = Log::from_texts(out, &texts.clone().map(|(_, text)| text))?;
    let mut files: BTreeMap<String, Vec<u8>> = texts
        .into_iter()
        .map(|(name, text)| (name.to_owned(), text.into_bytes()))
        .collect();
    let config = settled(config(inputs, options, &files))?;
    let mut pictures = Vec::new();
    for picture in gallery(&log, &inputs.models(), options)?.pictures() {
        let said = inputs.said(picture, options);
        let (file, thumbnail) = picture_file(picture, inputs.run(&picture.model), said, out);
        pictures.push(file);
        files.extend(thumbnail);
    }
    let rendered = render(&log, &config, &pictures)?;
    for (name, text) in &rendered.texts {
        files.insert(name.clone(), text.clone().into_bytes());
    }
    let mut notes = notes(&rendered, &pictures);
    for plot in &rendered.plots {
        match to_png(&plot.plot) {
            Ok(png) => {
                files.insert(format!("plots/{}.png", plot.name), png);
            }
            Err(error) => notes.push(format!("no `plots/{}.png`: {error}", plot.name)),
        }
    }
    replace(out, &files)?;
    Ok(Written {
        page: out.join("index.html"),
        rendered,
        notes,
    })
}

fn config(inputs: &Inputs, options: &Options, logs: &BTreeMap<String, Vec<u8>>) -> Config {
    Config {
        schema: REPORT_SCHEMA,
        toolkit: env!("CARGO_PKG_VERSION").to_owned(),
        options: options.clone(),
        runs: inputs.records(),
        identities: inputs.identities(options),
        human: inputs.human.clone(),
        logs: logs
            .iter()
            .map(|(file, bytes)| super::FileHash {
                file: file.clone(),
                sha256: sha256(bytes),
            })
            .collect(),
        paper_table_sha256: paper_table_sha256(),
    }
}

/// The settings as they are read back. A decimal text and the number that it is read as can differ in the last bit,
/// so they are written and read until nothing changes any more.
fn settled(mut config: Config) -> Result<Config> {
    for _ in 0..8 {
        let text = serde_json::to_string(&config).expect("names, numbers and hashes are always JSON");
        let read: Config = serde_json::from_str(&text).map_err(|error| Error::Report {
            message: format!("the settings of a run cannot be kept: {error}"),
        })?;
        if read == config {
            break;
        }
        config = read;
    }
    Ok(config)
}

/// What the reader of the command's output should know.
fn notes(rendered: &Rendered, pictures: &[super::PictureFile]) -> Vec<String> {
    let mut notes = Vec::new();
    let lost = pictures.iter().filter(|file| file.thumbnail.is_none()).count();
    if lost > 0 {
        notes.push(format!(
            "{lost} of {} images that would be shown are gone or changed since they were judged",
            pictures.len()
        ));
    }
    let n_other = rendered.analysis.human.n_other_protocol;
    if n_other > 0 {
        notes.push(format!(
            "{n_other} votes of people are under another protocol and are left out"
        ));
    }
    notes
}

/// Refuses a folder that holds anything but a report.
fn check_place(out: &Path) -> Result<()> {
    let refused = |message: &str| {
        Err(Error::File {
            path: out.to_owned(),
            message: message.to_owned(),
        })
    };
    if out.is_file() {
        return refused("expected a folder for the report, got a file");
    }
    if !out.is_dir() || out.join(SUMS).is_file() {
        return Ok(());
    }
    if fs_err::read_dir(out)?.next().is_some() {
        return refused("has files in it that are no report; choose another folder");
    }
    Ok(())
}

/// Takes an older report away, file by file as its list names them, and writes the new one, its list last: a folder
/// without list is no whole report.
fn replace(out: &Path, files: &BTreeMap<String, Vec<u8>>) -> Result<()> {
    let sums = out.join(SUMS);
    if sums.is_file() {
        for (_, name) in read_sums(&fs_err::read_to_string(&sums)?) {
            let path = out.join(&name);
            if is_inside(&name) && path.is_file() {
                fs_err::remove_file(path)?;
            }
        }
        fs_err::remove_file(&sums)?;
    }
    let mut list = String::new();
    for (name, bytes) in files {
        write_whole(&out.join(name), bytes)?;
        list.push_str(&format!("{}  {name}\n", sha256(bytes)));
    }
    write_whole(&sums, list.as_bytes())
}

/// Hash and name of each line of a list; lines that are none are passed over.
pub(super) fn read_sums(text: &str) -> Vec<(String, String)> {
    let lines = text.lines().filter_map(|line| line.split_once("  "));
    lines
        .map(|(hash, name)| (hash.to_owned(), name.to_owned()))
        .collect()
}

/// Whether a name stays inside of the report.
pub(super) fn is_inside(name: &str) -> bool {
    let path = Path::new(name);
    !name.is_empty()
        && path
            .components()
            .all(|part| matches!(part, std::path::Component::Normal(_)))
}
