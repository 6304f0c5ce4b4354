//! Layers of settings and where a value came from.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use super::value::{Raw, Value};
use super::{Error, Result, Settings, nearest, preset};

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A preset of that name.
    Preset(String),
    /// A file.
    File(PathBuf),
    /// A flag on the command line.
    Flag,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Preset(name) => write!(f, "preset `{name}`"),
            Self::File(path) => write!(f, "file `{}`", path.display()),
            Self::Flag => f.write_str("a flag"),
        }
    }
}

/// Values from one place.
#[derive(Clone, Debug)]
pub struct Layer {
    origin: Origin,
    values: Vec<(String, Raw)>,
}

impl Layer {
    /// A preset that is part of the program, see [`super::PRESETS`].
    ///
    /// # Errors
    /// [`Error::Preset`] for another name.
    pub fn preset(name: &str) -> Result<Self> {
        Self::parse(preset::text(name)?, Origin::Preset(name.to_owned()))
    }

    /// A file of sections.
    ///
    /// # Errors
    /// [`Error::Read`], [`Error::Syntax`].
    pub fn file(path: &Path) -> Result<Self> {
        let text = fs_err::read_to_string(path).map_err(|source| Error::Read {
            path: path.to_owned(),
            source,
        })?;
        Self::text(&text, path)
    }

    /// The text of a file; `path` is for messages.
    ///
    /// # Errors
    /// [`Error::Syntax`].
    pub fn text(text: &str, path: &Path) -> Result<Self> {
        Self::parse(text, Origin::File(path.to_owned()))
    }

    /// One value of the command line, such as `objective.tau` and `0.01`. Text needs no quotes.
    ///
    /// # Errors
    /// [`Error::UnknownKey`].
    pub fn flag(key: &str, value: &str) -> Result<Self> {
        known(key, &Origin::Flag)?;
        Ok(Self {
            origin: Origin::Flag,
            values: vec![(key.to_owned(), Raw::Text(value.to_owned()))],
        })
    }

    fn parse(text: &str, origin: Origin) -> Result<Self> {
        let refused = |reason: String| Error::Syntax {
            origin: origin.clone(),
            reason,
        };
        let table: toml::Table =
            toml::from_str(text).map_err(|error| refused(error.to_string().trim_end().to_owned()))?;
        let mut values = Vec::new();
        for (title, section) in table {
            let toml::Value::Table(section) = section else {
                return Err(match known(&title, &origin) {
                    Err(error) => error,
                    Ok(_) => refused(format!("`{title}` stands outside of a section")),
                });
            };
            for (name, value) in section {
                values.push((format!("{title}.{name}"), Raw::Toml(value)));
            }
        }
        for (key, _) in &values {
            known(key, &origin)?;
        }
        Ok(Self { origin, values })
    }
}

/// The known key that is equal to `key`.
fn known(key: &str, origin: &Origin) -> Result<&'static str> {
    let keys = Settings::keys();
    let found = keys.iter().find(|known| **known == key);
    found.copied().ok_or_else(|| Error::UnknownKey {
        key: key.to_owned(),
        origin: origin.clone(),
        nearest: nearest::nearest(key, &keys),
    })
}

/// The last value that a layer gives to each key, with its origin.
pub(super) struct Values {
    by_key: BTreeMap<&'static str, (Raw, Origin)>,
}

impl Values {
    pub(super) fn over(layers: &[Layer]) -> Result<Self> {
        let mut by_key = BTreeMap::new();
        for layer in layers {
            for (key, raw) in &layer.values {
                by_key.insert(known(key, &layer.origin)?, (raw.clone(), layer.origin.clone()));
            }
        }
        Ok(Self { by_key })
    }

    pub(super) fn get<T: Value>(&self, key: &'static str) -> Result<T> {
        let (raw, origin) = self.by_key.get(key).ok_or_else(|| Error::Missing {
            key,
            expected: T::expected(),
        })?;
        let value = match raw {
            Raw::Toml(value) => T::from_toml(value),
            Raw::Text(text) => T::from_text(text),
        };
        value.ok_or_else(|| self.refused(key, T::expected(), origin))
    }

    fn refused(&self, key: &'static str, expected: String, origin: &Origin) -> Error {
        Error::Value {
            key,
            got: self.shown(key),
            expected,
            origin: origin.clone(),
        }
    }

    /// The value as it was written.
    fn shown(&self, key: &str) -> String {
        match self.by_key.get(key) {
            Some((Raw::Toml(value), _)) => value.to_string().trim().to_owned(),
            Some((Raw::Text(text), _)) => format!("`{text}`"),
            None => "nothing".to_owned(),
        }
    }

    /// The error of a value that is out of its range.
    pub(super) fn out_of_range(&self, key: &'static str, expected: &str) -> Error {
        self.refused(key, expected.to_owned(), &self.origin(key))
    }

    /// The error of a value that does not go with another one.
    pub(super) fn contradiction(&self, key: &'static str, reason: String) -> Error {
        Error::Contradiction {
            key,
            got: self.shown(key),
            origin: self.origin(key),
            reason,
        }
    }

    fn origin(&self, key: &str) -> Origin {
        // Every key was read before anything is checked.
        self.by_key
            .get(key)
            .map_or(Origin::Flag, |(_, origin)| origin.clone())
    }
}
