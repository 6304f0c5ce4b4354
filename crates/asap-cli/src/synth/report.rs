//! What became of a build.

use anyhow::Result;
use serde::Serialize;

use crate::failure::hinted;

/// A source that was not used.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Refused {
    /// The file or the figure.
    pub(crate) name: String,
    /// Why.
    pub(crate) reason: String,
}

impl Refused {
    pub(crate) fn line(&self) -> String {
        format!("refused `{}`: {}", self.name, self.reason)
    }
}

impl From<asap_synth::photo::Refusal> for Refused {
    fn from(refusal: asap_synth::photo::Refusal) -> Self {
        Self {
            name: refusal.file,
            reason: refusal.reason,
        }
    }
}

/// Counts of a build, in pairs unless said otherwise.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) dataset: String,
    /// Built and stored now.
    pub(crate) n_made: usize,
    /// Stored by an earlier run.
    pub(crate) n_present: usize,
    /// Tried, but the operators found no way that keeps to their rules.
    pub(crate) n_dropped: usize,
    /// Sources that were not used.
    pub(crate) refused: Vec<Refused>,
    pub(crate) secs: f64,
    pub(crate) pairs_per_sec: f64,
}

impl Report {
    pub(crate) fn new(dataset: String, refused: Vec<Refused>) -> Self {
        Self {
            dataset,
            n_made: 0,
            n_present: 0,
            n_dropped: 0,
            refused,
            secs: 0.0,
            pairs_per_sec: 0.0,
        }
    }

    /// Closes the account after `secs` seconds.
    pub(crate) fn close(&mut self, secs: f64) {
        self.secs = secs;
        self.pairs_per_sec = if secs > 0.0 {
            self.n_made as f64 / secs
        } else {
            0.0
        };
    }

    /// One line for people.
    pub(crate) fn text(&self) -> String {
        format!(
            "`{}`: {} pairs made, {} there already, {} dropped; refused sources: {}; {:.1} s, {:.1} pairs/s\n",
            self.dataset,
            self.n_made,
            self.n_present,
            self.n_dropped,
            self.refused.len(),
            self.secs,
            self.pairs_per_sec,
        )
    }

    /// A run that has nothing to show failed, even if every single refusal was in order.
    pub(crate) fn failure(&self) -> Result<()> {
        if self.n_made + self.n_present > 0 {
            return Ok(());
        }
        Err(hinted(
            format!("no pair could be made for `{}`", self.dataset),
            "the lines above say why each source was refused; try more pairs for each part or other sources",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_names_every_count() {
        let mut report = Report::new(
            "a.lance".to_owned(),
            vec![Refused {
                name: "b.jpg".to_owned(),
                reason: "it is empty".to_owned(),
            }],
        );
        assert!(report.failure().is_err());
        report.n_made = 9;
        report.n_present = 4;
        report.n_dropped = 2;
        report.close(3.0);
        assert!(report.failure().is_ok());
        assert_eq!(
            report.text(),
            "`a.lance`: 9 pairs made, 4 there already, 2 dropped; refused sources: 1; 3.0 s, 3.0 pairs/s\n"
        );
        assert_eq!(report.refused[0].line(), "refused `b.jpg`: it is empty");
    }
}
