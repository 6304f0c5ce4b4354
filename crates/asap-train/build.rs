//! Tells programs and tests of this package where libtorch is, so that they start without LD_LIBRARY_PATH.

fn main() {
    // `asap-diffusion` links libtorch and tells its folder.
    if let Ok(lib) = std::env::var("DEP_ASAP_DIFFUSION_LIBTORCH_LIB") {
        println!("cargo:rustc-link-arg=-Wl,-rpath,{lib}");
    }
    println!("cargo:rerun-if-changed=build.rs");
}
