//! Shared objects that are opened at run time, so that one program starts with and without CUDA.

use std::ffi::{CStr, CString, c_void};
use std::path::{Path, PathBuf};
use std::ptr::NonNull;

use crate::{Error, Result};

/// Where libtorch was when this was built.
const LIBTORCH: &str = env!("ASAP_LIBTORCH_LIB");
/// Where csrc/nccl.cpp was built; empty where it was not.
const NCCL: &str = env!("ASAP_NCCL_LIBRARY");
const NCCL_NAME: &str = "libasap_nccl.so";

/// Opens libtorch's part for CUDA.
///
/// The first thing that a program does where its settings ask for CUDA: libtorch looks for this part once, at the
/// first question about devices, and remembers that there was none. Takes some 0.1 s and 250 MB, so a program for
/// the processor leaves it out.
///
/// # Errors
/// [`Error::Torch`] with what the system says, such as a libtorch without CUDA. That it opens does not say that
/// there is a device; see [`Place::checked`](crate::device::Place::checked).
pub fn open_libraries() -> Result<()> {
    let name = "libtorch_cuda.so";
    // First by the program's own search path, so that it comes from the folder of the libtorch that is loaded.
    Library::open(Path::new(name))
        .or_else(|_| Library::open(&Path::new(LIBTORCH).join(name)))
        .map(|_| ())
}

/// Whether [`Transport::Nccl`](crate::distributed::Transport::Nccl) can be asked for.
pub fn has_nccl() -> bool {
    nccl_path().is_some()
}

/// The part with NCCL, which opens libtorch's part for CUDA too.
pub(crate) fn nccl_library() -> Result<Library> {
    let Some(path) = nccl_path() else {
        return Err(Error::argument(
            "NCCL",
            "a build with CUDA's headers (ASAP_NCCL=1 says which are missing)",
            "a build without",
        ));
    };
    Library::open(&path)
}

/// Beside the program, or where it was built.
fn nccl_path() -> Option<PathBuf> {
    let program = std::env::current_exe().ok();
    let beside = program.and_then(|program| Some(program.parent()?.join(NCCL_NAME)));
    let built = (!NCCL.is_empty()).then(|| PathBuf::from(NCCL));
    [beside, built].into_iter().flatten().find(|path| path.is_file())
}

/// An open library. It stays open as long as the program: libtorch keeps pointers into it.
pub(crate) struct Library(NonNull<c_void>);

impl Library {
    #[expect(unsafe_code, reason = "the loader of the system is called")]
    fn open(path: &Path) -> Result<Self> {
        let during = || format!("the opening of `{}`", path.display());
        let Ok(name) = CString::new(path.as_os_str().as_encoded_bytes()) else {
            return Err(Error::argument(
                "the path of a library",
                "no zero byte",
                path.display(),
            ));
        };
        // SAFETY: libtorch's libraries may be loaded at any time from any thread.
        let handle = unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_NOW | libc::RTLD_GLOBAL) };
        NonNull::new(handle).map(Self).ok_or_else(|| Error::Torch {
            during: during(),
            message: loader_message(),
        })
    }

    /// The address of a function.
    #[expect(unsafe_code, reason = "the loader of the system is called")]
    pub(crate) fn symbol(&self, name: &CStr) -> Result<*mut c_void> {
        // SAFETY: the library is open.
        let found = unsafe { libc::dlsym(self.0.as_ptr(), name.as_ptr()) };
        if found.is_null() {
            let during = format!("a search for `{}`", name.to_string_lossy());
            let message = loader_message();
            return Err(Error::Torch { during, message });
        }
        Ok(found)
    }
}

#[expect(unsafe_code, reason = "the loader of the system is called")]
fn loader_message() -> String {
    // SAFETY: the text is the loader's own, of this thread, and is copied at once.
    unsafe {
        let message = libc::dlerror();
        if message.is_null() {
            return "the loader says nothing".to_owned();
        }
        CStr::from_ptr(message).to_string_lossy().into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_that_is_not_there_is_told_with_its_path() {
        let path = Path::new("/nonexistent/libtorch_cuda.so");
        let error = Library::open(path).map(|_| ()).unwrap_err().to_string();
        assert!(
            error.starts_with("libtorch failed in the opening of `/nonexistent/libtorch_cuda.so`: "),
            "{error}"
        );
        assert!(error.contains("No such file"), "{error}");
    }

    #[test]
    fn the_libtorch_of_the_build_is_found_and_searched() {
        let library = Library::open(&Path::new(LIBTORCH).join("libtorch_cpu.so")).unwrap();
        assert!(library.symbol(c"torch_call_dispatcher").is_ok());
        let error = library.symbol(c"asap_no_such_function").unwrap_err().to_string();
        assert!(error.contains("asap_no_such_function"), "{error}");
    }

    #[test]
    fn the_part_for_cuda_opens_where_libtorch_has_one() {
        // In a process of its own: what is open stays open, and must be first.
        if std::env::var_os("ASAP_TEST_OPEN").is_none() {
            let name = "runtime::library::tests::the_part_for_cuda_opens_where_libtorch_has_one";
            let run = std::process::Command::new(std::env::current_exe().unwrap())
                .args(["--exact", name, "--nocapture"])
                .env("ASAP_TEST_OPEN", "1")
                .output()
                .unwrap();
            assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
            return;
        }
        let is_installed = Path::new(LIBTORCH).join("libtorch_cuda.so").is_file();
        let opened = open_libraries();
        assert_eq!(opened.is_ok(), is_installed, "{opened:?}");
        // With the part, libtorch asks the driver; without, it would say that it cannot ask.
        let to_device = tch::Tensor::zeros([1], (tch::Kind::Float, tch::Device::Cpu));
        if let Err(error) = to_device.f_to_device(tch::Device::Cuda(100)) {
            let is_blind = error.to_string().contains("without ATen_cuda");
            assert_eq!(is_blind, !is_installed, "{error}");
        }
    }

    #[test]
    fn nccl_is_there_exactly_where_it_was_built() {
        assert_eq!(has_nccl(), !NCCL.is_empty());
        assert_eq!(nccl_library().is_ok(), has_nccl());
    }
}
