//! Values: read from TOML or from a flag, written as TOML.

use std::path::PathBuf;

/// The word for an optional value that is absent: a layer can take back what a lower one gave.
const NONE: &str = "none";

/// A value before its type is known.
#[derive(Clone, Debug)]
pub(super) enum Raw {
    /// From a file.
    Toml(toml::Value),
    /// From a flag.
    Text(String),
}

/// What can stand behind a key.
pub(super) trait Value: Sized {
    /// What is expected, for a message.
    fn expected() -> String;
    fn from_toml(value: &toml::Value) -> Option<Self>;
    fn to_toml(&self) -> String;

    /// A flag has no quotes: what is not TOML is text.
    fn from_text(text: &str) -> Option<Self> {
        let parsed = text
            .parse::<toml::Value>()
            .ok()
            .and_then(|value| Self::from_toml(&value));
        parsed.or_else(|| Self::from_toml(&toml::Value::String(text.to_owned())))
    }
}

macro_rules! whole_number {
    ($($kind:ty = $expected:literal),*) => {$(
        impl Value for $kind {
            fn expected() -> String {
                $expected.to_owned()
            }

            fn from_toml(value: &toml::Value) -> Option<Self> {
                value.as_integer().and_then(|number| number.try_into().ok())
            }

            fn to_toml(&self) -> String {
                self.to_string()
            }
        }
    )*};
}

// TOML's whole numbers have 63 bits.
whole_number!(
    u32 = "a whole number of 0 or more",
    u64 = "a whole number from 0 to 2^63 - 1"
);

impl Value for f64 {
    fn expected() -> String {
        "a finite number".to_owned()
    }

    fn from_toml(value: &toml::Value) -> Option<Self> {
        let number = value
            .as_float()
            .or_else(|| value.as_integer().map(|number| number as Self));
        number.filter(|number| number.is_finite())
    }

    fn to_toml(&self) -> String {
        format!("{self:?}")
    }
}

impl Value for bool {
    fn expected() -> String {
        "`true` or `false`".to_owned()
    }

    fn from_toml(value: &toml::Value) -> Option<Self> {
        value.as_bool()
    }

    fn to_toml(&self) -> String {
        self.to_string()
    }
}

impl Value for PathBuf {
    fn expected() -> String {
        "a path".to_owned()
    }

    fn from_toml(value: &toml::Value) -> Option<Self> {
        value.as_str().filter(|path| !path.is_empty()).map(Self::from)
    }

    /// As it stands: a folder may be called `1` or `true`.
    fn from_text(text: &str) -> Option<Self> {
        Self::from_toml(&toml::Value::String(text.to_owned()))
    }

    fn to_toml(&self) -> String {
        quoted(&self.to_string_lossy())
    }
}

impl<T: Value> Value for Option<T> {
    fn expected() -> String {
        format!("{} or `none`", T::expected())
    }

    fn from_toml(value: &toml::Value) -> Option<Self> {
        if value.as_str() == Some(NONE) {
            return Some(None);
        }
        T::from_toml(value).map(Some)
    }

    fn from_text(text: &str) -> Option<Self> {
        if text == NONE {
            return Some(None);
        }
        T::from_text(text).map(Some)
    }

    fn to_toml(&self) -> String {
        self.as_ref().map_or_else(|| quoted(NONE), Value::to_toml)
    }
}

/// A text as TOML.
pub(super) fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
