//! What an upload may cost.

use std::io::{self, Read};
use std::time::{Duration, Instant};

/// Bounds of one archive and of each image in it. All hold at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Entries of the archive, folders too.
    pub n_entries: usize,
    /// Bytes of one file, unpacked.
    pub entry_bytes: u64,
    /// Bytes of all files, unpacked.
    pub total_bytes: u64,
    /// Bytes of the archive itself.
    pub archive_bytes: u64,
    /// Unpacked over packed, for each file.
    pub ratio: u64,
    /// The longest name in the archive.
    pub name_bytes: usize,
    /// The widest image, in pixels; the highest too.
    pub side_px: u32,
    /// Width times height.
    pub pixels: u64,
    /// Memory that decoding one image may take.
    pub decode_bytes: u64,
    /// Time for the whole archive, or for one file that comes alone.
    pub time: Duration,
}

impl Limits {
    /// 500 prompts with 8 seeds and their manifest fit in; an image is what present models draw, or four times that.
    pub const STANDARD: Self = Self {
        n_entries: 5_000,
        entry_bytes: 64 << 20,
        total_bytes: 16 << 30,
        archive_bytes: 16 << 30,
        ratio: 200,
        name_bytes: 200,
        side_px: 4_096,
        pixels: 4_096 * 4_096,
        decode_bytes: 128 << 20,
        time: Duration::from_secs(3_600),
    };
}

/// A reader that ends with an error after so many bytes or so much time.
pub(super) struct Guarded<R> {
    inner: R,
    left: u64,
    until: Instant,
    /// Tar ends with blocks of zeros, so this tells whether it was cut.
    zeros_at_end: u64,
}

impl<R: Read> Guarded<R> {
    pub(super) fn new(inner: R, limits: &Limits) -> Self {
        Self {
            inner,
            left: limits.archive_bytes,
            until: Instant::now() + limits.time,
            zeros_at_end: 0,
        }
    }

    /// How many zeros came last.
    pub(super) const fn zeros_at_end(&self) -> u64 {
        self.zeros_at_end
    }
}

impl<R: Read> Read for Guarded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if Instant::now() > self.until {
            return Err(io::Error::new(
                io::ErrorKind::TimedOut,
                "the archive took too long",
            ));
        }
        let n = self.inner.read(buffer)?;
        self.left = self
            .left
            .checked_sub(n as u64)
            .ok_or_else(|| io::Error::other("the archive has more bytes than are allowed"))?;
        let zeros = buffer[..n].iter().rev().take_while(|byte| **byte == 0).count();
        self.zeros_at_end = match zeros == n {
            true => self.zeros_at_end + n as u64,
            false => zeros as u64,
        };
        Ok(n)
    }
}
