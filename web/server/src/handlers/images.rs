//! Images by id: stored bytes as they are, derived ones as they are made.

use std::str::FromStr;

use asap_core::{PairId, Sha256};
use axum::body::Body;
use axum::extract::{Path, Query, State as Shared};
use axum::http::{HeaderMap, Response};
use serde::Deserialize;

use crate::derived::{Gain, ImageKey, PairImage};
use crate::failure::Failure;
use crate::state::State;
use crate::wire::{Keep, matches_hash, respond};

/// What an image's address can ask for besides its id.
#[derive(Debug, Deserialize)]
pub(crate) struct Ask {
    /// The hash that the bytes must have.
    h: Option<String>,
    /// Amplification of a difference.
    gain: Option<u8>,
}

pub(crate) async fn positive(
    Shared(state): Shared<State>,
    Path(file): Path<String>,
    Query(ask): Query<Ask>,
    request: HeaderMap,
) -> Result<Response<Body>, Failure> {
    let key = ImageKey::Preferred(id_of(&file, ".png")?);
    answer(&state, key, &ask, Keep::Revalidate, &request).await
}

pub(crate) async fn of_pair(
    Shared(state): Shared<State>,
    Path((id, file)): Path<(String, String)>,
    Query(ask): Query<Ask>,
    request: HeaderMap,
) -> Result<Response<Body>, Failure> {
    let id = parse_id::<PairId>(&id)?;
    let image = match file.as_str() {
        "rejected.png" => PairImage::Rejected,
        "stored.png" => PairImage::Stored,
        "mask_edit.png" => PairImage::MaskEdit,
        "mask_part.png" => PairImage::MaskPart,
        "outline.png" => PairImage::Outline,
        "difference.png" => {
            let gain = Gain::new(ask.gain.unwrap_or(1));
            PairImage::Difference(
                gain.ok_or_else(|| Failure::bad_request("`gain`: expected 1, 4, 8, 16 or 32"))?,
            )
        }
        _ => return Err(Failure::not_found("a pair has no image of that name")),
    };
    let keep = match image {
        PairImage::Difference(_) | PairImage::Outline => Keep::AnHour,
        _ => Keep::Revalidate,
    };
    answer(&state, ImageKey::OfPair(id, image), &ask, keep, &request).await
}

pub(crate) async fn positive_thumb(
    Shared(state): Shared<State>,
    Path(file): Path<String>,
    Query(ask): Query<Ask>,
    request: HeaderMap,
) -> Result<Response<Body>, Failure> {
    let key = ImageKey::PreferredThumb(id_of(&file, ".jpg")?);
    answer(&state, key, &ask, Keep::AnHour, &request).await
}

pub(crate) async fn pair_thumb(
    Shared(state): Shared<State>,
    Path(file): Path<String>,
    Query(ask): Query<Ask>,
    request: HeaderMap,
) -> Result<Response<Body>, Failure> {
    let key = ImageKey::OfPair(id_of(&file, ".jpg")?, PairImage::RejectedThumb);
    answer(&state, key, &ask, Keep::AnHour, &request).await
}

async fn answer(
    state: &State,
    key: ImageKey,
    ask: &Ask,
    keep: Keep,
    request: &HeaderMap,
) -> Result<Response<Body>, Failure> {
    let asked = ask.h.as_deref().map(parse_id::<Sha256>).transpose()?;
    let blob = state.image(key).await?;
    match matches_hash(&blob, asked) {
        None => Ok(respond(&blob, keep, request)),
        Some(true) => Ok(respond(&blob, Keep::Forever, request)),
        Some(false) => Err(Failure::not_found(
            "the image has other bytes than the address asks for",
        )),
    }
}

/// The id in a file name.
fn id_of<T: FromStr>(file: &str, extension: &str) -> Result<T, Failure>
where
    T::Err: std::fmt::Display,
{
    let stem = file.strip_suffix(extension);
    parse_id(stem.ok_or_else(|| Failure::not_found(format!("expected a name that ends in `{extension}`")))?)
}

/// An id; what is none names nothing, so it is a 404.
pub(crate) fn parse_id<T: FromStr>(text: &str) -> Result<T, Failure>
where
    T::Err: std::fmt::Display,
{
    text.parse()
        .map_err(|error: T::Err| Failure::not_found(error.to_string()))
}
