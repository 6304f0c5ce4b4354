//! `asap weights list`: what can be used, and where it is to be had.

use anyhow::Result;
use asap_metrics::weights::{Network, Present, Source, networks};
use serde::Serialize;

use crate::args::ListArgs;
use crate::printer::Printer;
use crate::table::{self, Align};

/// A network and whether its weights are there.
#[derive(Serialize)]
struct Listed {
    name: &'static str,
    serves: &'static str,
    file: &'static str,
    licence: &'static str,
    sources: &'static [Source],
    /// Where no folder was named: unknown.
    is_present: Option<bool>,
    is_pinned: Option<bool>,
}

pub(crate) fn run(args: &ListArgs, printer: Printer) -> Result<()> {
    let present = match &args.weights {
        Some(dir) => Some(super::open(dir)?.check()?),
        None => None,
    };
    let listed: Vec<Listed> = networks()
        .iter()
        .map(|network| Listed::of(network, present.as_deref()))
        .collect();
    printer.data(&text(&listed), &listed)
}

impl Listed {
    fn of(network: &'static Network, present: Option<&[Present]>) -> Self {
        let found = present.map(|files| {
            files
                .iter()
                .find(|present| present.file == network.file && present.fault.is_none())
        });
        Self {
            name: &network.name,
            serves: &network.serves,
            file: &network.file,
            licence: &network.licence,
            sources: &network.sources,
            is_present: found.map(|found| found.is_some()),
            is_pinned: found.map(|found| found.is_some_and(|present| present.is_pinned)),
        }
    }

    /// What is known of its content beforehand.
    fn published(&self) -> &'static str {
        match self
            .sources
            .iter()
            .filter_map(|source| source.sha256.as_ref())
            .max_by_key(|digits| digits.len())
        {
            Some(digits) if digits.len() == 64 => "SHA-256 known",
            Some(_) => "first digits known",
            None => "not pinned",
        }
    }

    fn state(&self) -> &'static str {
        match (self.is_present, self.is_pinned) {
            (Some(true), Some(true)) => "yes, pinned",
            (Some(true), _) => "yes",
            (Some(false), _) => "no",
            (None, _) => "-",
        }
    }
}

fn text(listed: &[Listed]) -> String {
    let header = ["name", "for", "file", "licence", "content", "there"].map(str::to_owned);
    let rows = listed.iter().map(|it| {
        [
            it.name,
            it.serves,
            it.file,
            it.licence,
            it.published(),
            it.state(),
        ]
        .map(str::to_owned)
    });
    let mut text = table::render([Align::Left; 6], std::iter::once(header).chain(rows));
    text.push_str("\nwhere:\n");
    let sources = listed.iter().flat_map(|it| {
        it.sources.iter().enumerate().map(|(idx, source)| {
            let name = if idx == 0 { it.name } else { "" };
            [name.to_owned(), source.file.clone(), source.at.clone()]
        })
    });
    text.push_str(&table::render([Align::Left; 3], sources));
    text
}
