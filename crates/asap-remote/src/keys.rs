//! Keys and bases from the environment. A key is never shown.

use std::fmt;

use reqwest::header::HeaderValue;

use crate::address::Vendor;
use crate::base::BaseUrl;
use crate::{Error, Result};

/// A secret. Its `Debug` says only that it is there.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Key(String);

impl Key {
    fn new(variable: &'static str, text: &str) -> Result<Self> {
        let text = text.trim();
        let reason = match text.chars().find(|c| !c.is_ascii_graphic()) {
            None => return Ok(Self(text.to_owned())),
            Some(c) if c.is_whitespace() => "a space or line break in it",
            Some(_) => "a character outside ASCII in it",
        };
        Err(Error::BadKey { variable, reason })
    }

    /// The key behind `prefix` as a header that no log shows.
    pub(crate) fn header(&self, prefix: &str) -> HeaderValue {
        let mut value = HeaderValue::from_str(&format!("{prefix}{}", self.0))
            .expect("graphic ASCII may stand in a header");
        value.set_sensitive(true);
        value
    }

    /// `text` without the key, should a server repeat it.
    pub(crate) fn hide_in(&self, text: String) -> String {
        if text.contains(&self.0) {
            return text.replace(&self.0, "[key]");
        }
        text
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key([hidden])")
    }
}

/// What the environment says about one vendor.
#[derive(Clone, Debug, Default)]
struct VendorSettings {
    key: Option<Key>,
    base: Option<BaseUrl>,
}

/// Keys and servers of all vendors.
///
/// | vendor | key | server in place of the vendor's own |
/// | --- | --- | --- |
/// | Gemini | `GEMINI_API_KEY`, else `GOOGLE_API_KEY` | `GOOGLE_GEMINI_BASE_URL` |
/// | OpenAI | `OPENAI_API_KEY` | `OPENAI_BASE_URL` |
///
/// These are the names that the vendors' own clients read. An empty variable is as good as none.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    gemini: VendorSettings,
    openai: VendorSettings,
}

impl Environment {
    /// Reads the variables of this process.
    ///
    /// # Errors
    /// [`Error::BadKey`], [`Error::BaseUrl`].
    pub fn from_env() -> Result<Self> {
        Self::from_lookup(|name| std::env::var(name).ok())
    }

    /// Reads variables from anywhere.
    ///
    /// # Errors
    /// [`Error::BadKey`], [`Error::BaseUrl`].
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let lookup = |name: &str| lookup(name).filter(|value| !value.trim().is_empty());
        let key = |names: &[&'static str]| {
            let found = names.iter().find_map(|name| Some((*name, lookup(name)?)));
            found.map(|(name, text)| Key::new(name, &text)).transpose()
        };
        let base = |name| lookup(name).map(|text| text.trim().parse()).transpose();
        Ok(Self {
            gemini: VendorSettings {
                key: key(&["GEMINI_API_KEY", "GOOGLE_API_KEY"])?,
                base: base("GOOGLE_GEMINI_BASE_URL")?,
            },
            openai: VendorSettings {
                key: key(&["OPENAI_API_KEY"])?,
                base: base("OPENAI_BASE_URL")?,
            },
        })
    }

    /// The server and the key for a vendor, where `base` is the one that the user named.
    ///
    /// A key is needed over `https` only. Over plain `http` it is sent to this machine alone, so that it does
    /// not travel where others can read it.
    pub(crate) fn settle(&self, vendor: Vendor, base: Option<&BaseUrl>) -> Result<(BaseUrl, Option<Key>)> {
        let settings = match vendor {
            Vendor::Gemini => &self.gemini,
            Vendor::OpenAi => &self.openai,
        };
        let base = match base.or(settings.base.as_ref()) {
            Some(base) => base.clone(),
            None => vendor.own_base().parse().expect("a base of ours is one"),
        };
        if base.is_readable_by_others() {
            if settings.key.is_some() {
                tracing::warn!(%base, "no key is sent, for plain http can be read on the way");
            }
            return Ok((base, None));
        }
        if settings.key.is_none() && !base.is_loopback() {
            return Err(Error::NoKey {
                base: base.to_string(),
                variables: match vendor {
                    Vendor::Gemini => "`GEMINI_API_KEY` or `GOOGLE_API_KEY`",
                    Vendor::OpenAi => "`OPENAI_API_KEY`",
                },
            });
        }
        Ok((base, settings.key.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variables: &[(&str, &str)]) -> Result<Environment> {
        Environment::from_lookup(|name| {
            let found = variables.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    fn settled(variables: &[(&str, &str)], vendor: Vendor, base: Option<&str>) -> String {
        let base = base.map(|text| text.parse().unwrap());
        match environment(variables).and_then(|found| found.settle(vendor, base.as_ref())) {
            Ok((base, key)) => format!("{base} {}", key.map_or("no key".to_owned(), |key| key.0)),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn keys_and_servers_are_found() {
        let keys = [
            ("GEMINI_API_KEY", " g1\n"),
            ("GOOGLE_API_KEY", "g2"),
            ("OPENAI_API_KEY", "o"),
        ];
        let google = "https://generativelanguage.googleapis.com";
        for (variables, vendor, base, expected) in [
            (&keys[..], Vendor::Gemini, None, format!("{google} g1")),
            (&keys[1..], Vendor::Gemini, None, format!("{google} g2")),
            (
                &keys,
                Vendor::OpenAi,
                None,
                "https://api.openai.com/v1 o".to_owned(),
            ),
            (
                &keys,
                Vendor::OpenAi,
                Some("http://127.0.0.1:8/v1"),
                "http://127.0.0.1:8/v1 o".to_owned(),
            ),
            (
                &keys,
                Vendor::OpenAi,
                Some("http://10.0.0.7/v1"),
                "http://10.0.0.7/v1 no key".to_owned(),
            ),
            (
                &[],
                Vendor::OpenAi,
                Some("http://localhost/v1"),
                "http://localhost/v1 no key".to_owned(),
            ),
            (
                &[("OPENAI_BASE_URL", "http://localhost:4/v1")],
                Vendor::OpenAi,
                None,
                "http://localhost:4/v1 no key".to_owned(),
            ),
            (
                &[("OPENAI_API_KEY", " ")],
                Vendor::OpenAi,
                None,
                "`https://api.openai.com/v1` needs a key: set the environment variable `OPENAI_API_KEY`"
                    .to_owned(),
            ),
        ] {
            assert_eq!(settled(variables, vendor, base), expected);
        }
    }

    #[test]
    fn a_key_is_never_shown() {
        let found = environment(&[("OPENAI_API_KEY", "sk-secret")]).unwrap();
        assert!(!format!("{found:?}").contains("secret"));
        let key = found.openai.key.unwrap();
        assert!(!format!("{:?}", key.header("Bearer ")).contains("secret"));
        assert_eq!(key.hide_in("bad key sk-secret!".to_owned()), "bad key [key]!");
        let message = environment(&[("OPENAI_API_KEY", "sk secret")])
            .unwrap_err()
            .to_string();
        assert_eq!(
            message,
            "the key in `OPENAI_API_KEY` has a space or line break in it: copy it again, without quotes and line breaks"
        );
    }
}
