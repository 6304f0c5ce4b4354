//! LPIPS inside and outside a mask.

use asap_core::{BoxPx, Mask, RegionStats};

use super::{Lpips, LpipsMap, LpipsNet, Pixels, differing_box};
use crate::{AREA_FLOOR_PX, Result, RgbView};

/// How LPIPS is attributed to the inside and the outside of a mask `M`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LpipsRule {
    /// Counterfactual images (the default): outside, the map of `x` and `where(M, x, y)` averaged over not-M;
    /// inside, the map of `x` and `where(M, y, x)` averaged over M. The outside is exactly 0 where nothing
    /// outside was changed.
    Composite,
    /// Means of the one map of `x` and `y` over M and over not-M. Differences inside leak up to 82 pixels
    /// (AlexNet) or 98 pixels (VGG16) into the outside; kept to compare with numbers that were computed so.
    Map,
    /// The distance of both images cut to the box of M, grown by half of the last tap's field and to 64 pixels at
    /// least. For small regions; there is no outside.
    Crop,
}

impl LpipsRule {
    /// The name with the network: `lpips/alex-v0.1/v1+composite`.
    pub fn profile(self, net: LpipsNet) -> String {
        let name = match self {
            Self::Composite => "composite",
            Self::Map => "map",
            Self::Crop => "crop",
        };
        format!("{}+{name}", net.profile())
    }
}

/// LPIPS of a pair on both sides of a mask.
#[derive(Clone, Debug, PartialEq)]
pub struct LpipsRegion {
    /// The network, the rule and the weights: `lpips/alex-v0.1/v1+composite@1f0c9d3a`.
    pub profile: String,
    /// Inside, `None` under [`AREA_FLOOR_PX`] pixels.
    pub inside: Option<f64>,
    /// Outside, `None` under [`AREA_FLOOR_PX`] pixels, or where the rule has none.
    pub outside: Option<f64>,
}

impl LpipsRegion {
    /// Fills the two numbers into statistics of the same mask, and names them in their profile.
    ///
    /// A profile that names an earlier LPIPS is given the new name instead.
    pub fn fill(&self, stats: &mut RegionStats) {
        stats.lpips_inside = self.inside;
        stats.lpips_outside = self.outside;
        let others = stats
            .profile
            .split(' ')
            .filter(|name| !name.starts_with("lpips/"));
        let names: Vec<&str> = others.chain([self.profile.as_str()]).collect();
        stats.profile = names.join(" ");
    }
}

impl Lpips {
    /// LPIPS of a pair inside and outside a mask.
    ///
    /// # Shapes
    /// Both images and the mask `width x height`, from [`LpipsNet::least_px`] on.
    ///
    /// # Units
    /// Those of [`Lpips::distance`].
    ///
    /// # Errors
    /// [`crate::Error::SizesDiffer`], [`crate::Error::LpipsTooSmall`].
    ///
    /// # Source
    /// Region LPIPS inside and outside of the paper's section 4.1, which names neither network nor rule.
    pub fn region(
        &self,
        preferred: RgbView<'_>,
        rejected: RgbView<'_>,
        mask: &Mask,
        rule: LpipsRule,
    ) -> Result<LpipsRegion> {
        let mut regions = self.regions(preferred, rejected, &[mask], rule)?;
        Ok(regions.pop().expect("as many results as masks"))
    }

    /// [`Lpips::region`] for several masks of one pair, in their order.
    ///
    /// Where nothing outside of the masks was changed, as in most pairs, they share one map.
    ///
    /// # Errors
    /// Those of [`Lpips::region`].
    pub fn regions(
        &self,
        preferred: RgbView<'_>,
        rejected: RgbView<'_>,
        masks: &[&Mask],
        rule: LpipsRule,
    ) -> Result<Vec<LpipsRegion>> {
        self.check("rejected image", preferred, (rejected.width(), rejected.height()))?;
        let mut whole = None;
        let each = masks.iter().map(|&mask| {
            self.check("mask", preferred, (mask.width(), mask.height()))?;
            let mut shared = |mask: &Mask| {
                let map = whole.get_or_insert_with(|| {
                    let [map] = self.maps(preferred, [(rejected, Pixels::All)]);
                    map
                });
                mean(map, mask)
            };
            let outside_mask = mask.complement();
            let is_outside_equal = || differing_box(preferred, rejected, Pixels::Outside(mask)).is_empty();
            let (inside, outside) = match rule {
                LpipsRule::Composite if is_outside_equal() => {
                    // `where(M, y, x)` is `y`, and `where(M, x, y)` is `x`.
                    let is_enough = outside_mask.area_px() >= AREA_FLOOR_PX;
                    (shared(mask), is_enough.then_some(0.0))
                }
                LpipsRule::Composite => {
                    let comparisons = [Pixels::Inside(mask), Pixels::Outside(mask)];
                    let [inside, outside] =
                        self.maps(preferred, comparisons.map(|pixels| (rejected, pixels)));
                    (mean(&inside, mask), mean(&outside, &outside_mask))
                }
                LpipsRule::Map => (shared(mask), shared(&outside_mask)),
                LpipsRule::Crop => (self.crop(preferred, rejected, mask)?, None),
            };
            Ok(LpipsRegion {
                profile: self.profile(rule),
                inside,
                outside,
            })
        });
        each.collect()
    }

    /// The name of a result: network, rule and the first digits of a hash over the weights.
    pub fn profile(&self, rule: LpipsRule) -> String {
        format!("{}@{}", rule.profile(self.net), self.weights_tag)
    }

    fn crop(&self, preferred: RgbView<'_>, rejected: RgbView<'_>, mask: &Mask) -> Result<Option<f64>> {
        if mask.area_px() < AREA_FLOOR_PX {
            return Ok(None);
        }
        let Some(bounds) = mask.bounds() else {
            return Ok(None);
        };
        let bounds = grown(bounds, self.net, (preferred.width(), preferred.height()));
        let [first, other] = [preferred, rejected].map(|image| cut(image, bounds));
        let first = RgbView::new(bounds.width(), bounds.height(), &first)?;
        let other = RgbView::new(bounds.width(), bounds.height(), &other)?;
        Ok(Some(self.distance(first, other)?.total))
    }
}

/// The box of the mask with what the last tap sees around it, at least 64 pixels a side, inside the image.
fn grown(bounds: BoxPx, net: LpipsNet, (width, height): (u32, u32)) -> BoxPx {
    const LEAST_PX: u32 = 64;
    // Half of 163 and of 196 pixels, the receptive fields of the last taps.
    let pad = match net {
        LpipsNet::Alex => 82,
        LpipsNet::Vgg => 98,
    };
    let along = |start: u32, end: u32, size: u32| {
        let (start, end) = (start.saturating_sub(pad), (end + pad).min(size));
        // At the image's edge the rest is taken from the other side.
        let end = end.max((start + LEAST_PX).min(size));
        (start.min(end.saturating_sub(LEAST_PX)), end)
    };
    let (x0, x1) = along(bounds.x0, bounds.x1, width);
    let (y0, y1) = along(bounds.y0, bounds.y1, height);
    BoxPx { x0, y0, x1, y1 }
}

fn cut(image: RgbView<'_>, bounds: BoxPx) -> Vec<u8> {
    let rows = bounds.y0..bounds.y1;
    rows.flat_map(|y| image.span(y as usize, bounds.x0 as usize, bounds.x1 as usize))
        .copied()
        .collect()
}

fn mean(map: &LpipsMap, mask: &Mask) -> Option<f64> {
    let marked = map.values().iter().zip(mask.bits()).filter(|(_, bit)| **bit);
    let (n, sum) = marked.fold((0_u64, 0.0), |(n, sum), (&value, _)| {
        (n + 1, sum + f64::from(value))
    });
    (n >= AREA_FLOOR_PX).then(|| sum / n as f64)
}
