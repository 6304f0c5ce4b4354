//! With scripts: nothing reloads, and the address always says what is shown.

use anyhow::{Result, ensure};
use fantoccini::Locator;
use fantoccini::key::Key;

use super::driver::{N_PAIRS, Scripts, Session};
use super::{in_browser, view_box};

async fn split(session: &Session) -> Result<String> {
    let range = session.find("input[name=split_at]").await?;
    Ok(range.prop("value").await?.unwrap_or_default())
}

#[test]
fn a_copied_link_shows_the_same_view() -> Result<()> {
    in_browser("live-pair", Scripts::On, async |session| {
        session.open("/pairs").await?;
        session.live().await?;
        let all = session.find("h1").await?.text().await?;
        session
            .find("input[name=decision][value=kept]")
            .await?
            .click()
            .await?;
        session.address_with("decision=kept").await?;
        let kept = session.heading_other_than(&all).await?;
        ensure!(kept.ends_with(&format!("of {N_PAIRS} pairs")), "{kept}");
        session.screenshot("live-grid").await?;

        session.find(".card-link").await?.click().await?;
        session.address_with("/pairs/").await?;
        session.live().await?;
        let whole = view_box(session).await?;
        session.press("2").await?;
        let range = session.find("input[name=split_at]:enabled").await?;
        for _ in 0..12 {
            range.send_keys(&String::from(char::from(Key::Left))).await?;
        }
        session.address_with("split_at=38").await?;
        session.press("z").await?;
        session.address_with("z=").await?;
        session.press("m").await?;
        let link = session.address_with("mask=outline").await?;
        ensure!(link.contains("decision=kept"), "the list is lost: {link}");
        let framed = view_box(session).await?;
        ensure!(framed != whole, "`z` frames nothing: {framed}");
        session.screenshot("live-slider").await?;

        session.client.goto(&link).await?;
        session.live().await?;
        ensure!(
            view_box(session).await? == framed,
            "another view: {}",
            view_box(session).await?
        );
        ensure!(split(session).await? == "38");
        session.find(".divider").await?;
        session.find("image.outline").await?;
        ensure!(
            session.client.current_url().await?.as_str() == link,
            "the address has changed by itself"
        );
        Ok(())
    })
}

#[test]
fn zoom_and_pan_move_both_pictures() -> Result<()> {
    in_browser("live-side", Scripts::On, async |session| {
        session.open("/pairs").await?;
        session.find(".card-link").await?.click().await?;
        session.live().await?;
        session.press("++").await?;
        let zoomed = session.address_with("z=").await?;
        session.press(&String::from(char::from(Key::Right))).await?;
        session
            .until("a view further right", async || {
                Ok((session.client.current_url().await?.as_str() != zoomed).then_some(()))
            })
            .await?;
        let mut boxes = Vec::new();
        for picture in session.client.find_all(Locator::Css("svg.picture")).await? {
            boxes.push(picture.attr("viewBox").await?);
        }
        ensure!(boxes.len() == 2 && boxes[0] == boxes[1], "{boxes:?}");
        session.press("0").await?;
        session.press("?").await?;
        session.find("dialog[open]").await?;
        Ok(())
    })
}

#[test]
fn the_endless_grid_reaches_the_last_pair() -> Result<()> {
    in_browser("live-endless", Scripts::On, async |session| {
        session.open("/pairs").await?;
        session.live().await?;
        session.find(".cards.endless").await?;
        session
            .client
            .execute("window.scrollTo(0, document.body.scrollHeight)", Vec::new())
            .await?;
        session
            .find(&format!("li[aria-posinset='{N_PAIRS}'] .card-link"))
            .await?;
        let drawn = session.client.find_all(Locator::Css("li.card")).await?.len();
        ensure!(drawn < N_PAIRS, "every card is drawn: {drawn}");
        session
            .client
            .execute("window.scrollTo(0, 0)", Vec::new())
            .await?;
        session.find("li[aria-posinset='1'] .card-link").await?;
        Ok(())
    })
}

#[test]
fn back_returns_to_the_earlier_filter() -> Result<()> {
    in_browser("live-back", Scripts::On, async |session| {
        session.open("/pairs").await?;
        session.live().await?;
        let all = session.find("h1").await?.text().await?;
        session
            .find("input[name=decision][value=rejected]")
            .await?
            .click()
            .await?;
        let rejected = session.heading_other_than(&all).await?;
        session.client.back().await?;
        ensure!(session.heading_other_than(&rejected).await? == all);
        let checkbox = session.find("input[name=decision][value=rejected]").await?;
        ensure!(
            !checkbox.is_selected().await?,
            "the form shows another state than the list"
        );
        Ok(())
    })
}
