//! Arguments of one command, taken by hand: flags, values, and what follows `--`.

use anyhow::{Result, bail};

/// What stands behind the command's name.
pub(crate) struct Args {
    words: Vec<String>,
    extra: Vec<String>,
}

impl Args {
    pub(crate) fn new(words: impl Iterator<Item = String>) -> Self {
        let mut words: Vec<String> = words.collect();
        let extra = match words.iter().position(|word| word == "--") {
            Some(at) => words.split_off(at).split_off(1),
            None => Vec::new(),
        };
        Self { words, extra }
    }

    /// Takes a flag away; true where it was there.
    pub(crate) fn flag(&mut self, name: &str) -> bool {
        let before = self.words.len();
        self.words.retain(|word| word != name);
        self.words.len() < before
    }

    /// Takes `name VALUE` or `name=VALUE` away.
    pub(crate) fn value(&mut self, name: &str) -> Result<Option<String>> {
        let prefix = format!("{name}=");
        let Some(at) = self
            .words
            .iter()
            .position(|word| word == name || word.starts_with(&prefix))
        else {
            return Ok(None);
        };
        let word = self.words.remove(at);
        if let Some(value) = word.strip_prefix(&prefix) {
            return Ok(Some(value.to_owned()));
        }
        if at == self.words.len() {
            bail!("`{name}` needs a value");
        }
        Ok(Some(self.words.remove(at)))
    }

    /// What follows `--`, once nothing else is left over.
    pub(crate) fn extra(self) -> Result<Vec<String>> {
        match self.words.first() {
            Some(word) => bail!("`{word}` is not known here; `cargo xtask help` lists what is"),
            None => Ok(self.extra),
        }
    }

    /// Refuses everything that is left over.
    pub(crate) fn end(self) -> Result<()> {
        match self.extra()?.first() {
            Some(word) => bail!("`{word}` after `--` has nobody to go to"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(line: &str) -> Args {
        Args::new(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn flags_values_and_extra_words_are_told_apart() {
        let mut given = args("--photos a --fresh --addr=b:1 -- --fresh x");
        assert!(given.flag("--fresh"));
        assert!(!given.flag("--fresh"));
        assert_eq!(given.value("--photos").unwrap().as_deref(), Some("a"));
        assert_eq!(given.value("--addr").unwrap().as_deref(), Some("b:1"));
        assert_eq!(given.value("--poses").unwrap(), None);
        assert_eq!(given.extra().unwrap(), ["--fresh", "x"]);
    }

    #[test]
    fn a_left_over_word_and_a_missing_value_are_errors() {
        assert_eq!(
            args("--phtos a").extra().unwrap_err().to_string(),
            "`--phtos` is not known here; `cargo xtask help` lists what is"
        );
        assert_eq!(
            args("--addr").value("--addr").unwrap_err().to_string(),
            "`--addr` needs a value"
        );
        assert_eq!(
            args("-- x").end().unwrap_err().to_string(),
            "`x` after `--` has nobody to go to"
        );
    }
}
