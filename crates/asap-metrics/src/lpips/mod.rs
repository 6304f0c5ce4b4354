//! LPIPS: how different two images look, by features of a network for recognising things.
//!
//! [`Lpips`] is a loaded network; [`Lpips::distance`] is the number that papers report, [`Lpips::map`] says where,
//! and [`Lpips::region`] splits it at a mask. It equals the PyPI package `lpips` 0.1.4, version 0.1 of the heads, to
//! better than 1e-5 of its value. The network and the [`LpipsRule`] are part of every result's name.
//!
//! Features see far: 51 pixels at the second tap of AlexNet, 163 at the last. So the mean of a map outside a mask
//! is not 0 even where nothing outside was changed. [`LpipsRule::Composite`], the default, does not have this leak.
//!
//! It is quick for pairs because features that see no difference are equal, to the last bit, and are not
//! computed. Bits depend on neither the number of threads nor on which box is computed; machines with and
//! without fused multiply-add differ by rounding.

mod conv;
mod heads;
mod plane;
mod region;
mod span;
mod trunk;

use asap_core::Mask;

pub use region::{LpipsRegion, LpipsRule};

use self::heads::{Heads, TapMap};
use self::plane::Plane;
use self::span::Span;
use self::trunk::{Kind, N_TAPS, Other, Trunk};
use crate::weights::{Network, WeightsDir, network, sha256_of};
use crate::{Error, Result, RgbView};

/// Which network the features are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LpipsNet {
    /// AlexNet: the reference's default, closest to people's judgement, and about 24 times less work.
    Alex,
    /// VGG16.
    Vgg,
}

impl LpipsNet {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Alex, Self::Vgg];

    /// The name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Alex => "alex",
            Self::Vgg => "vgg",
        }
    }

    /// Network, version of the heads and version of this code: `lpips/alex-v0.1/v1`.
    pub const fn profile(self) -> &'static str {
        match self {
            Self::Alex => "lpips/alex-v0.1/v1",
            Self::Vgg => "lpips/vgg-v0.1/v1",
        }
    }

    /// The two files of weights that it needs: the trunk and the heads.
    pub fn networks(self) -> [&'static Network; 2] {
        let names = match self {
            Self::Alex => ["alexnet", "lpips-alex"],
            Self::Vgg => ["vgg16", "lpips-vgg"],
        };
        names.map(|name| network(name).expect("a test finds both in the manifest"))
    }

    /// The sides of the smallest square image that every layer has an output for.
    pub fn least_px(self) -> u32 {
        Trunk::least_px(self.kind())
    }

    const fn kind(self) -> Kind {
        match self {
            Self::Alex => Kind::Alex,
            Self::Vgg => Kind::Vgg,
        }
    }
}

/// A loaded network. It holds no state: one serves any number of threads.
#[derive(Debug)]
pub struct Lpips {
    net: LpipsNet,
    trunk: Trunk,
    heads: Heads,
    weights_sha256: Vec<(String, String)>,
    /// Eight digits that tell the weights apart.
    weights_tag: String,
}

/// A distance and where it comes from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LpipsDistance {
    /// The distance: the sum of the layers.
    pub total: f64,
    /// The mean over each layer's map.
    pub layers: [f64; N_TAPS],
}

/// Where two images look different.
#[derive(Clone, Debug, PartialEq)]
pub struct LpipsMap {
    width: u32,
    height: u32,
    values: Vec<f32>,
}

impl LpipsMap {
    /// Columns.
    pub const fn width(&self) -> u32 {
        self.width
    }

    /// Rows.
    pub const fn height(&self) -> u32 {
        self.height
    }

    /// The values, row by row, as many as the images have pixels.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// The mean over the image. It differs from [`LpipsDistance::total`]: enlarging weighs the rim differently.
    pub fn mean(&self) -> f64 {
        let sum: f64 = self.values.iter().map(|&value| f64::from(value)).sum();
        sum / self.values.len() as f64
    }
}

/// The features of an image at one tap, after ReLU.
#[derive(Clone, Debug, PartialEq)]
pub struct LpipsFeatures {
    /// Channels, rows, columns.
    pub shape: [usize; 3],
    /// Channel by channel, row by row.
    pub values: Vec<f32>,
}

/// Which pixels of the second image count; at the others it is taken to equal the first.
#[derive(Clone, Copy)]
enum Pixels<'a> {
    All,
    Inside(&'a Mask),
    Outside(&'a Mask),
}

impl Pixels<'_> {
    fn count_at(self, pixel_idx: usize) -> bool {
        match self {
            Self::All => true,
            Self::Inside(mask) => mask.bits()[pixel_idx],
            Self::Outside(mask) => !mask.bits()[pixel_idx],
        }
    }
}

impl Lpips {
    /// Loads a network from a folder of weights.
    ///
    /// # Errors
    /// [`Error::Weights`] where a file is missing, damaged, not the pinned one or of another network.
    pub fn load(dir: &WeightsDir, net: LpipsNet) -> Result<Self> {
        let [trunk_network, heads_network] = net.networks();
        let trunk_weights = dir.load(trunk_network)?;
        let heads_weights = dir.load(heads_network)?;
        let trunk = Trunk::new(net.kind(), &trunk_weights)?;
        let heads = Heads::new(trunk.channels(), &heads_weights)?;
        let hash = |network: &Network, sha256: &str| (network.file.clone(), sha256.to_owned());
        let hashes = [trunk_weights.sha256(), heads_weights.sha256()];
        let mut weights_tag = sha256_of(hashes.concat().as_bytes());
        weights_tag.truncate(8);
        Ok(Self {
            net,
            trunk,
            heads,
            weights_sha256: vec![hash(trunk_network, hashes[0]), hash(heads_network, hashes[1])],
            weights_tag,
        })
    }

    /// The network.
    pub const fn net(&self) -> LpipsNet {
        self.net
    }

    /// The SHA-256 of each file of weights, by file name.
    pub fn weights_sha256(&self) -> &[(String, String)] {
        &self.weights_sha256
    }

    /// The distance of two images.
    ///
    /// # Shapes
    /// Both images `width x height`, of any size from [`LpipsNet::least_px`] on.
    ///
    /// # Units
    /// 0 for equal images; otherwise positive, without a unit and without an upper bound. Symmetric but for
    /// rounding.
    ///
    /// # Errors
    /// [`Error::SizesDiffer`], [`Error::LpipsTooSmall`].
    ///
    /// # Source
    /// Zhang et al. 2018, equation 1; `lpips.LPIPS(net, version="0.1")` of the PyPI package `lpips` 0.1.4 on images
    /// scaled to -1..1.
    pub fn distance(&self, first: RgbView<'_>, other: RgbView<'_>) -> Result<LpipsDistance> {
        self.check("other image", first, (other.width(), other.height()))?;
        let [taps] = self.compare(first, [(other, Pixels::All)]);
        let layers = taps.map(|tap| tap.mean());
        Ok(LpipsDistance {
            total: layers.iter().sum(),
            layers,
        })
    }

    /// Where two images look different: the sum of the layers' maps, enlarged to the size of the images.
    ///
    /// # Errors
    /// Those of [`Lpips::distance`].
    ///
    /// # Source
    /// `lpips.LPIPS(net, version="0.1", spatial=True)`.
    pub fn map(&self, first: RgbView<'_>, other: RgbView<'_>) -> Result<LpipsMap> {
        self.check("other image", first, (other.width(), other.height()))?;
        let [map] = self.maps(first, [(other, Pixels::All)]);
        Ok(map)
    }

    /// The features of an image at the five taps, to compare this network with another implementation of it.
    ///
    /// # Errors
    /// [`Error::LpipsTooSmall`].
    ///
    /// # Source
    /// `LPIPS.net` of the reference, on the output of its `scaling_layer`.
    pub fn features(&self, image: RgbView<'_>) -> Result<Vec<LpipsFeatures>> {
        self.check("image", image, (image.width(), image.height()))?;
        let whole = Span {
            rows: 0..image.height() as usize,
            columns: 0..image.width() as usize,
        };
        let plane = || scaled(image, image, Pixels::All, &whole, self.trunk.rim());
        let other = Other {
            image: plane(),
            differs: whole.clone(),
        };
        let mut taps = Vec::with_capacity(N_TAPS);
        self.trunk.run(plane(), vec![other], |_, _, first, _, _| {
            taps.push(unblocked(first))
        });
        Ok(taps)
    }

    fn check(&self, what: &'static str, first: RgbView<'_>, other: (u32, u32)) -> Result<()> {
        first.check_same_size(what, other)?;
        let least_px = self.net.least_px();
        if first.width() < least_px || first.height() < least_px {
            return Err(Error::LpipsTooSmall {
                net: self.net.name(),
                width: first.width(),
                height: first.height(),
                least_px,
            });
        }
        Ok(())
    }

    /// The map of each comparison with the first image.
    fn maps<const N: usize>(
        &self,
        first: RgbView<'_>,
        others: [(RgbView<'_>, Pixels<'_>); N],
    ) -> [LpipsMap; N] {
        let size = (first.height() as usize, first.width() as usize);
        self.compare(first, others).map(|taps| {
            let mut values = vec![0.0; size.0 * size.1];
            for tap in &taps {
                tap.add_enlarged(&mut values, size);
            }
            LpipsMap {
                width: first.width(),
                height: first.height(),
                values,
            }
        })
    }

    /// The taps' maps of each comparison with the first image, whose features are computed once.
    fn compare<const N: usize>(
        &self,
        first: RgbView<'_>,
        others: [(RgbView<'_>, Pixels<'_>); N],
    ) -> [[TapMap; N_TAPS]; N] {
        let size = (first.height() as usize, first.width() as usize);
        let differs = others.map(|(other, pixels)| differing_box(first, other, pixels));
        let needed = self.trunk.needed(size, &differs);
        let rim = self.trunk.rim();
        let nothing = || TapMap {
            size: (1, 1),
            span: Span::EMPTY,
            values: Vec::new(),
        };
        let mut maps: [[TapMap; N_TAPS]; N] = std::array::from_fn(|_| std::array::from_fn(|_| nothing()));
        if needed.is_empty() {
            return maps;
        }
        let image = scaled(first, first, Pixels::All, &needed, rim);
        let others = others
            .iter()
            .zip(differs)
            .map(|(&(other, pixels), differs)| Other {
                image: scaled(first, other, pixels, &needed, rim),
                differs,
            })
            .collect();
        self.trunk.run(image, others, |tap, other, first, second, span| {
            maps[other][tap] = self.heads.compare(tap, first, second, span);
        });
        maps
    }
}

/// Features in the order of their channels.
fn unblocked(plane: &Plane) -> LpipsFeatures {
    let (height, width) = plane.size;
    let n_channels = plane.n_blocks * plane.block;
    let mut values = Vec::with_capacity(n_channels * height * width);
    for channel in 0..n_channels {
        let (block, lane) = (channel / plane.block, channel % plane.block);
        for row in 0..height {
            values.extend((0..width).map(|column| plane.lane(block, row, column)[lane]));
        }
    }
    LpipsFeatures {
        shape: [n_channels, height, width],
        values,
    }
}

/// The smallest box that holds the pixels that count and differ.
fn differing_box(first: RgbView<'_>, other: RgbView<'_>, pixels: Pixels<'_>) -> Span {
    let (height, width) = (first.height() as usize, first.width() as usize);
    let mut span = Span::EMPTY;
    for row in 0..height {
        let (a, b) = (first.row(row), other.row(row));
        if a == b {
            continue;
        }
        let differs = |column: usize| {
            let at = column * 3..column * 3 + 3;
            pixels.count_at(row * width + column) && a[at.clone()] != b[at]
        };
        let Some(start) = (0..width).find(|&column| differs(column)) else {
            continue;
        };
        let last = (start..width).rfind(|&column| differs(column)).unwrap_or(start);
        span = span.union(&Span {
            rows: row..row + 1,
            columns: start..last + 1,
        });
    }
    span
}

/// A box of an image as the network takes it: scaled to -1..1, then by mean and deviation of each channel.
///
/// # Source
/// `lpips.im2tensor` and `ScalingLayer` of the reference, in its order of operations.
fn scaled(first: RgbView<'_>, other: RgbView<'_>, pixels: Pixels<'_>, span: &Span, rim: usize) -> Plane {
    const SHIFT: [f32; 3] = [-0.030, -0.088, -0.188];
    const SCALE: [f32; 3] = [0.458, 0.448, 0.450];
    let table: [[f32; 3]; 256] = std::array::from_fn(|level| {
        std::array::from_fn(|channel| (level as f32 / 127.5 - 1.0 - SHIFT[channel]) / SCALE[channel])
    });
    let width = first.width() as usize;
    let size = (first.height() as usize, width);
    let mut plane = Plane::zeros(size, span.clone(), (1, 3), rim);
    for row in span.rows.clone() {
        for column in span.columns.clone() {
            let image = if pixels.count_at(row * width + column) {
                other
            } else {
                first
            };
            let rgb = image.span(row, column, column + 1);
            let at = plane.offset_with_rim(0, row + rim, column + rim);
            for channel in 0..3 {
                plane.data[at + channel] = table[rgb[channel] as usize][channel];
            }
        }
    }
    plane
}
