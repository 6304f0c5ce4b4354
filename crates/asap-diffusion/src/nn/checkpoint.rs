//! Blocks that forget their activations and compute them again for the gradient.

use std::ffi::{CString, c_char, c_int, c_void};
use std::ptr;
use std::sync::Arc;

use tch::Tensor;

use crate::guard::caught;
use crate::native::{TensorPtr, pointers, take_message};

type Body = dyn Fn(&[Tensor]) -> Vec<Tensor>;

#[expect(unsafe_code, reason = "the C++ part is called")]
unsafe extern "C" {
    fn asap_checkpoint(
        body: extern "C" fn(*mut c_void, *const TensorPtr, usize, *mut TensorPtr, usize) -> *mut c_char,
        drop: extern "C" fn(*mut c_void),
        data: *mut c_void,
        inputs: *const TensorPtr,
        n_in: usize,
        outputs: *mut TensorPtr,
        n_out: usize,
        error: *mut *mut c_char,
    ) -> c_int;
}

/// Runs `body` without keeping its activations; the backward pass runs it once more.
///
/// `body` must be a pure function of its inputs and of weights that stay as they are until the backward pass.
/// One of the inputs must require a gradient, or none flows into the body. Leaves inside the body accumulate
/// into their own gradients, so the backward pass is `backward`, not `run_backward`.
///
/// # Panics
/// Where libtorch refuses; see [`guard`](crate::guard::guard).
#[expect(unsafe_code, reason = "the C++ part is called")]
pub(crate) fn checkpoint(body: Arc<Body>, inputs: &[Tensor], n_out: usize) -> Vec<Tensor> {
    let pointers = pointers(inputs);
    let mut outputs: Vec<TensorPtr> = vec![ptr::null_mut(); n_out];
    let mut error: *mut c_char = ptr::null_mut();
    let data = Box::into_raw(Box::new(body)).cast::<c_void>();
    // SAFETY: the pointers live through the call; `data` is owned by the C++ closure, which calls `forget` once.
    let code = unsafe {
        asap_checkpoint(
            call,
            forget,
            data,
            pointers.as_ptr(),
            pointers.len(),
            outputs.as_mut_ptr(),
            n_out,
            &raw mut error,
        )
    };
    if code != 0 {
        // SAFETY: on failure the C++ part has left a message made by `strdup`.
        let message = unsafe { take_message(error) };
        panic!("Torch(\"{message}");
    }
    // SAFETY: on success the outputs are `n_out` new tensors that belong to us.
    outputs
        .into_iter()
        .map(|pointer| unsafe { Tensor::from_ptr(pointer) })
        .collect()
}

#[expect(unsafe_code, reason = "called by the C++ part")]
extern "C" fn call(
    data: *mut c_void,
    inputs: *const TensorPtr,
    n_in: usize,
    outputs: *mut TensorPtr,
    n_out: usize,
) -> *mut c_char {
    let outcome = caught(|| {
        // SAFETY: `data` is the box of `checkpoint`, alive until `forget`; the arrays have the lengths told.
        unsafe {
            let body = &*data.cast::<Arc<Body>>();
            let inputs: Vec<Tensor> = (0..n_in)
                .map(|at| Tensor::clone_from_ptr(*inputs.add(at)))
                .collect();
            let results = body(&inputs);
            assert_eq!(results.len(), n_out, "tensors that a checkpointed block returns");
            for (at, mut result) in results.into_iter().enumerate() {
                *outputs.add(at) = result.as_mut_ptr();
                std::mem::forget(result);
            }
        }
    });
    match outcome {
        Ok(()) => ptr::null_mut(),
        // SAFETY: the text ends with 0; the C++ part frees the copy.
        Err(message) => unsafe { libc::strdup(CString::new(message).unwrap_or_default().as_ptr()) },
    }
}

#[expect(unsafe_code, reason = "called by the C++ part")]
extern "C" fn forget(data: *mut c_void) {
    // SAFETY: the box of `checkpoint`, dropped once.
    drop(unsafe { Box::from_raw(data.cast::<Arc<Body>>()) });
}

#[cfg(test)]
mod tests {
    use tch::{Device, Kind};

    use super::*;
    use crate::guard::guard;

    #[expect(
        clippy::arc_with_non_send_sync,
        reason = "the backward pass drops blocks on libtorch's threads, one at a time, while ours waits"
    )]
    #[test]
    fn gradients_are_those_of_the_plain_block() {
        let weight = Tensor::randn([4, 4], (Kind::Float, Device::Cpu)).set_requires_grad(true);
        let x = Tensor::randn([2, 4], (Kind::Float, Device::Cpu)).set_requires_grad(true);
        let block = |weight: &Tensor, x: &Tensor| x.matmul(weight).tanh().matmul(weight);

        block(&weight, &x).square().sum(Kind::Float).backward();
        let plain = [weight.grad().copy(), x.grad().copy()];
        let (mut weight_grad, mut x_grad) = (weight.grad(), x.grad());
        let (_, _) = (weight_grad.zero_(), x_grad.zero_());

        let inner = weight.shallow_clone();
        let body: Arc<Body> = Arc::new(move |inputs: &[Tensor]| vec![block(&inner, &inputs[0])]);
        let held = Arc::downgrade(&body);
        let y = checkpoint(body, &[x.shallow_clone()], 1).remove(0);
        assert!(y.requires_grad());
        y.square().sum(Kind::Float).backward();
        assert_eq!(plain[0], weight.grad());
        assert_eq!(plain[1], x.grad());
        drop(y);
        assert!(held.upgrade().is_none(), "the block is freed with its graph");
    }

    #[test]
    fn a_panic_inside_is_an_error_outside() {
        let x = Tensor::zeros([2], (Kind::Float, Device::Cpu)).set_requires_grad(true);
        let body: Arc<Body> = Arc::new(|_: &[Tensor]| panic!("inside"));
        let error = guard("a block", || checkpoint(body, &[x], 1)).unwrap_err();
        assert!(error.to_string().contains("inside"), "{error}");
    }
}
