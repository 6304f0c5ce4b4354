//! How fast a device multiplies matrices.

use std::time::{Duration, Instant};

use tch::{Device, Tensor};

use crate::Result;
use crate::device::{Place, Precision};
use crate::guard::guard;

/// Rows of the matrices: large enough to fill a GPU, small enough for a processor.
const SIDE_CUDA: i64 = 8192;
const SIDE_CPU: i64 = 1024;
/// Products before the clock runs, in which libraries choose their kernels.
const N_WARM: usize = 2;
const PATIENCE: Duration = Duration::from_millis(400);

/// Products of square matrices, in floating-point operations per second, a multiplication and an addition as two.
///
/// The best of several: what else runs on the device makes some slower, and none faster. Takes about half a second.
///
/// # Errors
/// [`Error::Argument`](crate::Error::Argument) where there is no such device,
/// [`Error::OutOfMemory`](crate::Error::OutOfMemory), [`Error::Torch`](crate::Error::Torch).
pub fn matrix_flop_per_s(place: Place, precision: Precision) -> Result<f64> {
    let device = place.checked()?.device();
    guard("the speed of matrix products", || {
        let _off = tch::no_grad_guard();
        let side = match device {
            Device::Cuda(_) => SIDE_CUDA,
            _ => SIDE_CPU,
        };
        let matrix = Tensor::ones([side, side], (precision.kind(), device));
        for _ in 0..N_WARM {
            product_seconds(&matrix, device);
        }
        let began = Instant::now();
        let mut best = f64::INFINITY;
        while began.elapsed() < PATIENCE {
            best = best.min(product_seconds(&matrix, device));
        }
        2.0 * (side as f64).powi(3) / best
    })
}

fn product_seconds(matrix: &Tensor, device: Device) -> f64 {
    let began = Instant::now();
    let product = matrix.matmul(matrix);
    if let Device::Cuda(index) = device {
        tch::Cuda::synchronize(i64::try_from(index).unwrap_or_default());
    }
    drop(product);
    began.elapsed().as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Slower than any processor of this century would be a wrong unit, faster than any device a wrong clock.
    #[test]
    fn a_processor_multiplies_at_the_rate_of_a_processor() {
        let rate = matrix_flop_per_s(Place::Cpu, Precision::F32).unwrap();
        assert!((1e8..1e14).contains(&rate), "{rate}");
    }
}
