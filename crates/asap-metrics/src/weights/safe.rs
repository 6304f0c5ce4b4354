//! Safetensors files: a header that names tensors, and their numbers.

use std::collections::BTreeMap;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use fs_err::File;

use super::digest::Hashing;
use super::dtype::Dtype;
use super::{Fault, TensorInfo};
use crate::{Error, Result};

/// The longest header that is read. Networks with thousands of tensors have a few hundred kB.
const MAX_HEADER_BYTES: u64 = 32 << 20;
/// Bytes before the header.
const LENGTH_BYTES: u64 = 8;

type Faulty<T> = std::result::Result<T, Fault>;

/// An open safetensors file whose header was read and fits the file's size.
#[derive(Debug)]
pub struct SafeFile {
    path: PathBuf,
    file: File,
    /// In the order of the file.
    tensors: Vec<TensorInfo>,
    notes: BTreeMap<String, String>,
}

impl SafeFile {
    /// Opens a file and reads its header.
    ///
    /// # Errors
    /// [`Error::Weights`], whatever is in the file.
    pub fn open(path: &Path) -> Result<Self> {
        let at = |fault| Error::weights(path, fault);
        let mut file = File::open(path).map_err(|error| at(Fault::io("open", &error)))?;
        let header = read_header(&mut file).map_err(at)?;
        let mut tensors = Vec::new();
        for name in header.offset_keys() {
            let Some(info) = header.info(&name) else { continue };
            let dtype_name = format!("{:?}", info.dtype);
            let Some(dtype) = Dtype::from_name(&dtype_name) else {
                let what = format!("numbers of type {dtype_name} are not read");
                return Err(at(Fault::Tensor { name, what }));
            };
            tensors.push(TensorInfo {
                name,
                dtype,
                shape: info.shape.clone(),
            });
        }
        let notes = header.metadata().iter().flatten();
        Ok(Self {
            path: path.to_owned(),
            file,
            tensors,
            notes: notes.map(|(key, text)| (key.clone(), text.clone())).collect(),
        })
    }

    /// The tensors in the order of the file.
    pub fn tensors(&self) -> &[TensorInfo] {
        &self.tensors
    }

    /// What the header says besides, such as the file that it was converted from.
    pub fn notes(&self) -> &BTreeMap<String, String> {
        &self.notes
    }

    /// Reads the whole file once: gives the bytes of each tensor to `each` and returns the SHA-256 of the file.
    pub(crate) fn read_all(self, mut each: impl FnMut(&TensorInfo, Vec<u8>) -> Faulty<()>) -> Result<String> {
        let at = |fault| Error::weights(&self.path, fault);
        let io = |error: std::io::Error| at(Fault::io("read", &error));
        let mut file = self.file;
        file.seek(SeekFrom::Start(0)).map_err(io)?;
        let mut reader = Hashing::new(file);
        let mut length = [0; LENGTH_BYTES as usize];
        reader.read_exact(&mut length).map_err(io)?;
        let mut header = Vec::new();
        (&mut reader)
            .take(u64::from_le_bytes(length).min(MAX_HEADER_BYTES))
            .read_to_end(&mut header)
            .map_err(io)?;
        for tensor in &self.tensors {
            // No longer than the file, which was checked when it was opened.
            let mut bytes = vec![0; tensor.n_bytes()];
            reader.read_exact(&mut bytes).map_err(io)?;
            each(tensor, bytes).map_err(at)?;
        }
        Ok(reader.finish().0)
    }
}

fn read_header(file: &mut File) -> Faulty<safetensors::tensor::Metadata> {
    let io = |error| Fault::io("read", &error);
    let file_bytes = file.metadata().map_err(io)?.len();
    if file_bytes < LENGTH_BYTES {
        return Err(not_safetensors("fewer than 8 bytes"));
    }
    let mut length = [0; LENGTH_BYTES as usize];
    file.read_exact(&mut length).map_err(io)?;
    let header_bytes = u64::from_le_bytes(length);
    // A zip file, or a pickle, has an enormous number here.
    if header_bytes > MAX_HEADER_BYTES {
        return Err(not_safetensors(
            "something else; torch files are converted by `asap weights convert`",
        ));
    }
    let left = file_bytes - LENGTH_BYTES;
    if header_bytes > left {
        return Err(truncated("header", header_bytes, left));
    }
    let mut header = vec![0; header_bytes as usize];
    file.read_exact(&mut header).map_err(io)?;
    let header: safetensors::tensor::Metadata = serde_json::from_slice(&header)
        .map_err(|error| not_safetensors(&format!("a header with: {error}")))?;
    let data_bytes = header.data_len() as u64;
    if data_bytes != left - header_bytes {
        return Err(truncated("tensors", data_bytes, left - header_bytes));
    }
    Ok(header)
}

fn not_safetensors(got: &str) -> Fault {
    Fault::Format {
        expected: "a safetensors file",
        got: got.to_owned(),
    }
}

fn truncated(what: &str, expected_bytes: u64, got_bytes: u64) -> Fault {
    Fault::Truncated {
        what: what.to_owned(),
        expected_bytes,
        got_bytes,
    }
}
