//! Gradients that are too long together are made shorter together.

use std::ffi::{c_char, c_int};

use tch::Tensor;

use crate::Result;
use crate::native::{TensorPtr, call, pointers};

#[expect(unsafe_code, reason = "the C++ part is called")]
unsafe extern "C" {
    fn asap_clip_grad_norm(
        gradients: *const TensorPtr,
        n: usize,
        max_norm: f64,
        total: *mut f64,
        error: *mut *mut c_char,
    ) -> c_int;
}

/// Scales the gradients in place so that their norm is at most `max_norm`; returns the norm before that.
///
/// `max_norm` may be infinite, to measure alone. A norm that is not finite comes back as it is, and the gradients
/// are not to be used then: the caller decides what a run does about it.
///
/// # Errors
/// [`Error::Torch`](crate::Error::Torch) where libtorch refuses, such as tensors on several devices.
///
/// # Source
/// `torch.nn.utils.clip_grad_norm_`: the Euclidean norm over all elements; the factor is
/// `max_norm / (norm + 1e-6)`, at most 1.
#[expect(unsafe_code, reason = "the C++ part is called")]
pub(crate) fn clip_grad_norm(gradients: &[Tensor], max_norm: f64) -> Result<f64> {
    let mut total = 0.0;
    if gradients.is_empty() {
        return Ok(total);
    }
    let pointers = pointers(gradients);
    // SAFETY: the tensors live through the call, and messages are made by `strdup`.
    unsafe {
        call("clipping of gradients", |error| {
            asap_clip_grad_norm(pointers.as_ptr(), pointers.len(), max_norm, &raw mut total, error)
        })?;
    }
    Ok(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gradient_that_is_not_finite_shows_in_the_norm() {
        let gradients = [Tensor::from_slice(&[1f32, 2.0]), Tensor::from_slice(&[f32::NAN])];
        assert!(clip_grad_norm(&gradients, 1.0).unwrap().is_nan());
        let gradients = [Tensor::from_slice(&[3f32]), Tensor::from_slice(&[4f32])];
        assert_eq!(clip_grad_norm(&gradients, f64::INFINITY).unwrap(), 5.0);
        assert_eq!(gradients[1].double_value(&[0]), 4.0, "measured, not clipped");
    }
}
