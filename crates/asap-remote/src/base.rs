//! Base addresses of servers, such as `http://127.0.0.1:8000/v1`.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use reqwest::Url;

use crate::address::shown;
use crate::{Error, Result};

/// The part that all addresses of a server share: `http` or `https`, a host, perhaps a path; no query, no
/// password, no slash at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl {
    url: Url,
    text: String,
}

impl BaseUrl {
    /// The text, without a slash at the end.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The address of something on the server; `path` begins with a slash.
    pub(crate) fn join(&self, path: &str) -> Url {
        Url::parse(&format!("{}{path}", self.text)).expect("a base with a path of ours is an address")
    }

    /// Whether the server is this machine, as far as the address says.
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.url)
    }

    /// Whether a key would travel where others may read it.
    pub(crate) fn is_readable_by_others(&self) -> bool {
        self.url.scheme() == "http" && !self.is_loopback()
    }
}

/// Whether the host of an address is this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

impl FromStr for BaseUrl {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = |reason: String| Error::BaseUrl {
            text: shown(text),
            reason,
        };
        if !text.starts_with("http://") && !text.starts_with("https://") {
            return Err(wrong(
                "expected it to begin with `http://` or `https://`".to_owned(),
            ));
        }
        let url = Url::parse(text).map_err(|error| wrong(error.to_string()))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong(
                "a user or password does not belong to it, keys come from the environment".to_owned(),
            ));
        }
        if url.query().is_some() {
            return Err(wrong("a query (`?...`) does not belong to it".to_owned()));
        }
        if url.fragment().is_some() {
            return Err(wrong("a `#` does not belong to it".to_owned()));
        }
        let text = url.as_str().trim_end_matches('/').to_owned();
        Ok(Self { url, text })
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_known_by_its_address() {
        for (text, is_here, is_open) in [
            ("http://127.0.0.1:8000/v1", true, false),
            ("http://localhost", true, false),
            ("http://[::1]:1", true, false),
            ("http://192.168.0.7:8000", false, true),
            ("https://api.openai.com/v1", false, false),
            ("http://127.0.0.1.example.org", false, true),
        ] {
            let base: BaseUrl = text.parse().unwrap();
            assert_eq!(
                (base.is_loopback(), base.is_readable_by_others()),
                (is_here, is_open),
                "{text}"
            );
        }
    }

    #[test]
    fn paths_are_joined_with_one_slash() {
        let base: BaseUrl = "http://h/v1//".parse().unwrap();
        assert_eq!(base.join("/chat").as_str(), "http://h/v1/chat");
    }
}
