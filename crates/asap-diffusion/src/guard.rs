//! The border at which a failed tensor operation becomes an error.
//!
//! Inside, networks are written with tch's plain operations, which panic: so they read like their formulas. A
//! failure there is a full device or a mistake of ours; both come back from [`guard`] as [`Error`].

use std::any::Any;
use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

use crate::{Error, Result};

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// Runs `compute`; what panics inside comes back as an error that says `during` what.
///
/// Nothing is printed for such a panic; others are printed as always.
pub fn guard<T>(during: &str, compute: impl FnOnce() -> T) -> Result<T> {
    caught(compute).map_err(|message| error_of(during, &message))
}

/// As [`guard`], for a block that libtorch calls on a thread of its own: what panicked, in one line.
pub(crate) fn caught<T>(compute: impl FnOnce() -> T) -> std::result::Result<T, String> {
    hush_guarded_panics();
    DEPTH.set(DEPTH.get() + 1);
    let outcome = panic::catch_unwind(AssertUnwindSafe(compute));
    DEPTH.set(DEPTH.get() - 1);
    outcome.map_err(|payload| message_of(payload.as_ref()))
}

fn hush_guarded_panics() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if DEPTH.get() == 0 {
                usual(info);
            }
        }));
    });
}

fn message_of(payload: &(dyn Any + Send)) -> String {
    let text = payload
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| payload.downcast_ref::<&str>().copied())
        .unwrap_or("a panic without a message");
    // What tch unwraps is printed in its debug form, with libtorch's stack under the first line.
    let text = text.split_once("Torch(\"").map_or(text, |(_, rest)| rest);
    let first = text.split("\\n").next().unwrap_or(text);
    first
        .lines()
        .next()
        .unwrap_or(first)
        .trim_end_matches("\")")
        .to_owned()
}

/// The error for a message of libtorch.
pub(crate) fn error_of(during: &str, message: &str) -> Error {
    let during = during.to_owned();
    let message = message.to_owned();
    if message.contains("out of memory") || message.contains("can't allocate memory") {
        Error::OutOfMemory { during, message }
    } else {
        Error::Torch { during, message }
    }
}

#[cfg(test)]
mod tests {
    use tch::{Device, Kind, Tensor};

    use super::*;

    #[test]
    fn a_failed_operation_is_an_error_with_one_line() {
        let a = Tensor::zeros([2, 3], (Kind::Float, Device::Cpu));
        let error = guard("a product", || a.matmul(&a)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "libtorch failed in a product: mat1 and mat2 shapes cannot be multiplied (2x3 and 2x3)"
        );
    }

    #[test]
    fn too_large_a_tensor_is_out_of_memory() {
        let error = guard("an allocation", || {
            Tensor::zeros([1 << 50], (Kind::Float, Device::Cpu))
        });
        assert!(matches!(error, Err(Error::OutOfMemory { .. })), "{error:?}");
    }

    #[test]
    fn gradients_are_on_again_after_a_failure() {
        let a = Tensor::zeros([2, 3], (Kind::Float, Device::Cpu)).set_requires_grad(true);
        let failed = guard("a product", || {
            let _off = tch::no_grad_guard();
            a.matmul(&a)
        });
        assert!(failed.is_err());
        assert!((&a * 2.0).requires_grad());
    }
}
