//! From the plain data of a pickle to named tensors.

use std::collections::BTreeMap;

use super::Fault;
use super::dtype::Dtype;
use super::pickle::{Pickle, Value};

/// How deep dictionaries may lie in each other. A checkpoint has two or three levels.
const MAX_DEPTH: usize = 16;
/// The most entries of all dictionaries.
const MAX_ENTRIES: u64 = 1_000_000;
/// The longest name of a tensor, in bytes.
const MAX_NAME_BYTES: usize = 1024;
/// The key under which training programs keep the weights of the network.
const STATE_DICT: &str = "state_dict";

type Result<T> = std::result::Result<T, Fault>;

/// A tensor as the pickle describes it; checked against the size of its storage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Described<'a> {
    pub(crate) storage_key: &'a str,
    pub(crate) storage_elements: u64,
    pub(crate) dtype: Dtype,
    pub(crate) offset: u64,
    pub(crate) shape: Vec<usize>,
    pub(crate) strides: Vec<u64>,
}

/// The tensors of the dictionary, or of its entry `state_dict` where it has one, in the order of their names.
///
/// Names of nested dictionaries are joined by full stops. What is no tensor, such as a count of steps, is left
/// out.
pub(crate) fn tensors<'a>(pickle: &Pickle<'a>) -> Result<BTreeMap<String, Described<'a>>> {
    let Value::Dict(root) = pickle.root else {
        return Err(Fault::Format {
            expected: "a dictionary of tensors",
            got: "another object".to_owned(),
        });
    };
    let entries = |node: usize| pickle.nodes[node].chunks_exact(2).map(|pair| (pair[0], pair[1]));
    let start = entries(root).find_map(|entry| match entry {
        (Value::Text(STATE_DICT), Value::Dict(node)) => Some(node),
        _ => None,
    });
    let mut found = BTreeMap::new();
    let mut n_entries = 0;
    // Dictionaries still to look into, with their names and depths.
    let mut open = vec![(start.unwrap_or(root), String::new(), 0)];
    while let Some((node, prefix, depth)) = open.pop() {
        if depth > MAX_DEPTH {
            return Err(limit("depth of dictionaries", MAX_DEPTH as u64));
        }
        for (key, value) in entries(node) {
            n_entries += 1;
            if n_entries > MAX_ENTRIES {
                return Err(limit("entries of dictionaries", MAX_ENTRIES));
            }
            match value {
                Value::Dict(inner) => open.push((inner, name(&prefix, key)?, depth + 1)),
                Value::Tensor(tensor) => {
                    let name = name(&prefix, key)?;
                    let described = describe(pickle, tensor).map_err(|what| Fault::Tensor {
                        name: name.clone(),
                        what,
                    })?;
                    if let Some(first) = found.insert(name.clone(), described.clone())
                        && first != described
                    {
                        let what = "two tensors have this name".to_owned();
                        return Err(Fault::Tensor { name, what });
                    }
                }
                _ => {}
            }
        }
    }
    if found.is_empty() {
        return Err(Fault::NoTensors);
    }
    Ok(found)
}

fn limit(what: &'static str, limit: u64) -> Fault {
    Fault::Limit { what, limit }
}

fn name(prefix: &str, key: Value<'_>) -> Result<String> {
    let key = match key {
        Value::Text(text) => text.to_owned(),
        Value::Int(number) => number.to_string(),
        _ => {
            return Err(Fault::Format {
                expected: "dictionaries with names for keys",
                got: "another key".to_owned(),
            });
        }
    };
    let name = if prefix.is_empty() {
        key
    } else {
        format!("{prefix}.{key}")
    };
    if name.len() > MAX_NAME_BYTES {
        return Err(limit("bytes of the name of a tensor", MAX_NAME_BYTES as u64));
    }
    Ok(name)
}

/// Checks that a view lies in its storage and is not larger than it.
fn describe<'a>(pickle: &Pickle<'a>, tensor: usize) -> std::result::Result<Described<'a>, String> {
    let view = &pickle.tensors[tensor];
    let storage = pickle.storages[view.storage];
    let mut n_elements = 1_u64;
    let mut last = view.offset;
    for (&size, &stride) in view.shape.iter().zip(&view.strides) {
        n_elements = n_elements
            .checked_mul(size)
            .ok_or_else(|| format!("shape {:?} has too many elements", view.shape))?;
        last = size
            .saturating_sub(1)
            .checked_mul(stride)
            .and_then(|span| last.checked_add(span))
            .ok_or_else(|| format!("strides {:?} are too large", view.strides))?;
    }
    let is_inside = n_elements == 0 || last < storage.n_elements;
    if !is_inside || n_elements > storage.n_elements {
        return Err(format!(
            "shape {:?} with strides {:?} from element {} on does not fit its storage of {} elements",
            view.shape, view.strides, view.offset, storage.n_elements
        ));
    }
    let shape: std::result::Result<Vec<usize>, _> =
        view.shape.iter().map(|&size| usize::try_from(size)).collect();
    Ok(Described {
        storage_key: storage.key,
        storage_elements: storage.n_elements,
        dtype: storage.dtype,
        offset: view.offset,
        shape: shape.map_err(|_too_large| format!("shape {:?} is too large", view.shape))?,
        strides: view.strides.clone(),
    })
}
