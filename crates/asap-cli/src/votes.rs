//! `asap votes`: the log of votes, checked and written out.

use std::io::{BufReader, BufWriter};

use anyhow::{Context as _, Result};
use asap_arena::Database;
use asap_arena::export::{Whole, differences, verify, verify_lines, write_lines};
use serde::Serialize;

use crate::args::{ExportVotesArgs, VerifyVotesArgs, VotesCommand};
use crate::failure::hinted;
use crate::printer::Printer;

/// The way out where a log cannot be trusted.
const RESTORE: &str = "compare it with a copy: what follows the break cannot be trusted";

pub(crate) async fn run(command: VotesCommand, printer: Printer) -> Result<()> {
    match command {
        VotesCommand::Verify(args) => verify_log(&args, printer).await,
        VotesCommand::Export(args) => export(&args, printer).await,
    }
}

#[derive(Serialize)]
struct Verified {
    log: String,
    #[serde(flatten)]
    whole: Whole,
    /// `None` where the tables were not looked at.
    differences: Option<Vec<String>>,
}

async fn verify_log(args: &VerifyVotesArgs, printer: Printer) -> Result<()> {
    let published = args.published.as_deref();
    let (whole, differences) = if is_address(&args.log) {
        let db = Database::open_existing(&args.log).await?;
        let whole = verify(&db, published).await?;
        let whole = whole.map_err(|found| hinted(found.to_string(), RESTORE))?;
        let found = if args.tables {
            Some(differences(&db).await?)
        } else {
            None
        };
        (whole, found)
    } else {
        if args.tables {
            return Err(hinted(
                "an exported log has no tables to compare with",
                "give the address of the database, or leave out `--tables`",
            ));
        }
        let file = fs_err::File::open(&args.log)?;
        let whole = verify_lines(BufReader::new(file), published)
            .with_context(|| format!("`{}` is no whole log", args.log))?;
        (whole, None)
    };
    let verified = Verified {
        log: without_password(&args.log),
        whole,
        differences,
    };
    printer.data(&verified.text(published), &verified)?;
    verified.judge(published)
}

impl Verified {
    fn text(&self, published: Option<&str>) -> String {
        let mut text: String = self
            .differences
            .iter()
            .flatten()
            .map(|line| format!("{line}\n"))
            .collect();
        let head = &self.whole.head;
        text.push_str(&format!(
            "`{}`: {} entries, each follows the one before\n",
            self.log, head.seq
        ));
        if head.seq > 0 {
            text.push_str(&format!("head: {}\n", head.hash));
        }
        if let (Some(_), Some(seq)) = (published, self.whole.published_seq) {
            text.push_str(&format!("the published head is entry {seq}\n"));
        }
        if let Some(found) = &self.differences {
            text.push_str(&format!("tables and log: {} differences\n", found.len()));
        }
        text
    }

    fn judge(&self, published: Option<&str>) -> Result<()> {
        if let (Some(hash), None) = (published, self.whole.published_seq) {
            return Err(hinted(
                format!("no entry of `{}` has the published hash `{hash}`", self.log),
                "entries were cut off, or the whole log was written anew: compare it with a copy",
            ));
        }
        match self.differences.as_ref().map_or(0, Vec::len) {
            0 => Ok(()),
            n => Err(hinted(
                format!("the tables of `{}` differ from its log in {n} points", self.log),
                "trust the log; stop the server before the comparison if it was running",
            )),
        }
    }
}

async fn export(args: &ExportVotesArgs, printer: Printer) -> Result<()> {
    let db = Database::open_existing(&args.database).await?;
    let file = fs_err::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&args.out)?;
    let mut out = BufWriter::new(file);
    write_lines(&db, &mut out)
        .await?
        .with_context(|| format!("cannot write `{}`", args.out.display()))?;
    let file = out.into_inner().map_err(std::io::IntoInnerError::into_error)?;
    file.sync_all()?;
    printer.note(&format!("wrote `{}`", args.out.display()));
    Ok(())
}

/// Files of logs have no colon before their first separator.
fn is_address(text: &str) -> bool {
    ["sqlite:", "postgres:", "postgresql:"]
        .iter()
        .any(|scheme| text.starts_with(scheme))
}

fn without_password(address: &str) -> String {
    match address.rsplit_once('@') {
        Some((head, tail)) if address.starts_with("postgres") => {
            let user = head
                .split_once("://")
                .map_or(head, |(_, login)| login.split(':').next().unwrap_or_default());
            format!("{user}@{tail}")
        }
        _ => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_files_and_lose_their_password() {
        assert!(is_address("sqlite:arena.db") && is_address("postgres://me@host/arena"));
        assert!(!is_address("votes.jsonl") && !is_address("./sqlite"));
        assert_eq!(
            without_password("postgres://me:secret@host/arena"),
            "me@host/arena"
        );
        assert_eq!(without_password("sqlite:a@b.db"), "sqlite:a@b.db");
    }
}
