//! A `config.json` of diffusers, read key by key, so that nothing in it is passed over in silence.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{Error, Result};

/// A key is read, has the one value that is implemented, or is refused; [`Self::finish`] refuses what nothing read.
pub(crate) struct ConfigFile {
    path: PathBuf,
    keys: BTreeMap<String, Value>,
    seen: RefCell<BTreeSet<String>>,
}

impl ConfigFile {
    /// Reads the file at `path`, or the file `name` in the folder at `path`.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::File`] where it is no JSON object.
    pub(crate) fn read(path: &Path, name: &str) -> Result<Self> {
        let path = if path.is_dir() {
            path.join(name)
        } else {
            path.to_owned()
        };
        let text = std::fs::read(&path).map_err(|source| Error::io(&path, "read", source))?;
        let keys = serde_json::from_slice(&text)
            .map_err(|error| Error::file(&path, "a JSON object", error.to_string()))?;
        Ok(Self {
            path,
            keys,
            seen: RefCell::default(),
        })
    }

    /// The value of a key; `default` where it is absent and the reference has one.
    pub(crate) fn get<T: DeserializeOwned>(&self, key: &str, what: &str, default: Option<T>) -> Result<T> {
        match (self.value(key), default) {
            (Some(value), _) => T::deserialize(value).ok().ok_or_else(|| self.refused(key, what)),
            (None, Some(default)) => Ok(default),
            (None, None) => Err(self.refused(key, what)),
        }
    }

    /// A list of `n` numbers; one number stands for `n` equal ones.
    pub(crate) fn each(&self, key: &str, n: usize) -> Result<Vec<i64>> {
        let what = format!("a whole number or {n} of them");
        let one: Result<i64> = self.get(key, &what, None);
        let list = one
            .map(|one| vec![one; n])
            .or_else(|_| self.get(key, &what, None))?;
        if list.len() == n {
            Ok(list)
        } else {
            Err(self.refused(key, &what))
        }
    }

    /// Refuses every value but the one that is implemented; an absent key has it by the reference's default.
    pub(crate) fn only(&self, key: &str, implemented: &Value) -> Result<()> {
        match self.value(key) {
            Some(value) if !are_equal(value, implemented) => Err(self.refused(key, &implemented.to_string())),
            _ => Ok(()),
        }
    }

    /// Passes over keys that change nothing in what is computed.
    pub(crate) fn ignore(&self, keys: &[&str]) {
        self.seen
            .borrow_mut()
            .extend(keys.iter().map(|&key| key.to_owned()));
    }

    /// The error for a key: which file, what was expected, what is there.
    pub(crate) fn refused(&self, key: &str, expected: &str) -> Error {
        let got = self
            .keys
            .get(key)
            .map_or("no such key".to_owned(), Value::to_string);
        Error::file(&self.path, format!("`{key}` to be {expected}"), got)
    }

    /// Refuses the first key that nothing has read: it may change the network. Notes that begin with `_` and keys
    /// without a value are passed over.
    pub(crate) fn finish(self) -> Result<()> {
        let seen = self.seen.borrow();
        let is_unread = |(key, value): &(&String, &Value)| {
            !key.starts_with('_') && !value.is_null() && !seen.contains(*key)
        };
        match self.keys.iter().find(is_unread) {
            Some((key, value)) => {
                let got = format!("`{key}`: {value}");
                Err(Error::file(&self.path, "keys that are implemented", got))
            }
            None => Ok(()),
        }
    }

    fn value(&self, key: &str) -> Option<&Value> {
        self.seen.borrow_mut().insert(key.to_owned());
        self.keys.get(key)
    }
}

/// 1 and 1.0 are the same; nothing and `false` both switch a thing off.
fn are_equal(a: &Value, b: &Value) -> bool {
    let is_off = |value: &Value| matches!(value, Value::Null | Value::Bool(false));
    match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => a == b,
        _ => a == b || (is_off(a) && is_off(b)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_key_that_nothing_reads_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.json");
        std::fs::write(&path, r#"{"_note": 1, "off": null, "side": 3.0, "twist": 2}"#).unwrap();
        let file = ConfigFile::read(folder.path(), "config.json").unwrap();
        file.only("side", &json!(3)).unwrap();
        let error = file.finish().unwrap_err().to_string();
        assert!(
            error.ends_with("expected keys that are implemented, got `twist`: 2"),
            "{error}"
        );
    }

    #[test]
    fn one_number_stands_for_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.json");
        std::fs::write(&path, r#"{"one": 4, "list": [1, 2]}"#).unwrap();
        let file = ConfigFile::read(&path, "config.json").unwrap();
        assert_eq!(file.each("one", 2).unwrap(), [4, 4]);
        assert_eq!(file.each("list", 2).unwrap(), [1, 2]);
        let error = file.each("list", 3).unwrap_err().to_string();
        assert!(
            error.ends_with("expected `list` to be a whole number or 3 of them, got [1,2]"),
            "{error}"
        );
    }
}
