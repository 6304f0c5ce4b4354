//! `asap bench verify`: computes every figure of a report again from the logs in it.

use anyhow::Result;
use asap_bench::report::verify;

use crate::args::VerifyReportArgs;
use crate::failure::hinted;
use crate::printer::Printer;

pub(crate) fn run(args: &VerifyReportArgs, printer: Printer) -> Result<()> {
    let verified = verify(&args.report)?;
    let report = args.report.display();
    let mut text: String = verified
        .differences
        .iter()
        .map(|difference| format!("{difference}\n"))
        .collect();
    text.push_str(&format!(
        "`{report}`: checked {} files, computed {} figures again; differences: {}\n",
        verified.n_files,
        verified.n_figures,
        verified.differences.len()
    ));
    printer.data(&text, &verified)?;
    match verified.differences.len() {
        0 => Ok(()),
        n => Err(hinted(
            format!(
                "`{report}` has {n} {}",
                if n == 1 { "difference" } else { "differences" }
            ),
            "make the report again from its runs; what it says cannot be trusted",
        )),
    }
}
