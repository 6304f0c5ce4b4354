//! Region metrics between the two images of a preference pair.
//!
//! A pair differs inside a mask, and the questions are how much inside and whether outside too. The main
//! entry is [`region_stats`], which fills [`asap_core::RegionStats`]; [`ssim`] and [`ssim_map`] look at whole
//! images, and [`psnr`] and [`laplacian_variance`] are what construction needs besides.
//!
//! SSIM is not one number: tools differ in window, border, colour and covariance, and by more than the effects
//! that are measured here. This crate has one profile, [`SSIM_PROFILE`], equal to scikit-image with the flags
//! of Wang et al. (2004) to better than 1e-9, and names it and the [`RegionRule`] in every result.
//!
//! It is quick for pairs because windows in which both images are equal have an SSIM of exactly 1 and are not
//! computed; the result is the same, to the last bit, as if they were. Bits depend neither on the number of
//! threads nor on the vector instructions that the machine has.
//!
//! ```
//! use asap_core::{Mask, StatRegion};
//! use asap_metrics::{RegionRule, RgbView, region_stats, ssim};
//!
//! # fn main() -> asap_metrics::Result<()> {
//! // A grey ramp, and the same with a square painted white.
//! let mask = Mask::from_fn(64, 48, |x, y| (20..36).contains(&x) && (16..32).contains(&y));
//! let ramp: Vec<u8> = (0..64 * 48).flat_map(|i| [(i % 64 * 3) as u8; 3]).collect();
//! let mut painted = ramp.clone();
//! for (pixel, _) in painted.chunks_exact_mut(3).zip(mask.bits()).filter(|(_, inside)| **inside) {
//!     pixel.fill(255);
//! }
//! let preferred = RgbView::new(64, 48, &ramp)?;
//! let rejected = RgbView::new(64, 48, &painted)?;
//!
//! let stats = region_stats(preferred, rejected, &mask, StatRegion::Edit, RegionRule::Composite)?;
//! assert_eq!(stats.profile, "ssim/wang11-rgb-valid/v1+composite");
//! assert_eq!(stats.ssim_outside, Some(1.0)); // nothing outside was touched
//! assert!(stats.ssim_inside < Some(0.7));
//! assert_eq!((stats.area_px, stats.changed_outside_px), (256, 0));
//! assert!(ssim(preferred, rejected)? > 0.7); // the whole image hides it
//! # Ok(())
//! # }
//! ```

mod difference;
mod error;
mod kernel;
mod lpips;
mod region;
mod scan;
pub mod scorers;
mod sharpness;
mod ssim;
mod view;
pub mod weights;

pub use difference::psnr;
pub use error::{Error, Result};
pub use lpips::{Lpips, LpipsDistance, LpipsFeatures, LpipsMap, LpipsNet, LpipsRegion, LpipsRule};
pub use region::{AREA_FLOOR_PX, RegionJob, RegionRule, region_stats, region_stats_many};
pub use sharpness::laplacian_variance;
pub use ssim::{BORDER_PX, SSIM_PROFILE, SsimMap, WINDOW_PX, ssim, ssim_map};
pub use view::RgbView;
