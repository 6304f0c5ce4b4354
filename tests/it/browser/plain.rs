//! Without scripts: everything is reached by links and forms.

use anyhow::{Result, ensure};
use fantoccini::key::Key;

use super::driver::{N_PAIRS, Scripts};
use super::{in_browser, view_box};

#[test]
fn everything_is_reached_without_scripts() -> Result<()> {
    in_browser("plain-pair", Scripts::Off, async |session| {
        session.open("/pairs").await?;
        session
            .find("input[name=decision][value=kept]")
            .await?
            .click()
            .await?;
        session.find(".form-actions button").await?.click().await?;
        session.address_with("decision=kept").await?;
        let heading = session.find("h1").await?.text().await?;
        ensure!(heading.ends_with(&format!("of {N_PAIRS} pairs")), "{heading}");
        session.screenshot("plain-grid").await?;
        session.follow("Next").await?;
        session.address_with("page=2").await?;

        session.find(".card-link").await?.click().await?;
        let whole = view_box(session).await?;
        session.follow("Slider").await?;
        session.address_with("mode=slider").await?;
        session
            .find("input[name=split_at]")
            .await?
            .send_keys(&String::from(char::from(Key::Left)))
            .await?;
        session.find(".sliders button").await?.click().await?;
        session.address_with("split_at=49").await?;
        session.follow("Frame the edit").await?;
        let link = session.address_with("z=").await?;
        ensure!(
            link.contains("mode=slider") && link.contains("split_at=49"),
            "{link}"
        );
        ensure!(view_box(session).await? != whole);
        session.follow("Difference").await?;
        session.address_with("mode=difference").await?;
        session.find("image[href*='difference.png']").await?;
        Ok(())
    })
}

#[test]
fn colours_are_chosen_without_scripts() -> Result<()> {
    in_browser("plain-dark", Scripts::Off, async |session| {
        session.open("/dataset").await?;
        session
            .find("button[name=theme][value=dark]")
            .await?
            .click()
            .await?;
        session.find("html[data-theme=dark]").await?;
        session.address_with("/dataset").await?;
        Ok(())
    })
}
