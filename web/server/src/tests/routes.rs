//! Statuses, headers and bytes.

use asap_core::Sha256;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use sha2::Digest;

use super::{N_PAIRS, ask, get, get_with, sample_rows, server};

fn sha256(bytes: &[u8]) -> String {
    Sha256::from_bytes(sha2::Sha256::digest(bytes).into()).to_string()
}

#[tokio::test]
async fn every_page_answers_with_safe_headers() {
    let router = server().await;
    let id = sample_rows(1)[0].id;
    for uri in [
        "/",
        "/pairs",
        "/dataset",
        &format!("/pairs/{id}"),
        "/healthz",
        "/assets/asap.css",
        "/api/v1/pairs",
    ] {
        let answer = get(&router, uri).await;
        assert_eq!(answer.status, StatusCode::OK, "{uri}: {}", answer.text());
        let policy = answer.header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'self'; script-src 'self' 'wasm-unsafe-eval'"),
            "{policy}"
        );
        assert!(!policy.contains("unsafe-inline"), "{policy}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("referrer-policy"), "same-origin");
    }
}

#[tokio::test]
async fn images_are_the_stored_bytes_at_their_hash() {
    let router = server().await;
    let row = &sample_rows(1)[0];
    let uri = format!("/images/positive/{}.png", row.positive_id);
    let plain = get(&router, &uri).await;
    assert_eq!(plain.status, StatusCode::OK);
    assert_eq!(plain.header("content-type"), "image/png");
    assert_eq!(plain.header("cache-control"), "public, no-cache");
    let hash = sha256(&plain.bytes);
    assert_eq!(plain.header("etag"), format!("\"{hash}\""));

    let hashed = get(&router, &format!("{uri}?h={hash}")).await;
    assert_eq!(hashed.bytes, plain.bytes);
    assert_eq!(
        hashed.header("cache-control"),
        "public, max-age=31536000, immutable"
    );
    let wrong = get(&router, &format!("{uri}?h={}", "0".repeat(64))).await;
    assert_eq!(wrong.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_pair_has_all_its_images() {
    let router = server().await;
    let row = &sample_rows(1)[0];
    let detail = get(&router, &format!("/api/v1/pairs/{}", row.id)).await.json();
    for name in ["preferred", "rejected", "mask_edit", "mask_part", "patch"] {
        let link = &detail["pair"]["images"][name];
        let image = get(&router, link["href"].as_str().unwrap()).await;
        assert_eq!(image.status, StatusCode::OK, "{name}");
        assert_eq!(sha256(&image.bytes), link["sha256"].as_str().unwrap(), "{name}");
        assert_eq!(
            image.bytes.len() as u64,
            link["size_bytes"].as_u64().unwrap(),
            "{name}"
        );
        assert!(image.header("cache-control").contains("immutable"), "{name}");
    }
    for name in ["outline.png", "difference.png", "difference.png?gain=32"] {
        let image = get(&router, &format!("/images/pair/{}/{name}", row.id)).await;
        assert_eq!(image.status, StatusCode::OK, "{name}");
        let decoded = image::load_from_memory(&image.bytes).unwrap();
        assert_eq!(
            (decoded.width(), decoded.height()),
            (row.width, row.height),
            "{name}"
        );
    }
    let thumb = get(&router, &format!("/thumbs/pair/{}.jpg", row.id)).await;
    assert_eq!(thumb.header("content-type"), "image/jpeg");
}

#[tokio::test]
async fn the_difference_is_black_outside_the_edit() {
    let router = server().await;
    let row = &sample_rows(1)[0];
    let image = async |name: &str| {
        let answer = get(&router, &format!("/images/pair/{}/{name}", row.id)).await;
        image::load_from_memory(&answer.bytes).unwrap().into_rgb8()
    };
    let (difference, mask) = (
        image("difference.png?gain=32").await,
        image("mask_edit.png").await,
    );
    let is_changed = |pixel: &image::Rgb<u8>| pixel.0 != [0; 3];
    let inside = difference
        .pixels()
        .zip(mask.pixels())
        .filter(|(d, m)| is_changed(d) && m.0[0] > 0)
        .count();
    let outside = difference
        .pixels()
        .zip(mask.pixels())
        .filter(|(d, m)| is_changed(d) && m.0[0] == 0)
        .count();
    assert!(inside > 100, "{inside}");
    assert_eq!(outside, 0);
}

#[tokio::test]
async fn caches_are_answered_without_bytes() {
    let router = server().await;
    let uri = format!("/images/positive/{}.png", sample_rows(1)[0].positive_id);
    let etag = get(&router, &uri).await.header("etag").to_owned();
    for tags in [
        etag.clone(),
        format!("W/{etag}"),
        format!("\"x\", {etag}"),
        "*".to_owned(),
    ] {
        let answer = get_with(&router, &uri, &[("if-none-match", &tags)]).await;
        assert_eq!(answer.status, StatusCode::NOT_MODIFIED, "{tags}");
        assert!(answer.bytes.is_empty());
        assert_eq!(answer.header("etag"), etag);
    }
    assert_eq!(
        get_with(&router, &uri, &[("if-none-match", "\"x\"")])
            .await
            .status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn ranges_give_parts() {
    let router = server().await;
    let uri = format!("/images/positive/{}.png", sample_rows(1)[0].positive_id);
    let whole = get(&router, &uri).await;
    let length = whole.bytes.len();
    let part = get_with(&router, &uri, &[("range", "bytes=10-19")]).await;
    assert_eq!(part.status, StatusCode::PARTIAL_CONTENT);
    assert_eq!(part.bytes, whole.bytes[10..20]);
    assert_eq!(part.header("content-range"), format!("bytes 10-19/{length}"));
    let end = get_with(&router, &uri, &[("range", "bytes=-7")]).await;
    assert_eq!(end.bytes, whole.bytes[length - 7..]);
    let outside = get_with(&router, &uri, &[("range", &format!("bytes={length}-"))]).await;
    assert_eq!(outside.status, StatusCode::RANGE_NOT_SATISFIABLE);
    assert_eq!(outside.header("content-range"), format!("bytes */{length}"));
    let other = get_with(&router, &uri, &[("range", "bytes=0-1"), ("if-range", "\"old\"")]).await;
    assert_eq!((other.status, other.bytes.len()), (StatusCode::OK, length));
}

#[tokio::test]
async fn head_says_the_same_without_a_body() {
    let router = server().await;
    let uri = format!("/images/positive/{}.png", sample_rows(1)[0].positive_id);
    let length = get(&router, &uri).await.bytes.len();
    let request = Request::builder()
        .method(Method::HEAD)
        .uri(&uri)
        .body(Body::empty())
        .unwrap();
    let head = ask(&router, request).await;
    assert_eq!(head.status, StatusCode::OK);
    assert!(head.bytes.is_empty());
    assert_eq!(head.header("content-length"), length.to_string());
}

#[tokio::test]
async fn what_is_not_there_is_404_and_never_a_path() {
    let router = server().await;
    let unknown = "a".repeat(64);
    for uri in [
        "/nowhere".to_owned(),
        "/pairs/12".to_owned(),
        "/pairs/..%2f..%2fetc%2fpasswd".to_owned(),
        format!("/pairs/{unknown}"),
        format!("/images/positive/{unknown}.png"),
        "/images/positive/..%2fCargo.toml".to_owned(),
        "/images/positive/%2e%2e%2f%2e%2e.png".to_owned(),
        format!("/images/pair/{}/passwd", sample_rows(1)[0].id),
        format!("/thumbs/pair/{unknown}.jpg"),
        "/pkg/asap.js".to_owned(),
        format!("/api/v1/pairs/{unknown}"),
    ] {
        assert_eq!(get(&router, &uri).await.status, StatusCode::NOT_FOUND, "{uri}");
    }
    let page = get_with(&router, &format!("/pairs/{unknown}"), &[("accept", "text/html")]).await;
    assert!(
        page.text().contains("there is no pair `aaaaaaaa`"),
        "{}",
        page.text()
    );
}

#[tokio::test]
async fn hostile_queries_are_refused_in_words() {
    let router = server().await;
    for query in [
        "region=%3Cscript%3E".to_owned(),
        "ssim_in_min=NaN".to_owned(),
        "page=-1".to_owned(),
        "page=99999999999999999999".to_owned(),
        format!("q={}", "x".repeat(5000)),
        format!("q={}", "x".repeat(20_000)),
        "sort=id%27%20OR%201=1--".to_owned(),
    ] {
        let answer = get(&router, &format!("/api/v1/pairs?{query}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}");
        assert_eq!(answer.json()["error"]["status"], 400);
        let page = get_with(&router, &format!("/pairs?{query}"), &[("accept", "text/html")]).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST, "{query}");
        assert!(!page.text().contains("<script>"), "{}", page.text());
    }
    let id = sample_rows(1)[0].id;
    let gain = get(&router, &format!("/images/pair/{id}/difference.png?gain=3")).await;
    assert_eq!(gain.status, StatusCode::BAD_REQUEST);
    assert_eq!(
        get(&router, &format!("/pairs/{id}?z=1,2")).await.status,
        StatusCode::BAD_REQUEST
    );
}

#[tokio::test]
async fn pages_beyond_the_last_show_the_last() {
    let router = server().await;
    let answer = get(&router, "/api/v1/pairs?page=900").await.json();
    assert_eq!(answer["meta"]["page"], 3);
    assert_eq!(answer["pairs"].as_array().unwrap().len(), N_PAIRS - 96);
    assert_eq!(answer["pairs"][0]["position"], 96);
}

#[tokio::test]
async fn pages_of_the_list_hold_every_pair_once() {
    let router = server().await;
    let mut ids = Vec::new();
    for page in 1..=3 {
        let answer = get(&router, &format!("/api/v1/pairs?sort=ssim_in&page={page}"))
            .await
            .json();
        ids.extend(
            answer["pairs"]
                .as_array()
                .unwrap()
                .iter()
                .map(|pair| pair["id"].as_str().unwrap().to_owned()),
        );
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), N_PAIRS);
}

#[tokio::test]
async fn colours_are_remembered_and_only_local_pages_gone_back_to() {
    let router = server().await;
    for (back, location) in [
        ("%2Fdataset", "/dataset"),
        ("%2F%2Fevil.example", "/pairs"),
        ("https%3A%2F%2Fx", "/pairs"),
    ] {
        let request = Request::post("/theme")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from(format!("theme=dark&back={back}")))
            .unwrap();
        let answer = ask(&router, request).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER);
        assert_eq!(answer.header("location"), location);
        assert!(
            answer.header("set-cookie").starts_with("theme=dark; Path=/"),
            "{}",
            answer.header("set-cookie")
        );
    }
    let page = get_with(&router, "/pairs", &[("cookie", "a=b; theme=dark")]).await;
    assert!(page.text().contains("<html lang=\"en\" data-theme=\"dark\">"));
    assert_eq!(
        get(&router, "/theme").await.status,
        StatusCode::METHOD_NOT_ALLOWED
    );
}
