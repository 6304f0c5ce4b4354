//! How much memory a run takes.

use std::ffi::{c_char, c_int};

use crate::device::Place;
use crate::native::call;
use crate::runtime::library::nccl_library;

/// Memory of a CUDA device, in bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct DeviceMemory {
    /// What tensors of this process take; where that is not known, what all processes take together.
    pub used_bytes: u64,
    /// The most that tensors of this process have taken. Known where NCCL's part was built.
    pub peak_bytes: Option<u64>,
    /// What the device has.
    pub total_bytes: u64,
}

/// Memory of a device; `None` for the processor and where CUDA does not answer.
pub fn device_memory(place: Place) -> Option<DeviceMemory> {
    let Place::Cuda(index) = place else {
        return None;
    };
    let device = c_int::try_from(index).ok()?;
    let (free, total) = whole_device(device)?;
    let own = own_tensors(device);
    Some(DeviceMemory {
        used_bytes: own.map_or(total - free.min(total), |(used, _)| used),
        peak_bytes: own.map(|(_, peak)| peak),
        total_bytes: total,
    })
}

/// The most memory that this process has had, in bytes; `None` where the system does not tell.
pub fn process_peak_bytes() -> Option<u64> {
    peak_in(&fs_err::read_to_string("/proc/self/status").ok()?)
}

fn peak_in(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

/// Free and total bytes by the CUDA runtime that libtorch has loaded; it is asked by name, so that a libtorch
/// without it is no failure.
#[expect(unsafe_code, reason = "the CUDA runtime is called")]
fn whole_device(device: c_int) -> Option<(u64, u64)> {
    type SetDevice = unsafe extern "C" fn(c_int) -> c_int;
    type GetDevice = unsafe extern "C" fn(*mut c_int) -> c_int;
    type MemGetInfo = unsafe extern "C" fn(*mut usize, *mut usize) -> c_int;
    let (mut before, mut free, mut total) = (0, 0usize, 0usize);
    // SAFETY: the three functions have had these signatures since CUDA 2; each writes to its arguments alone.
    unsafe {
        let find = |name: &std::ffi::CStr| {
            let found = libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr());
            (!found.is_null()).then_some(found)
        };
        let get_device: GetDevice = std::mem::transmute(find(c"cudaGetDevice")?);
        let set_device: SetDevice = std::mem::transmute(find(c"cudaSetDevice")?);
        let mem_get_info: MemGetInfo = std::mem::transmute(find(c"cudaMemGetInfo")?);
        if get_device(&raw mut before) != 0 || set_device(device) != 0 {
            return None;
        }
        let code = mem_get_info(&raw mut free, &raw mut total);
        // libtorch goes on with the device that it had.
        if set_device(before) != 0 || code != 0 {
            return None;
        }
    }
    Some((free as u64, total as u64))
}

/// Bytes now and at most, by libtorch's allocator.
#[expect(unsafe_code, reason = "the C++ part is called")]
fn own_tensors(device: c_int) -> Option<(u64, u64)> {
    type Allocated = unsafe extern "C" fn(c_int, *mut i64, *mut i64, *mut *mut c_char) -> c_int;
    let found = nccl_library().ok()?.symbol(c"asap_cuda_allocated").ok()?;
    let (mut used, mut peak) = (0, 0);
    // SAFETY: the symbol has this signature in csrc/nccl.cpp; messages are made by `strdup`.
    unsafe {
        let allocated: Allocated = std::mem::transmute(found);
        call("a question about memory", |error| {
            allocated(device, &raw mut used, &raw mut peak, error)
        })
        .ok()?;
    }
    Some((u64::try_from(used).ok()?, u64::try_from(peak).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_of_a_process_is_read_in_bytes() {
        assert_eq!(
            peak_in("Name:\tx\nVmHWM:\t  2048 kB\nVmRSS:\t 1 kB\n"),
            Some(2 << 20)
        );
        assert_eq!(peak_in("Name:\tx\n"), None);
        // libtorch alone takes more than this.
        assert!(process_peak_bytes().unwrap() > 10 << 20);
    }

    #[test]
    fn the_processor_and_a_device_that_is_not_there_have_no_device_memory() {
        assert_eq!(device_memory(Place::Cpu), None);
        assert_eq!(device_memory(Place::Cuda(4096)), None);
    }
}
