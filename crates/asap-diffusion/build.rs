//! Compiles the C++ part against libtorch's headers and tells where libtorch is.

use std::env;
use std::path::PathBuf;

fn main() {
    // torch-sys has `links = "tch"` and prints where it found the libraries.
    let lib =
        env::var("DEP_TCH_LIBTORCH_LIB").expect("torch-sys is a direct dependency and tells its folder");
    let include = PathBuf::from(&lib).join("../include");
    println!("cargo:rerun-if-changed=csrc");
    cc::Build::new()
        .cpp(true)
        .std("c++17")
        .warnings(false)
        .opt_level(2)
        .include(&include)
        .include(include.join("torch/csrc/api/include"))
        .files(["csrc/autograd.cpp", "csrc/optim.cpp"])
        .compile("asap_diffusion");
    println!("cargo:libtorch_lib={lib}");
    // The tests of this crate start without LD_LIBRARY_PATH.
    println!("cargo:rustc-link-arg=-Wl,-rpath,{lib}");
}
