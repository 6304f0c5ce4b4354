//! TensorBoard's event files: records with checksums around small protobuf messages, written by hand.
//!
//! Four messages with a dozen fields do not need a compiler for protobuf. Field numbers are those of
//! `event.proto` and `summary.proto` in TensorBoard 2.x.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::crc32c::masked;
use super::{Eval, Record, Step};
use crate::folder::{Error, Result};

/// An event file that is being written.
#[derive(Debug)]
pub struct EventFile {
    path: PathBuf,
    file: File,
}

impl EventFile {
    /// Begins the file `events.out.tfevents.TIME.HOST` in `dir`. A resumed run begins a new one, from which
    /// TensorBoard learns that what it knows from `first_step` on is done again. The time is given, as this crate
    /// reads no clock.
    ///
    /// # Units
    /// `wall_secs`: seconds since 1970.
    /// # Errors
    /// [`Error::Io`].
    pub fn create(dir: &Path, host: &str, wall_secs: f64, first_step: u64) -> Result<Self> {
        let name = format!("events.out.tfevents.{:010}.{host}", wall_secs as u64);
        let (path, file) = create_new(dir, &name)?;
        let mut events = Self { path, file };
        let version = Message::new().double(1, wall_secs).bytes(3, b"brain.Event:2");
        events.write_event(version)?;
        // SessionLog with the status START.
        let session = Message::new().varint(1, 1);
        events.write_event(event(wall_secs, first_step).bytes(7, &session.0))?;
        Ok(events)
    }

    /// Writes the numbers of a record; records without any write nothing.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn write(&mut self, wall_secs: f64, record: &Record) -> Result<()> {
        let scalars = match record {
            Record::Step(step) => step_scalars(step),
            Record::Eval(eval) => eval_scalars(eval),
            Record::Sampled(_) | Record::Note(_) => return Ok(()),
        };
        let mut summary = Message::new();
        for (tag, value) in scalars {
            let value = Message::new().bytes(1, tag.as_bytes()).float(2, value as f32);
            summary = summary.bytes(1, &value.0);
        }
        self.write_event(event(wall_secs, record.step()).bytes(5, &summary.0))
    }

    /// Writes an image under `samples/NAME`.
    ///
    /// # Errors
    /// [`Error::Png`] for bytes that are no PNG, [`Error::Io`].
    pub fn write_image(&mut self, wall_secs: f64, step: u64, name: &str, png: &[u8]) -> Result<()> {
        let header = PngHeader::read(name, png)?;
        let image = Message::new()
            .varint(1, header.height)
            .varint(2, header.width)
            .varint(3, header.n_channels)
            .bytes(4, png);
        let value = Message::new()
            .bytes(1, format!("samples/{name}").as_bytes())
            .bytes(4, &image.0);
        let summary = Message::new().bytes(1, &value.0);
        self.write_event(event(wall_secs, step).bytes(5, &summary.0))
    }

    /// One record: length, its checksum, the message, its checksum.
    fn write_event(&mut self, event: Message) -> Result<()> {
        let message = event.0;
        let length = (message.len() as u64).to_le_bytes();
        let mut record = Vec::with_capacity(message.len() + 16);
        record.extend(length);
        record.extend(masked(&length).to_le_bytes());
        record.extend(&message);
        record.extend(masked(&message).to_le_bytes());
        self.file
            .write_all(&record)
            .map_err(|error| Error::io("write", &self.path, error))
    }
}

/// A file of that name, or of the next free one where a run was taken up twice in a second.
fn create_new(dir: &Path, name: &str) -> Result<(PathBuf, File)> {
    let mut n = 0;
    loop {
        let path = match n {
            0 => dir.join(name),
            _ => dir.join(format!("{name}.{n}")),
        };
        match OpenOptions::new().append(true).create_new(true).open(&path) {
            Ok(file) => return Ok((path, file)),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => n += 1,
            Err(error) => return Err(Error::io("create", &path, error)),
        }
    }
}

fn step_scalars(step: &Step) -> Vec<(&'static str, f64)> {
    let mut scalars = vec![
        ("train/loss", step.loss),
        ("train/delta", step.delta),
        ("train/winner_advantage", step.winner_advantage),
        ("train/loser_advantage", step.loser_advantage),
        ("train/accuracy", step.accuracy),
        ("train/grad_norm", step.grad_norm),
        ("train/learning_rate", step.learning_rate),
        ("time/step_seconds", step.seconds),
        ("time/data_wait_seconds", step.data_wait_seconds),
    ];
    scalars.extend(step.share_past_tau.map(|share| ("train/share_past_tau", share)));
    scalars.extend(
        step.memory_peak_bytes
            .map(|bytes| ("memory/peak_bytes", bytes as f64)),
    );
    scalars
}

fn eval_scalars(eval: &Eval) -> Vec<(&'static str, f64)> {
    let mut scalars = Vec::new();
    scalars.extend(eval.accuracy().map(|accuracy| ("held_out/accuracy", accuracy)));
    scalars.extend(eval.delta.map(|delta| ("held_out/delta", delta)));
    scalars
}

fn event(wall_secs: f64, step: u64) -> Message {
    Message::new().double(1, wall_secs).varint(2, step)
}

/// A protobuf message under construction.
struct Message(Vec<u8>);

impl Message {
    const fn new() -> Self {
        Self(Vec::new())
    }

    fn varint(mut self, field: u8, value: u64) -> Self {
        self.0.push(field << 3);
        self.push_varint(value);
        self
    }

    fn double(mut self, field: u8, value: f64) -> Self {
        self.0.push((field << 3) | 1);
        self.0.extend(value.to_le_bytes());
        self
    }

    fn float(mut self, field: u8, value: f32) -> Self {
        self.0.push((field << 3) | 5);
        self.0.extend(value.to_le_bytes());
        self
    }

    fn bytes(mut self, field: u8, bytes: &[u8]) -> Self {
        self.0.push((field << 3) | 2);
        self.push_varint(bytes.len() as u64);
        self.0.extend(bytes);
        self
    }

    fn push_varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }
}

/// What TensorBoard wants to know of an image.
struct PngHeader {
    width: u64,
    height: u64,
    n_channels: u64,
}

impl PngHeader {
    fn read(name: &str, png: &[u8]) -> Result<Self> {
        let wrong = |got: String| Error::Png {
            name: name.to_owned(),
            got,
        };
        // Signature, length and name of the header, width, height, depth, colour type.
        let header: &[u8; 26] = png
            .first_chunk()
            .ok_or_else(|| wrong(format!("{} bytes", png.len())))?;
        if !header.starts_with(b"\x89PNG\r\n\x1a\n") || &header[12..16] != b"IHDR" {
            return Err(wrong("another signature".to_owned()));
        }
        let number = |at: usize| {
            u64::from(u32::from_be_bytes([
                header[at],
                header[at + 1],
                header[at + 2],
                header[at + 3],
            ]))
        };
        let n_channels = match header[25] {
            0 => 1,
            2 | 3 => 3,
            4 => 2,
            6 => 4,
            other => return Err(wrong(format!("the colour type {other}"))),
        };
        Ok(Self {
            width: number(16),
            height: number(20),
            n_channels,
        })
    }
}

#[cfg(test)]
mod tests;
