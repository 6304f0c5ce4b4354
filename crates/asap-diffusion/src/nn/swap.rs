//! A linear layer whose frozen weight waits in the memory of the host.

use std::ffi::{c_char, c_int};
use std::ptr;

use tch::Tensor;

use crate::native::{TensorPtr, take_message};

#[expect(unsafe_code, reason = "the C++ part is called")]
unsafe extern "C" {
    fn asap_swapped_linear(
        x: TensorPtr,
        weight: TensorPtr,
        bias: TensorPtr,
        out: *mut TensorPtr,
        error: *mut *mut c_char,
    ) -> c_int;
}

/// `x W^T + b` with a copy of the weight where `x` is; it is freed when the layer has run. The gradient by `x` takes a
/// copy of its own, so between the passes the device has none. The weight itself gets no gradient.
///
/// # Panics
/// Where libtorch refuses; see [`guard`](crate::guard::guard).
#[expect(unsafe_code, reason = "the C++ part is called")]
pub(crate) fn swapped_linear(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Tensor {
    let pointer = |tensor: &Tensor| tensor.as_ptr().cast_mut();
    let mut out: TensorPtr = ptr::null_mut();
    let mut error: *mut c_char = ptr::null_mut();
    // SAFETY: the tensors live through the call; a missing bias is null.
    let code = unsafe {
        asap_swapped_linear(
            pointer(x),
            pointer(weight),
            bias.map_or(ptr::null_mut(), pointer),
            &raw mut out,
            &raw mut error,
        )
    };
    if code != 0 {
        // SAFETY: on failure the C++ part has left a message made by `strdup`.
        let message = unsafe { take_message(error) };
        panic!("Torch(\"{message}");
    }
    // SAFETY: on success the output is a new tensor that belongs to us.
    unsafe { Tensor::from_ptr(out) }
}

#[cfg(test)]
mod tests {
    use tch::{Device, Kind};

    use super::*;
    use crate::guard::guard;

    /// Result and gradient are those of libtorch's own layer, bit for bit.
    #[test]
    fn a_swapped_layer_is_the_layer() {
        for kind in [Kind::Float, Kind::BFloat16] {
            let random = |size: &[i64]| Tensor::randn(size, (Kind::Float, Device::Cpu)).to_kind(kind);
            let (weight, bias) = (random(&[24, 16]), random(&[24]));
            for (size, bias) in [
                (&[2i64, 7, 16][..], Some(&bias)),
                (&[2, 7, 16], None),
                (&[3, 16], Some(&bias)),
            ] {
                let both = [
                    |x: &Tensor, weight: &Tensor, bias: Option<&Tensor>| x.linear(weight, bias),
                    swapped_linear,
                ];
                let (x, seed) = (random(size), random(&[&size[..size.len() - 1], &[24]].concat()));
                let [plain, swapped] = both.map(|layer| {
                    let x = x.copy().set_requires_grad(true);
                    let y = layer(&x, &weight, bias);
                    (&y * &seed).sum(Kind::Float).backward();
                    (y.detach(), x.grad())
                });
                assert_eq!(plain, swapped);
            }
        }
    }

    /// A view of a weight that changes after the forward pass would give its gradient: a copy was not kept.
    #[test]
    fn what_waits_for_the_gradient_is_the_weight_itself() {
        let mut weight = Tensor::ones([2, 2], (Kind::Float, Device::Cpu));
        let x = Tensor::ones([1, 2], (Kind::Float, Device::Cpu)).set_requires_grad(true);
        let y = swapped_linear(&x, &weight, None);
        // By way of the data alone, which libtorch does not count as a change.
        weight.set_data(&Tensor::full([2, 2], 3.0, (Kind::Float, Device::Cpu)));
        y.sum(Kind::Float).backward();
        assert_eq!(x.grad(), Tensor::from_slice(&[6f32, 6.0]).reshape([1, 2]));
    }

    #[test]
    fn sizes_that_do_not_fit_are_an_error() {
        let zeros = |size: &[i64]| Tensor::zeros(size, (Kind::Float, Device::Cpu));
        let error = guard("a layer", || {
            swapped_linear(&zeros(&[1, 3]), &zeros(&[2, 2]), None)
        })
        .unwrap_err();
        assert!(error.to_string().contains("cannot be multiplied"), "{error}");
    }
}
