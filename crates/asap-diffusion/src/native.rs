//! What all calls of the C++ part share: the pointers under tensors, and how a failure comes back.

use std::ffi::{CStr, c_char, c_int};
use std::ptr;

use tch::Tensor;
use torch_sys::C_tensor;

use crate::Result;
use crate::guard::error_of;

/// libtorch's own tensor.
pub(crate) type TensorPtr = *mut C_tensor;

/// The pointers live as long as the tensors.
pub(crate) fn pointers(tensors: &[Tensor]) -> Vec<TensorPtr> {
    tensors.iter().map(|tensor| tensor.as_ptr().cast_mut()).collect()
}

/// Runs `body` with a place for its message; a code other than 0 becomes an error that says `during` what.
///
/// # Safety
/// What `body` leaves in that place is a message made by `strdup`, or nothing.
#[expect(unsafe_code, reason = "a message of the C++ part is read")]
pub(crate) unsafe fn call(during: &str, body: impl FnOnce(*mut *mut c_char) -> c_int) -> Result<()> {
    let mut message: *mut c_char = ptr::null_mut();
    if body(&raw mut message) == 0 {
        return Ok(());
    }
    // SAFETY: the caller's promise.
    let message = unsafe { take_message(message) };
    let first = message.lines().next().unwrap_or_default();
    Err(error_of(during, first))
}

/// # Safety
/// `message` is null or made by `strdup`, and not used again.
#[expect(unsafe_code, reason = "a message of the C++ part is read and freed")]
pub(crate) unsafe fn take_message(message: *mut c_char) -> String {
    if message.is_null() {
        return "a failure without a message".to_owned();
    }
    // SAFETY: the caller has it from `strdup`, so it ends with 0 and `free` takes it.
    unsafe {
        let text = CStr::from_ptr(message).to_string_lossy().into_owned();
        libc::free(message.cast());
        text
    }
}
