//! Builds without a GPU.

use candle_core::Device;

use crate::Result;

/// The processor.
#[expect(
    clippy::unnecessary_wraps,
    reason = "the same signature as with the feature `cuda`"
)]
pub(in crate::scorers) fn open() -> Result<Device> {
    Ok(Device::Cpu)
}
