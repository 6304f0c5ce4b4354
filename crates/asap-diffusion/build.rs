//! Compiles the C++ part against libtorch's headers and tells where libtorch is.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

fn main() {
    // torch-sys has `links = "tch"` and prints where it found the libraries.
    let lib = PathBuf::from(
        env::var("DEP_TCH_LIBTORCH_LIB").expect("torch-sys is a direct dependency and tells its folder"),
    );
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=csrc");
    compiler(&lib)
        .define("USE_C10D_GLOO", None)
        .include("csrc/gloo_stub")
        .files([
            "csrc/autograd.cpp",
            "csrc/distributed.cpp",
            "csrc/optim.cpp",
            "csrc/runtime.cpp",
        ])
        .compile("asap_diffusion");
    let nccl = nccl(&lib).map_or_else(String::new, |path| path.display().to_string());
    println!("cargo:rustc-env=ASAP_NCCL_LIBRARY={nccl}");
    let lib = lib.display();
    println!("cargo:rustc-env=ASAP_LIBTORCH_LIB={lib}");
    println!("cargo:libtorch_lib={lib}");
    // The tests of this crate start without LD_LIBRARY_PATH.
    println!("cargo:rustc-link-arg=-Wl,-rpath,{lib}");
}

fn compiler(lib: &Path) -> cc::Build {
    let include = lib.join("../include");
    let mut build = cc::Build::new();
    build
        .cpp(true)
        .std("c++17")
        .warnings(false)
        .opt_level(2)
        .include(&include)
        .include(include.join("torch/csrc/api/include"));
    build
}

/// Builds csrc/nccl.cpp as a shared object where CUDA's headers are found, and says where it is.
///
/// torch's wheels bring the headers of CUDA and NCCL, but not `crt/` and `nv/`, which CUDA's include: those come
/// with the toolkit, or with the wheels nvidia-cuda-crt and nvidia-cuda-cccl. With ASAP_NCCL=1 a missing header is
/// told, without it NCCL is left out in silence: Gloo serves all that is computed.
fn nccl(lib: &Path) -> Option<PathBuf> {
    println!("cargo:rerun-if-env-changed=ASAP_NCCL");
    println!("cargo:rerun-if-env-changed=CUDA_HOME");
    let toolkit = env::var_os("CUDA_HOME").map_or_else(|| PathBuf::from("/usr/local/cuda"), PathBuf::from);
    let wheels = lib.join("../../nvidia");
    // The wheels first: their versions are those that torch was built with.
    let folders = [
        wheels.join("cu13/include"),
        wheels.join("nccl/include"),
        toolkit.join("include"),
        toolkit.join("include/cccl"),
    ];
    let headers = ["cuda_runtime_api.h", "nccl.h", "crt/host_config.h", "nv/target"];
    let is_missing = |header: &&str| !folders.iter().any(|folder| folder.join(header).is_file());
    let missing: Vec<&str> = headers.into_iter().filter(is_missing).collect();
    if !missing.is_empty() {
        if env::var("ASAP_NCCL").is_ok_and(|value| value == "1") {
            println!(
                "cargo:warning=NCCL is left out, for want of the headers {}",
                missing.join(", ")
            );
        }
        return None;
    }
    let path = PathBuf::from(env::var_os("OUT_DIR")?).join("libasap_nccl.so");
    let mut command: Command = compiler(lib)
        .define("USE_C10D_NCCL", None)
        .includes(folders.iter().filter(|folder| folder.is_dir()))
        .get_compiler()
        .to_command();
    let status = command
        .args(["-shared", "csrc/nccl.cpp", "-o"])
        .arg(&path)
        .arg(format!("-L{}", lib.display()))
        .args([
            "-Wl,--no-as-needed",
            "-ltorch_cuda",
            "-Wl,--as-needed",
            "-ltorch_cpu",
            "-lc10_cuda",
            "-lc10",
        ])
        .arg(format!("-Wl,-rpath,{}", lib.display()))
        .status()
        .expect("the compiler of the other C++ files starts");
    if status.success() {
        return Some(path);
    }
    // Gloo serves all devices: a CUDA toolkit that does not fit is no reason to build nothing.
    println!(
        "cargo:warning=NCCL is left out: csrc/nccl.cpp does not compile with the CUDA headers found here"
    );
    None
}
