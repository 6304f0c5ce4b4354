//! Builds for NVIDIA GPUs.

use candle_core::Device;

use crate::Result;

/// The first GPU that `CUDA_VISIBLE_DEVICES` leaves visible. A build with this feature was made for a GPU, so a
/// machine without one is an error and no silent, fifty times slower run.
pub(in crate::scorers) fn open() -> Result<Device> {
    Ok(Device::new_cuda(0)?)
}
