//! `asap serve`: the viewer, until Ctrl-C.

use anyhow::Result;

use crate::printer::Printer;
use crate::settings::ServeSettings;

pub(crate) async fn run(settings: ServeSettings, printer: Printer) -> Result<()> {
    let data = settings.data.display().to_string();
    let config = asap_server::Config {
        data: settings.data,
        addr: settings.addr,
        site: settings.site,
    };
    asap_server::serve(config, |addr| {
        printer.note(&format!("serving `{data}` at http://{addr}"))
    })
    .await?;
    Ok(())
}
