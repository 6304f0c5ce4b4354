//! Every image that the server gives out, by a key made of ids: never by a path.

use std::sync::Arc;

use asap_app::view_state::GAINS;
use asap_core::{Mask, Pair, PairId, Positive, PositiveId, Rejected};
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{DynamicImage, ExtendedColorType, ImageEncoder, Rgb, RgbImage, Rgba, RgbaImage};

use crate::cache::Blob;
use crate::failure::Failure;
use crate::state::State;

/// The long side of a thumbnail.
const THUMB_SIDE_PX: u32 = 320;
const THUMB_QUALITY: u8 = 85;
/// The outline of `mask_part`: blue, told apart from the other by every kind of colour vision.
const PART_COLOR: [u8; 4] = [0x2f, 0xa8, 0xff, 0xff];
/// The outline of `mask_edit`: orange.
const EDIT_COLOR: [u8; 4] = [0xff, 0x9d, 0x1c, 0xff];

const PNG: &str = "image/png";
const JPEG: &str = "image/jpeg";

/// An amplification that is offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Gain(u8);

impl Gain {
    /// One of [`GAINS`].
    pub(crate) fn new(gain: u8) -> Option<Self> {
        GAINS.contains(&gain).then_some(Self(gain))
    }
}

/// Names one image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum ImageKey {
    /// x_w as stored.
    Preferred(PositiveId),
    /// x_w, small.
    PreferredThumb(PositiveId),
    /// An image of a pair.
    OfPair(PairId, PairImage),
}

/// Names one image of a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum PairImage {
    /// x_l, whole.
    Rejected,
    /// x_l, small.
    RejectedThumb,
    /// The stored patch, or the whole image where it is stored whole.
    Stored,
    /// Changed pixels, dilated.
    MaskEdit,
    /// The training mask.
    MaskPart,
    /// The amplified difference.
    Difference(Gain),
    /// The outlines of both masks.
    Outline,
}

impl ImageKey {
    const fn is_thumb(self) -> bool {
        matches!(
            self,
            Self::PreferredThumb(_) | Self::OfPair(_, PairImage::RejectedThumb)
        )
    }
}

impl State {
    /// An image, out of the cache or made now.
    pub(crate) async fn image(&self, key: ImageKey) -> Result<Arc<Blob>, Failure> {
        let cache = if key.is_thumb() {
            &self.thumbs
        } else {
            &self.images
        };
        if let Some(blob) = cache.get(key) {
            return Ok(blob);
        }
        let blob = Arc::new(self.make(key).await?);
        cache.put(key, Arc::clone(&blob));
        Ok(blob)
    }

    async fn make(&self, key: ImageKey) -> Result<Blob, Failure> {
        match key {
            ImageKey::Preferred(id) => Ok(Blob::new(self.positive(id).await?.image_png, PNG)),
            ImageKey::PreferredThumb(id) => {
                let positive = self.positive(id).await?;
                self.decode(move || thumbnail(decode(&positive.image_png)?)).await
            }
            ImageKey::OfPair(id, image) => {
                let pair = self.pair(id).await?;
                let positive = self.positive(pair.positive_id).await?;
                self.decode(move || of_pair(&positive, &pair, image)).await
            }
        }
    }

    /// A preferred image, or a 404.
    pub(crate) async fn positive(&self, id: PositiveId) -> Result<Positive, Failure> {
        let missing = || Failure::not_found(format!("there is no preferred image `{}`", id.short()));
        self.source.positive(id).await?.ok_or_else(missing)
    }

    /// A pair, or a 404.
    pub(crate) async fn pair(&self, id: PairId) -> Result<Pair, Failure> {
        let missing = || Failure::not_found(format!("there is no pair `{}`", id.short()));
        self.source.pair(id).await?.ok_or_else(missing)
    }

    /// Runs work on pixels away from the threads that answer requests, a few at a time.
    async fn decode(
        &self,
        work: impl FnOnce() -> Result<Blob, Failure> + Send + 'static,
    ) -> Result<Blob, Failure> {
        let _permit = self.decoders.acquire().await.map_err(Failure::internal)?;
        tokio::task::spawn_blocking(work)
            .await
            .map_err(Failure::internal)?
    }
}

fn of_pair(positive: &Positive, pair: &Pair, image: PairImage) -> Result<Blob, Failure> {
    let mask = |mask: &Mask| {
        Ok(Blob::new(
            asap_store::encode_mask(mask).map_err(Failure::internal)?,
            PNG,
        ))
    };
    match image {
        PairImage::Rejected => Ok(Blob::new(
            asap_store::rejected_png(positive, pair).map_err(Failure::internal)?,
            PNG,
        )),
        PairImage::Stored => match &pair.rejected {
            Rejected::Patch { png, .. } | Rejected::Whole { png } => Ok(Blob::new(png.clone(), PNG)),
        },
        PairImage::RejectedThumb => thumbnail(rejected(positive, pair)?),
        PairImage::MaskEdit => mask(&pair.mask_edit),
        PairImage::MaskPart => mask(&pair.mask_part),
        PairImage::Difference(gain) => encode_rgb(&difference(
            &decode(&positive.image_png)?,
            &rejected(positive, pair)?,
            gain,
        )),
        PairImage::Outline => encode_rgba(&outline(pair)),
    }
}

fn rejected(positive: &Positive, pair: &Pair) -> Result<RgbImage, Failure> {
    asap_store::reconstruct(positive, pair).map_err(Failure::internal)
}

fn decode(png: &[u8]) -> Result<RgbImage, Failure> {
    asap_store::decode_rgb(png, "the preferred image").map_err(Failure::internal)
}

fn thumbnail(image: RgbImage) -> Result<Blob, Failure> {
    let small = DynamicImage::ImageRgb8(image)
        .thumbnail(THUMB_SIDE_PX, THUMB_SIDE_PX)
        .into_rgb8();
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, THUMB_QUALITY)
        .write_image(&small, small.width(), small.height(), ExtendedColorType::Rgb8)
        .map_err(Failure::internal)?;
    Ok(Blob::new(bytes, JPEG))
}

/// |a - b| times the gain, cut at white. Images of different sizes are compared where both are.
fn difference(a: &RgbImage, b: &RgbImage, Gain(gain): Gain) -> RgbImage {
    RgbImage::from_fn(a.width().min(b.width()), a.height().min(b.height()), |x, y| {
        let (Rgb(a), Rgb(b)) = (a.get_pixel(x, y), b.get_pixel(x, y));
        Rgb([0, 1, 2].map(|channel| a[channel].abs_diff(b[channel]).saturating_mul(gain)))
    })
}

/// The inner borders of both masks on nothing, thicker on larger images.
fn outline(pair: &Pair) -> RgbaImage {
    let (width, height) = (pair.mask_edit.width(), pair.mask_edit.height());
    let thickness_px = (width.max(height) / 400).max(1);
    let border = |mask: &Mask| mask.difference(&mask.eroded(thickness_px));
    let (edit, part) = (border(&pair.mask_edit), border(&pair.mask_part));
    RgbaImage::from_fn(width, height, |x, y| match (edit.get(x, y), part.get(x, y)) {
        (true, _) => Rgba(EDIT_COLOR),
        (false, true) => Rgba(PART_COLOR),
        (false, false) => Rgba([0; 4]),
    })
}

fn encode_rgb(image: &RgbImage) -> Result<Blob, Failure> {
    encode(image.as_raw(), image.dimensions(), ExtendedColorType::Rgb8)
}

fn encode_rgba(image: &RgbaImage) -> Result<Blob, Failure> {
    encode(image.as_raw(), image.dimensions(), ExtendedColorType::Rgba8)
}

fn encode(bytes: &[u8], (width, height): (u32, u32), color: ExtendedColorType) -> Result<Blob, Failure> {
    let mut png = Vec::new();
    PngEncoder::new_with_quality(&mut png, CompressionType::Fast, FilterType::Adaptive)
        .write_image(bytes, width, height, color)
        .map_err(Failure::internal)?;
    Ok(Blob::new(png, PNG))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_amplified_and_cut() {
        let a = RgbImage::from_pixel(2, 1, Rgb([10, 200, 50]));
        let b = RgbImage::from_pixel(2, 1, Rgb([12, 100, 50]));
        let got = difference(&a, &b, Gain::new(8).unwrap());
        assert_eq!(got.get_pixel(1, 0), &Rgb([16, 255, 0]));
        assert_eq!(Gain::new(7), None);
    }
}
