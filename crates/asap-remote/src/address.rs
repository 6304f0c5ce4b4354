//! Addresses of judges: `gemini:MODEL`, `openai:MODEL`, `openai:BASE_URL#MODEL`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::base::BaseUrl;
use crate::{Error, Result};

/// Whose protocol a server speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Vendor {
    /// Gemini's own `generateContent`.
    Gemini,
    /// OpenAI's chat completions, which vLLM, llama.cpp, Ollama and many others speak too.
    OpenAi,
}

impl Vendor {
    /// The word before the colon.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gemini => "gemini",
            Self::OpenAi => "openai",
        }
    }

    /// The vendor's own server.
    pub const fn own_base(self) -> &'static str {
        match self {
            Self::Gemini => "https://generativelanguage.googleapis.com",
            Self::OpenAi => "https://api.openai.com/v1",
        }
    }
}

/// Which model on which server judges.
///
/// ```
/// use asap_remote::{JudgeAddress, Vendor};
///
/// let local: JudgeAddress = "openai:http://127.0.0.1:8000/v1#qwen3-vl".parse()?;
/// assert_eq!(local.vendor(), Vendor::OpenAi);
/// assert_eq!(local.model(), "qwen3-vl");
/// assert_eq!(local.to_string(), "openai:http://127.0.0.1:8000/v1#qwen3-vl");
/// assert!("openai:http://127.0.0.1:8000/v1".parse::<JudgeAddress>().is_err()); // no model
/// # Ok::<(), asap_remote::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JudgeAddress {
    vendor: Vendor,
    base: Option<BaseUrl>,
    model: String,
}

impl JudgeAddress {
    /// Whose protocol is spoken.
    pub const fn vendor(&self) -> Vendor {
        self.vendor
    }

    /// The server that the address names; `None` stands for the vendor's own.
    pub const fn base(&self) -> Option<&BaseUrl> {
        self.base.as_ref()
    }

    /// The model's id on the server.
    pub fn model(&self) -> &str {
        &self.model
    }

    /// The name for records, without the server: the same model behind another address is the same judge.
    pub fn judge_name(&self) -> String {
        format!("{}:{}", self.vendor.name(), self.model)
    }
}

impl FromStr for JudgeAddress {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = |reason: String| Error::JudgeAddress {
            text: shown(text),
            reason,
        };
        let forms = "`gemini:MODEL`, `openai:MODEL` or `openai:BASE_URL#MODEL`";
        let (vendor, rest) = match text.split_once(':') {
            Some(("gemini", rest)) => (Vendor::Gemini, rest),
            Some(("openai", rest)) => (Vendor::OpenAi, rest),
            _ => return Err(wrong(format!("expected {forms}"))),
        };
        let (base, model) = match rest.split_once('#') {
            Some((base, model)) => (Some(base), model),
            None if rest.contains("://") => {
                let vendor = vendor.name();
                return Err(wrong(format!(
                    "the model is missing, expected `{vendor}:BASE_URL#MODEL`"
                )));
            }
            None => (None, rest),
        };
        let base = match base.map(BaseUrl::from_str).transpose() {
            Ok(base) => base,
            Err(Error::BaseUrl { reason, .. }) => return Err(wrong(reason)),
            Err(other) => return Err(other),
        };
        let model = match vendor {
            Vendor::Gemini => model.strip_prefix("models/").unwrap_or(model),
            Vendor::OpenAi => model,
        };
        check_model(vendor, model).map_err(wrong)?;
        Ok(Self {
            vendor,
            base,
            model: model.to_owned(),
        })
    }
}

/// Gemini's model is a part of the URL's path, so its alphabet is that of the vendor's names.
fn check_model(vendor: Vendor, model: &str) -> std::result::Result<(), String> {
    let is_fine = |c: char| match vendor {
        Vendor::Gemini => c.is_ascii_alphanumeric() || "-._".contains(c),
        Vendor::OpenAi => !c.is_whitespace() && !c.is_control(),
    };
    if model.is_empty() {
        return Err("the model is empty".to_owned());
    }
    match model.chars().find(|c| !is_fine(*c)) {
        Some(c) => Err(format!("the model `{}` has {c:?} in it", shown(model))),
        None => Ok(()),
    }
}

/// A text for messages: short, on one line, and without what stands before an `@`, which may be a password.
pub(crate) fn shown(text: &str) -> String {
    let hidden = match (text.find("://"), text.rfind('@')) {
        (Some(start), Some(end)) if start + 3 < end => {
            format!("{}[hidden]{}", &text[..start + 3], &text[end..])
        }
        _ => text.to_owned(),
    };
    let line = hidden.chars().map(|c| if c.is_control() { ' ' } else { c });
    line.take(120).collect()
}

impl fmt::Display for JudgeAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.base {
            Some(base) => write!(f, "{}:{base}#{}", self.vendor.name(), self.model),
            None => write!(f, "{}:{}", self.vendor.name(), self.model),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        match text.parse::<JudgeAddress>() {
            Ok(address) => format!(
                "{} {} {}",
                address.vendor().name(),
                address.base().map_or("own", BaseUrl::as_str),
                address.model()
            ),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn addresses_are_read() {
        for (text, expected) in [
            (
                "gemini:gemini-3.1-pro-preview",
                "gemini own gemini-3.1-pro-preview",
            ),
            ("gemini:models/gemini-3-flash", "gemini own gemini-3-flash"),
            ("gemini:http://127.0.0.1:9/#g", "gemini http://127.0.0.1:9 g"),
            ("openai:gpt-5", "openai own gpt-5"),
            (
                "openai:http://127.0.0.1:8000/v1/#qwen3-vl",
                "openai http://127.0.0.1:8000/v1 qwen3-vl",
            ),
            (
                "openai:https://openrouter.ai/api/v1#qwen/q:free",
                "openai https://openrouter.ai/api/v1 qwen/q:free",
            ),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
    }

    #[test]
    fn wrong_addresses_say_what_was_expected() {
        let head = "is not the address of a judge:";
        for (text, reason) in [
            (
                "gpt-5",
                "expected `gemini:MODEL`, `openai:MODEL` or `openai:BASE_URL#MODEL`",
            ),
            (
                "claude:x",
                "expected `gemini:MODEL`, `openai:MODEL` or `openai:BASE_URL#MODEL`",
            ),
            ("openai:", "the model is empty"),
            ("gemini:a/b?key=1", "the model `a/b?key=1` has '/' in it"),
            ("openai:a b", "the model `a b` has ' ' in it"),
            (
                "openai:http://h/v1",
                "the model is missing, expected `openai:BASE_URL#MODEL`",
            ),
            ("openai:http://h/v1#", "the model is empty"),
            (
                "openai:ftp://h/v1#m",
                "expected it to begin with `http://` or `https://`",
            ),
            (
                "openai:http://h/v1?k=1#m",
                "a query (`?...`) does not belong to it",
            ),
        ] {
            assert_eq!(read(text), format!("`{text}` {head} {reason}"));
        }
    }

    #[test]
    fn a_password_is_refused_and_not_repeated() {
        let message = read("openai:https://me:secret@h/v1#m");
        assert_eq!(
            message,
            "`openai:https://[hidden]@h/v1#m` is not the address of a judge: \
             a user or password does not belong to it, keys come from the environment"
        );
    }
}
