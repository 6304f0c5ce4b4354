//! `asap weights`: lists, converts and checks files of weights.

mod check;
mod convert;
mod list;

use std::path::Path;

use anyhow::{Error, Result};
use asap_metrics::weights::{Fault, Network, WeightsDir};

use crate::args::WeightsCommand;
use crate::failure::hinted;
use crate::printer::Printer;

pub(crate) fn run(command: &WeightsCommand, printer: Printer) -> Result<()> {
    match command {
        WeightsCommand::List(args) => list::run(args, printer),
        WeightsCommand::Convert(args) => convert::run(args, printer),
        WeightsCommand::Check(args) => check::run(args, printer),
    }
}

/// An error about a network's weights with the way to get them, where they are missing.
pub(crate) fn with_way_out(error: asap_metrics::Error, dir: &Path) -> Error {
    let missing = match &error {
        asap_metrics::Error::Weights { path, fault } if matches!(**fault, Fault::Missing { .. }) => {
            let networks = asap_metrics::weights::networks();
            networks.iter().find(|network| path.ends_with(&network.file))
        }
        _ => None,
    };
    match missing {
        Some(network) => hinted(error.to_string(), way_to_get(network, dir)),
        None => error.into(),
    }
}

/// How to get the weights of a network into a folder.
pub(crate) fn way_to_get(network: &Network, dir: &Path) -> String {
    let to = dir.join(&network.file);
    let Some(source) = network.sources.first() else {
        return "`asap weights list` says what is known".to_owned();
    };
    let name = source.file.rsplit('/').next().unwrap_or(&source.file);
    if name.ends_with(".safetensors") {
        return format!("get `{}` from {} as `{}`", source.file, source.at, to.display());
    }
    format!(
        "get `{}` from {} ({}), then `asap weights convert --from {name} --to {}`",
        source.file,
        source.at,
        network.licence,
        to.display()
    )
}

/// Opens a folder of weights.
pub(crate) fn open(dir: &Path) -> Result<WeightsDir> {
    Ok(WeightsDir::open(dir)?)
}
