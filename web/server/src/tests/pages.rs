//! What the pages say, as plain HTML.

use std::sync::Arc;

use axum::http::StatusCode;

use super::{Memory, N_PAIRS, get, sample, sample_rows, server};
use crate::source::Source;
use crate::{State, app};

#[tokio::test]
async fn the_grid_is_a_form_and_a_list_without_scripts() {
    let router = server().await;
    let page = get(&router, "/pairs?decision=kept&ssim_in_min=0.3").await;
    let html = page.text();
    let n_expected = sample_rows(N_PAIRS)
        .iter()
        .filter(|row| row.decision.name() == "kept" && row.ssim_inside.is_some_and(|value| value >= 0.3))
        .count();
    assert!(
        html.contains(&format!("{n_expected} of {N_PAIRS} pairs")),
        "{html}"
    );
    for part in [
        "method=\"get\" action=\"/pairs\"",
        "<button type=\"submit\">Apply</button>",
        "name=\"ssim_in_min\" value=\"0.3\"",
        "aria-setsize=\"",
        "aria-posinset=\"1\"",
        "Take away kept",
    ] {
        assert!(html.contains(part), "{part} is missing in {html}");
    }
    assert!(!html.contains("<script"), "no client, no script");
    assert!(
        !html.contains("style=\""),
        "the policy forbids inline styles: {html}"
    );
}

#[tokio::test]
async fn a_pair_is_reachable_in_every_mode_without_scripts() {
    let router = server().await;
    let row = &sample_rows(1)[0];
    let pictures = |mode: &'static str| {
        let (router, id) = (router.clone(), row.id);
        async move {
            let page = get(&router, &format!("/pairs/{id}?mode={mode}&mask=part&z=10,20,96")).await;
            assert_eq!(page.status, StatusCode::OK);
            let html = page.text().to_owned();
            assert!(html.contains("viewBox=\"10 20 96 72.00\""), "{mode}: {html}");
            assert!(html.contains("/mask_part.png?h="), "{mode}");
            assert!(
                !html.contains("style=\""),
                "the policy forbids inline styles: {html}"
            );
            html
        }
    };
    let rejected = format!("/images/pair/{}/rejected.png?h=", row.id);
    assert_eq!(
        pictures("side").await.matches("class=\"picture zoomed").count(),
        2
    );
    assert!(
        pictures("slider")
            .await
            .contains("clip-path=\"url(#right-of-the-slider)\"")
    );
    assert!(pictures("blink").await.contains("<g class=\"blink-top\">"));
    assert!(pictures("difference").await.contains("/difference.png?gain=8"));
    let onion = pictures("onion").await;
    assert!(onion.contains("opacity=\"0.50\"") && onion.contains(&rejected));
    for title in [
        "Side by side",
        "Slider",
        "Blink",
        "Difference",
        "Onion skin",
        "Outlines",
        "Frame the edit",
        "Next",
    ] {
        assert!(onion.contains(title), "{title}");
    }
}

#[tokio::test]
async fn what_was_not_computed_is_said_and_never_a_zero() {
    let router = server().await;
    let html = get(&router, &format!("/pairs/{}", sample_rows(1)[0].id))
        .await
        .text()
        .to_owned();
    let row = html
        .split("<th scope=\"row\">edit</th>")
        .nth(1)
        .unwrap()
        .split("</tr>")
        .next()
        .unwrap();
    // The first sample has no SSIM inside; nobody measured LPIPS; the outside is equal, so PSNR has no value.
    assert_eq!(row.matches("not computed").count(), 3, "{row}");
    assert!(row.contains("equal"), "{row}");
    assert!(html.contains("ssim/wang11-rgb-valid/v1+composite"));
}

#[tokio::test]
async fn neighbours_follow_the_filter() {
    let router = server().await;
    let list = get(&router, "/api/v1/pairs?decision=rejected&sort=ssim_in&order=desc")
        .await
        .json();
    let id = |place: usize| list["pairs"][place]["id"].as_str().unwrap();
    let uri = format!(
        "/pairs/{}?decision=rejected&sort=ssim_in&order=desc&mode=blink",
        id(1)
    );
    let page = get(&router, &uri).await;
    let html = page.text();
    assert!(
        html.contains(&format!("2 of {}", list["meta"]["n_matching"])),
        "{html}"
    );
    for place in [0, 2] {
        let href = format!(
            "/pairs/{}?decision=rejected&amp;sort=ssim_in&amp;order=desc&amp;mode=blink",
            id(place)
        );
        assert!(html.contains(&href), "{href}");
    }
}

#[tokio::test]
async fn every_number_of_the_dataset_page_is_that_of_its_link() {
    let router = server().await;
    let page = get(&router, "/dataset").await;
    let html = page.text();
    let mut n_checked = 0;
    for part in html.split("<a href=\"/pairs?").skip(1) {
        let (query, rest) = part.split_once('"').unwrap();
        let number: String = rest
            .trim_start_matches('>')
            .split('<')
            .next()
            .unwrap()
            .chars()
            .filter(char::is_ascii_digit)
            .collect();
        let query = query.replace("&amp;", "&");
        let list = get(&router, &format!("/api/v1/pairs?{query}")).await.json();
        assert_eq!(list["meta"]["n_matching"].to_string(), number, "{query}");
        n_checked += 1;
    }
    assert!(n_checked > 50, "{n_checked}");
}

#[tokio::test]
async fn an_empty_dataset_says_so() {
    let router = app(State::new(Arc::new(Memory::default()), None).await.unwrap());
    let page = get(&router, "/").await;
    assert!(page.text().contains("The data set is empty"), "{}", page.text());
    assert_eq!(get(&router, "/dataset").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_newer_version_is_shown() {
    let memory = Arc::new(sample(4));
    let state = State::new(Arc::clone(&memory) as Arc<dyn Source>, None)
        .await
        .unwrap();
    let router = app(state.clone());
    assert_eq!(get(&router, "/api/v1/pairs").await.json()["meta"]["n_total"], 4);
    memory.add_pair(sample_rows(5).pop().unwrap(), None, None);
    state.look_for_newer().await;
    assert_eq!(get(&router, "/api/v1/pairs").await.json()["meta"]["n_total"], 5);
}
