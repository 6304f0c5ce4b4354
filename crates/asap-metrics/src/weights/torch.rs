//! Files that `torch.save` wrote: the zip format, and the one before torch 1.6.

use std::collections::BTreeMap;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use fs_err::File;

use super::dtype::Dtype;
use super::pickle::{self, MAX_PICKLE_BYTES, Value};
use super::state::{self, Described};
use super::{Fault, TensorInfo};
use crate::{Error, Result};

/// The number that old files begin with, as a pickle.
const MAGIC: i128 = 0x1950_a86a_20f9_469c_fc6c;
/// The version of the old format.
const PROTOCOL: i128 = 1001;
/// Views of one storage may share its bytes, as tied weights do; a file whose tensors have more bytes than this
/// many times its own is made to fill disks.
const MAX_SHARING: u64 = 16;

type Faulty<T> = std::result::Result<T, Fault>;

/// An open file of weights that torch wrote. Nothing in it is run; only tensors come out.
///
/// ```no_run
/// # fn main() -> asap_metrics::Result<()> {
/// let file = asap_metrics::weights::TorchFile::open("alex.pth".as_ref())?;
/// for tensor in file.tensors() {
///     let bytes = file.read(tensor)?; // contiguous, little-endian
///     println!("{} {:?} {} bytes", tensor.name, tensor.shape, bytes.len());
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct TorchFile {
    path: PathBuf,
    file: Mutex<File>,
    tensors: Vec<TensorInfo>,
    places: BTreeMap<String, Place>,
}

/// Where the elements of a tensor are.
#[derive(Debug)]
struct Place {
    /// The first byte of the tensor's first element in the file.
    first_byte: u64,
    /// In elements.
    strides: Vec<u64>,
}

/// Where a storage lies in the file.
#[derive(Clone, Copy, Debug)]
struct Span {
    first_byte: u64,
    n_bytes: u64,
}

impl TorchFile {
    /// Opens a file and checks the description of every tensor against the file's size. No tensor is read yet.
    ///
    /// The tensors are those of the dictionary that was saved, or of its entry `state_dict` where there is one;
    /// names of nested dictionaries are joined by full stops.
    ///
    /// # Errors
    /// [`Error::Weights`], whatever is in the file.
    pub fn open(path: &Path) -> Result<Self> {
        let at = |fault| Error::weights(path, fault);
        let mut file = File::open(path).map_err(|error| at(Fault::io("open", &error)))?;
        let contents = read_contents(&mut file).map_err(at)?;
        Ok(Self {
            path: path.to_owned(),
            file: Mutex::new(file),
            tensors: contents.tensors,
            places: contents.places,
        })
    }

    /// The tensors in the order of their names.
    pub fn tensors(&self) -> &[TensorInfo] {
        &self.tensors
    }

    /// The elements of one of [`TorchFile::tensors`], contiguous in the order of its shape, little-endian.
    ///
    /// # Errors
    /// [`Error::Weights`] where the file cannot be read, or has no such tensor.
    pub fn read(&self, tensor: &TensorInfo) -> Result<Vec<u8>> {
        self.gather(tensor)
            .map_err(|fault| Error::weights(&self.path, fault))
    }

    fn gather(&self, tensor: &TensorInfo) -> Faulty<Vec<u8>> {
        let known = self
            .tensors
            .binary_search_by(|known| known.name.cmp(&tensor.name));
        let Ok(known) = known.map(|idx| &self.tensors[idx]) else {
            return Err(Fault::MissingTensor {
                network: "the file".to_owned(),
                name: tensor.name.clone(),
                nearest: Vec::new(),
            });
        };
        let place = &self.places[&known.name];
        let size_bytes = known.dtype.size_bytes();
        let n_elements: usize = known.shape.iter().product();
        if n_elements == 0 {
            return Ok(Vec::new());
        }
        // Checked against the storage when the file was opened.
        let last: u64 = known
            .shape
            .iter()
            .zip(&place.strides)
            .map(|(&size, &stride)| (size as u64 - 1) * stride)
            .sum();
        let mut span = vec![0; (last as usize + 1) * size_bytes];
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(place.first_byte))
            .and_then(|_| file.read_exact(&mut span))
            .map_err(|error| Fault::io("read", &error))?;
        if last as usize + 1 == n_elements && is_contiguous(&known.shape, &place.strides) {
            return Ok(span);
        }
        Ok(in_order(&span, &known.shape, &place.strides, size_bytes))
    }
}

/// Whether the elements lie in the order of the shape.
fn is_contiguous(shape: &[usize], strides: &[u64]) -> bool {
    let mut expected = 1;
    shape.iter().zip(strides).rev().all(|(&size, &stride)| {
        let fits = size == 1 || stride == expected;
        expected *= size as u64;
        fits
    })
}

/// Copies elements into the order of the shape.
fn in_order(span: &[u8], shape: &[usize], strides: &[u64], size_bytes: usize) -> Vec<u8> {
    let n_elements: usize = shape.iter().product();
    let mut out = Vec::with_capacity(n_elements * size_bytes);
    let mut at = vec![0_usize; shape.len()];
    let mut element = 0_usize;
    for _ in 0..n_elements {
        out.extend_from_slice(&span[element * size_bytes..(element + 1) * size_bytes]);
        for axis in (0..shape.len()).rev() {
            at[axis] += 1;
            // An axis of one element may have any stride: added, and taken off again at once.
            element = element.wrapping_add(strides[axis] as usize);
            if at[axis] < shape[axis] {
                break;
            }
            element = element.wrapping_sub(at[axis].wrapping_mul(strides[axis] as usize));
            at[axis] = 0;
        }
    }
    out
}

/// What opening finds.
struct Contents {
    tensors: Vec<TensorInfo>,
    places: BTreeMap<String, Place>,
}

fn read_contents(file: &mut File) -> Faulty<Contents> {
    let io = |error| Fault::io("read", &error);
    let file_bytes = file.metadata().map_err(io)?.len();
    let mut head = Vec::new();
    file.by_ref()
        .take(MAX_PICKLE_BYTES)
        .read_to_end(&mut head)
        .map_err(io)?;
    let contents = if head.starts_with(b"PK\x03\x04") {
        // The dictionary is small and somewhere else in the file.
        drop(head);
        read_zip(file, file_bytes)?
    } else {
        read_legacy(file, &head, file_bytes)?
    };
    let total: u64 = contents
        .tensors
        .iter()
        .map(|tensor| tensor.n_bytes() as u64)
        .sum();
    if total > file_bytes.saturating_mul(MAX_SHARING) {
        return Err(Fault::Limit {
            what: "bytes of all tensors",
            limit: file_bytes.saturating_mul(MAX_SHARING),
        });
    }
    Ok(contents)
}

/// Finds the bytes of each described tensor.
fn contents(
    described: BTreeMap<String, Described<'_>>,
    mut span_of: impl FnMut(&str) -> Option<Span>,
) -> Faulty<Contents> {
    let mut contents = Contents {
        tensors: Vec::with_capacity(described.len()),
        places: BTreeMap::new(),
    };
    for (name, tensor) in described {
        let size_bytes = tensor.dtype.size_bytes() as u64;
        let Some(span) = span_of(tensor.storage_key) else {
            return Err(Fault::Tensor {
                name,
                what: format!("its storage `{}` is not in the file", tensor.storage_key),
            });
        };
        if tensor.storage_elements.checked_mul(size_bytes) != Some(span.n_bytes) {
            return Err(Fault::Tensor {
                name,
                what: format!(
                    "its storage `{}` should have {} elements of {size_bytes} bytes, and has {} bytes",
                    tensor.storage_key, tensor.storage_elements, span.n_bytes
                ),
            });
        }
        contents.places.insert(
            name.clone(),
            Place {
                // An empty tensor may have any offset; it is never read.
                first_byte: span
                    .first_byte
                    .saturating_add(tensor.offset.saturating_mul(size_bytes)),
                strides: tensor.strides,
            },
        );
        contents.tensors.push(TensorInfo {
            name,
            dtype: tensor.dtype,
            shape: tensor.shape,
        });
    }
    Ok(contents)
}

/// The format since torch 1.6: a zip file of stored entries, `NAME/data.pkl` and `NAME/data/KEY`.
fn read_zip(file: &mut File, file_bytes: u64) -> Faulty<Contents> {
    let bad = |error: zip::result::ZipError| Fault::Format {
        expected: "a zip file",
        got: error.to_string(),
    };
    let mut archive = zip::ZipArchive::new(&mut *file).map_err(bad)?;
    let mut spans = BTreeMap::new();
    for idx in 0..archive.len() {
        let entry = archive.by_index_raw(idx).map_err(bad)?;
        let name = entry.name().map_err(bad)?.into_owned();
        if entry.encrypted() || entry.compression() != zip::CompressionMethod::Stored {
            return Err(Fault::Format {
                expected: "stored entries, as torch writes them",
                got: format!("a compressed or encrypted entry `{name}`"),
            });
        }
        let n_bytes = entry.compressed_size();
        let first_byte = entry.data_start().unwrap_or(u64::MAX);
        let left = file_bytes.saturating_sub(first_byte);
        if n_bytes > left {
            return Err(truncated(&format!("entry `{name}`"), n_bytes, left));
        }
        spans.insert(name, Span { first_byte, n_bytes });
    }
    drop(archive);
    let folder = zip_folder(&spans)?;
    let mut endian = Vec::new();
    if let Some(&span) = spans.get(&format!("{folder}/byteorder")) {
        endian = read_span(file, span, 64)?;
    }
    if !endian.is_empty() && endian != b"little" {
        return Err(big_endian());
    }
    let bytes = read_span(file, spans[&format!("{folder}/data.pkl")], MAX_PICKLE_BYTES)?;
    let pickle = pickle::read(&bytes)?;
    contents(state::tensors(&pickle)?, |key| {
        spans.get(&format!("{folder}/data/{key}")).copied()
    })
}

/// The folder that everything in the zip file lies in.
fn zip_folder(spans: &BTreeMap<String, Span>) -> Faulty<String> {
    let folders: Vec<&str> = spans
        .keys()
        .filter_map(|name| name.strip_suffix("/data.pkl"))
        .collect();
    let wrong = |got: &str| Fault::Format {
        expected: "a zip file with one `data.pkl`, as `torch.save` writes it",
        got: got.to_owned(),
    };
    let &[folder] = folders.as_slice() else {
        return Err(wrong(&format!("{} of them", folders.len())));
    };
    if spans.contains_key(&format!("{folder}/constants.pkl")) {
        return Err(wrong("a TorchScript program"));
    }
    Ok(folder.to_owned())
}

fn read_span(file: &mut File, span: Span, limit: u64) -> Faulty<Vec<u8>> {
    if span.n_bytes > limit {
        return Err(Fault::Limit {
            what: "bytes of a pickle",
            limit,
        });
    }
    let mut bytes = vec![0; span.n_bytes as usize];
    file.seek(SeekFrom::Start(span.first_byte))
        .and_then(|_| file.read_exact(&mut bytes))
        .map_err(|error| Fault::io("read", &error))?;
    Ok(bytes)
}

/// The format before torch 1.6: pickles one after the other, then the storages in the order of a list of keys.
fn read_legacy(file: &mut File, head: &[u8], file_bytes: u64) -> Faulty<Contents> {
    let mut at = 0;
    let mut next = || {
        let pickle = pickle::read(&head[at..])?;
        at += pickle.n_bytes;
        Ok(pickle)
    };
    // Anything that is no torch file fails here, so what the first bytes say about it is not worth telling.
    match next() {
        Ok(pickle) if pickle.root == Value::Int(MAGIC) => {}
        _ => {
            return Err(Fault::Format {
                expected: "a file that `torch.save` wrote",
                got: "something else".to_owned(),
            });
        }
    }
    let protocol = next()?.root;
    if protocol != Value::Int(PROTOCOL) {
        return Err(Fault::Format {
            expected: "version 1001 of the old torch format",
            got: format!("{protocol:?}"),
        });
    }
    let system = next()?;
    if let Value::Dict(node) = system.root
        && system.nodes[node]
            .chunks_exact(2)
            .any(|entry| entry == [Value::Text("little_endian"), Value::Bool(false)])
    {
        return Err(big_endian());
    }
    let objects = next()?;
    let keys = next()?;
    let described = state::tensors(&objects)?;
    let Value::List(keys_node) = keys.root else {
        return Err(Fault::Format {
            expected: "a list of storages",
            got: "another object".to_owned(),
        });
    };
    let dtypes: BTreeMap<&str, Dtype> = objects
        .storages
        .iter()
        .map(|storage| (storage.key, storage.dtype))
        .collect();
    let spans = legacy_spans(file, at as u64, file_bytes, &keys.nodes[keys_node], &dtypes)?;
    contents(described, |key| spans.get(key).copied())
}

/// Walks over the storages: for each key its number of elements in eight bytes, then the elements.
fn legacy_spans<'a>(
    file: &mut File,
    mut at: u64,
    file_bytes: u64,
    keys: &[Value<'a>],
    dtypes: &BTreeMap<&'a str, Dtype>,
) -> Faulty<BTreeMap<&'a str, Span>> {
    let mut spans = BTreeMap::new();
    for key in keys {
        let known = match key {
            Value::Text(key) => dtypes.get(key).map(|&dtype| (*key, dtype)),
            _ => None,
        };
        let Some((key, dtype)) = known else {
            return Err(Fault::Format {
                expected: "a list of the storages that tensors use",
                got: format!("{key:?} in it"),
            });
        };
        let count = read_span(file, checked(at, 8, file_bytes, "storage size")?, 8)?;
        let n_elements = count
            .iter()
            .rev()
            .fold(0, |number, &byte| number << 8 | u64::from(byte));
        let n_bytes = n_elements.saturating_mul(dtype.size_bytes() as u64);
        let span = checked(at + 8, n_bytes, file_bytes, "storage")?;
        at = span.first_byte + n_bytes;
        spans.insert(key, span);
    }
    Ok(spans)
}

/// A part of the file, if the file is as long.
fn checked(first_byte: u64, n_bytes: u64, file_bytes: u64, what: &str) -> Faulty<Span> {
    let left = file_bytes.saturating_sub(first_byte);
    if n_bytes > left {
        return Err(truncated(what, n_bytes, left));
    }
    Ok(Span { first_byte, n_bytes })
}

fn truncated(what: &str, expected_bytes: u64, got_bytes: u64) -> Fault {
    Fault::Truncated {
        what: what.to_owned(),
        expected_bytes,
        got_bytes,
    }
}

fn big_endian() -> Fault {
    Fault::Format {
        expected: "little-endian numbers",
        got: "big-endian ones".to_owned(),
    }
}
