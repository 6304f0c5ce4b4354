//! Threads and repeatability.

use std::ffi::{c_char, c_int};

use crate::native::call;
use crate::{Error, Result};

#[expect(unsafe_code, reason = "the C++ part is called")]
unsafe extern "C" {
    fn asap_set_deterministic(error: *mut *mut c_char) -> c_int;
}

/// Lets libtorch run operations in their repeatable form alone; one that has none fails from now on.
///
/// With CUDA, the variable CUBLAS_WORKSPACE_CONFIG must be `:4096:8` when the program starts; libtorch's message
/// says so at the first matrix product otherwise.
///
/// # Errors
/// [`Error::Torch`] where libtorch refuses.
#[expect(unsafe_code, reason = "the C++ part is called")]
pub fn set_deterministic() -> Result<()> {
    // SAFETY: no argument but the place of the message, which is made by `strdup`.
    unsafe {
        call("the switch to repeatable operations", |error| {
            asap_set_deterministic(error)
        })
    }
}

/// How many threads of the processor one operation uses. torchrun sets it to 1 where it starts several processes.
///
/// # Errors
/// [`Error::Argument`] where it is 0 or too large.
pub fn set_threads(n_threads: usize) -> Result<()> {
    match i32::try_from(n_threads) {
        Ok(n) if n > 0 => tch::set_num_threads(n),
        _ => {
            return Err(Error::argument(
                "threads of an operation",
                "1 to 2^31 - 1",
                n_threads,
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_are_set_and_none_is_refused() {
        let before = tch::get_num_threads();
        set_threads(1).unwrap();
        assert_eq!(tch::get_num_threads(), 1);
        tch::set_num_threads(before);
        assert!(set_threads(0).is_err());
    }

    #[test]
    fn what_has_no_repeatable_form_is_refused() {
        use tch::{Device, Kind, Tensor};
        // In a process of its own: the switch holds for all threads.
        if std::env::var_os("ASAP_TEST_DETERMINISTIC").is_none() {
            let own_path = std::env::current_exe().unwrap();
            let name = "runtime::switches::tests::what_has_no_repeatable_form_is_refused";
            let run = std::process::Command::new(own_path)
                .args(["--exact", name, "--nocapture"])
                .env("ASAP_TEST_DETERMINISTIC", "1")
                .output()
                .unwrap();
            assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
            return;
        }
        let to_set = Tensor::zeros([4], (Kind::Float, Device::Cpu));
        let places = Tensor::from_slice(&[1i64, 1]);
        let values = Tensor::from_slice(&[1f32, 2.0]);
        let put = || to_set.f_put(&places, &values, false);
        assert!(put().is_ok());
        set_deterministic().unwrap();
        let refused = put().unwrap_err().to_string();
        assert!(
            refused.contains("does not have a deterministic implementation"),
            "{refused}"
        );
    }
}
