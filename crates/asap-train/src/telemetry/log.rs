//! `telemetry.jsonl`: written line by line, read whole.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::Record;
use crate::folder::{Error, Result, write_whole};

/// Writes records at the end of the file.
#[derive(Debug)]
pub struct TelemetryLog {
    path: PathBuf,
    file: File,
}

impl TelemetryLog {
    /// Takes up the file after step `step`: what a former process wrote of later steps is cut, as these steps are
    /// done again, and so is a last line that it did not finish. A file that is not there is begun; 0 keeps only
    /// what was told before the first update.
    ///
    /// # Errors
    /// [`Error::Io`], and [`Error::Line`] for a line in the middle that is no record.
    pub fn open_after(path: &Path, step: u64) -> Result<Self> {
        if path.exists() {
            let text = read_text(path)?;
            let (records, _) = parse(path, &text)?;
            // Lines are kept as they are: to read and write a number can change its last digit.
            let kept: String = records
                .iter()
                .filter(|(_, record)| record.step() <= step)
                .map(|(line, _)| format!("{line}\n"))
                .collect();
            if kept != text {
                write_whole(path, kept.as_bytes())?;
            }
        }
        let file = OpenOptions::new()
            .append(true)
            .create(true)
            .open(path)
            .map_err(|error| Error::io("open", path, error))?;
        Ok(Self {
            path: path.to_owned(),
            file,
        })
    }

    /// Writes a record. It is with the operating system when this returns, so a killed process does not lose it.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn write(&mut self, record: &Record) -> Result<()> {
        let mut line = serde_json::to_vec(record).expect("records are plain data");
        line.push(b'\n');
        self.file
            .write_all(&line)
            .map_err(|error| Error::io("write", &self.path, error))
    }

    /// Brings all records to the disk, so that a power cut does not lose them; for checkpoints.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn sync(&self) -> Result<()> {
        self.file
            .sync_all()
            .map_err(|error| Error::io("sync", &self.path, error))
    }
}

/// The records of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Telemetry {
    /// In the order in which they were written.
    pub records: Vec<Record>,
    /// The length of an unfinished last line, in bytes; 0 where there is none.
    pub torn_bytes: usize,
}

impl Telemetry {
    /// Reads a file, also while a run writes it.
    ///
    /// # Errors
    /// [`Error::Io`], and [`Error::Line`] for a line that is no record.
    pub fn read(path: &Path) -> Result<Self> {
        let text = read_text(path)?;
        let (records, torn_bytes) = parse(path, &text)?;
        Ok(Self {
            records: records.into_iter().map(|(_, record)| record).collect(),
            torn_bytes,
        })
    }
}

fn read_text(path: &Path) -> Result<String> {
    let bytes = std::fs::read(path).map_err(|error| Error::io("read", path, error))?;
    // A line may be torn inside of a letter; any other place with wrong bytes is no record and is told as such.
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The lines with their records, and the length of the torn line at the end.
fn parse<'a>(path: &Path, text: &'a str) -> Result<(Vec<(&'a str, Record)>, usize)> {
    let whole = text.rfind('\n').map_or(0, |end| end + 1);
    let mut records = Vec::new();
    for (idx, line) in text[..whole].lines().enumerate() {
        let record = serde_json::from_str(line).map_err(|source| Error::Line {
            path: path.to_owned(),
            line: idx + 1,
            source,
        })?;
        records.push((line, record));
    }
    Ok((records, text.len() - whole))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::{Note, Step};

    fn note(step: u64) -> Record {
        Record::Note(Note {
            step,
            text: format!("Größe {step}"),
        })
    }

    fn step(loss: f64) -> Record {
        Record::Step(Step {
            step: 1,
            epoch: 0,
            loss,
            delta: f64::NEG_INFINITY,
            winner_advantage: f64::INFINITY,
            loser_advantage: 0.25,
            accuracy: 0.5,
            share_past_tau: Some(f64::NAN),
            grad_norm: 1.5,
            learning_rate: 1e-4,
            seconds: 2.0,
            data_wait_seconds: 0.0,
            memory_peak_bytes: None,
            pairs: Vec::new(),
        })
    }

    #[test]
    fn records_come_back_in_order() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("telemetry.jsonl");
        let mut log = TelemetryLog::open_after(&path, 0).unwrap();
        for record in [note(0), step(0.5), note(1)] {
            log.write(&record).unwrap();
        }
        log.sync().unwrap();
        let read = Telemetry::read(&path).unwrap();
        assert_eq!(read.torn_bytes, 0);
        assert_eq!(read.records.len(), 3);
        assert_eq!((&read.records[0], &read.records[2]), (&note(0), &note(1)));
    }

    #[test]
    fn numbers_that_are_none_survive() {
        let line = serde_json::to_string(&step(f64::NAN)).unwrap();
        assert!(
            line.contains(r#""loss":"NaN","delta":"-Infinity","winner_advantage":"Infinity""#),
            "{line}"
        );
        let Record::Step(read) = serde_json::from_str(&line).unwrap() else {
            panic!("a step");
        };
        assert!(read.loss.is_nan() && read.share_past_tau.unwrap().is_nan());
        assert_eq!(
            (read.delta, read.winner_advantage),
            (f64::NEG_INFINITY, f64::INFINITY)
        );
        let wrong = line.replace("\"NaN\"", "\"much\"");
        let error = serde_json::from_str::<Record>(&wrong).unwrap_err();
        assert!(
            error.to_string().contains("expected a number, got `much`"),
            "{error}"
        );
    }

    #[test]
    fn steps_that_are_done_again_and_a_torn_line_are_cut() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("telemetry.jsonl");
        let mut log = TelemetryLog::open_after(&path, 0).unwrap();
        for n in 0..5 {
            log.write(&note(n)).unwrap();
        }
        let before = std::fs::read(&path).unwrap();
        // Torn inside of the two bytes of an umlaut.
        let torn = [
            before.as_slice(),
            b"{\"kind\":\"note\",\"step\":5,\"text\":\"Gr\xc3",
        ]
        .concat();
        std::fs::write(&path, &torn).unwrap();
        assert!(Telemetry::read(&path).unwrap().torn_bytes > 0);
        let mut log = TelemetryLog::open_after(&path, 2).unwrap();
        log.write(&note(3)).unwrap();
        let expected: Vec<Record> = [0, 1, 2, 3].map(note).to_vec();
        assert_eq!(
            Telemetry::read(&path).unwrap(),
            Telemetry {
                records: expected,
                torn_bytes: 0
            }
        );
    }

    #[test]
    fn a_wrong_line_in_the_middle_is_told_and_nothing_is_cut() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("telemetry.jsonl");
        let text = "{\"kind\":\"note\",\"step\":0,\"text\":\"a\"}\nbroken\n";
        std::fs::write(&path, text).unwrap();
        let error = TelemetryLog::open_after(&path, 0).unwrap_err();
        assert!(error.to_string().contains("line 2"), "{error}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    }
}
