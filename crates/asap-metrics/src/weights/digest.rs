//! SHA-256 of what passes by.

use std::io::{self, Read, Write};
use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::Fault;
use crate::{Error, Result};

/// Reads or writes through, hashing.
pub(crate) struct Hashing<T> {
    inner: T,
    hasher: Sha256,
}

impl<T> Hashing<T> {
    pub(crate) fn new(inner: T) -> Self {
        Self {
            inner,
            hasher: Sha256::new(),
        }
    }

    /// The hash in hexadecimal digits, and what was read or written through.
    pub(crate) fn finish(self) -> (String, T) {
        (digits(self.hasher), self.inner)
    }
}

impl<T: Read> Read for Hashing<T> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n_bytes = self.inner.read(buffer)?;
        self.hasher.update(&buffer[..n_bytes]);
        Ok(n_bytes)
    }
}

impl<T: Write> Write for Hashing<T> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let n_bytes = self.inner.write(buffer)?;
        self.hasher.update(&buffer[..n_bytes]);
        Ok(n_bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

fn digits(hasher: Sha256) -> String {
    hasher
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// The SHA-256 of some bytes, in hexadecimal digits.
pub(crate) fn sha256_of(bytes: &[u8]) -> String {
    digits(Sha256::new_with_prefix(bytes))
}

/// The SHA-256 of a whole file, in hexadecimal digits.
pub(crate) fn of_file(path: &Path) -> Result<String> {
    let io = |action| move |error: io::Error| Error::weights(path, Fault::io(action, &error));
    let file = fs_err::File::open(path).map_err(io("open"))?;
    let mut hashing = Hashing::new(file);
    let mut buffer = vec![0; 1 << 20];
    while hashing.read(&mut buffer).map_err(io("read"))? > 0 {}
    Ok(hashing.finish().0)
}
