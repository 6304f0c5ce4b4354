//! The viewer in a real Chromium, with scripts and without.
//!
//! Wants `ASAP_CHROMIUM`, `ASAP_CHROMEDRIVER` and, for live pages, `ASAP_SITE`; skips with a line where they
//! are absent, unless `ASAP_REQUIRE` names `browser`. Screenshots go to `ASAP_ARTEFACTS`.

mod driver;
mod live;
mod plain;

use anyhow::Result;
use driver::{Equipment, Scripts, Session};
use fantoccini::Locator;

/// Runs a test in a browser of its own, over a dataset and a server of its own.
fn in_browser(name: &str, scripts: Scripts, test: impl AsyncFnOnce(&Session) -> Result<()>) -> Result<()> {
    let Some(equipment) = Equipment::find(scripts)? else {
        return Ok(());
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let session = Session::start(&equipment, scripts).await?;
        let outcome = test(&session).await;
        session.screenshot(name).await?;
        session.close().await?;
        outcome
    })
}

/// The part of the image that the first picture shows.
async fn view_box(session: &Session) -> Result<String> {
    let picture = session.client.find(Locator::Css("svg.picture")).await?;
    Ok(picture.attr("viewBox").await?.unwrap_or_default())
}
