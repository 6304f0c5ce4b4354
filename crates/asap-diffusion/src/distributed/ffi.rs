//! The calls of csrc/distributed.cpp and csrc/nccl.cpp.

use std::ffi::{CStr, c_char, c_int};
use std::marker::{PhantomData, PhantomPinned};
use std::ptr::{self, NonNull};
use std::time::Duration;

use tch::Tensor;

use crate::distributed::{Member, Transport};
use crate::native::{TensorPtr, call};
use crate::runtime::nccl_library;
use crate::{Error, Result};

/// Keys of this toolkit in a store that others may share.
const PREFIX: &CStr = c"asap";

#[repr(C)]
struct RawGroup {
    _opaque: [u8; 0],
    _neither_send_nor_sync: PhantomData<(*mut u8, PhantomPinned)>,
}

/// As csrc/distributed.hpp lays it out.
#[repr(C)]
struct Meeting {
    host: *const c_char,
    prefix: *const c_char,
    timeout_ms: i64,
    port: i32,
    rank: i32,
    size: i32,
    hosts_store: i32,
}

type NcclNew = unsafe extern "C" fn(*const Meeting, c_int, *mut *mut c_char) -> *mut RawGroup;

#[expect(unsafe_code, reason = "the C++ part is called")]
unsafe extern "C" {
    fn asap_gloo_new(meeting: *const Meeting, error: *mut *mut c_char) -> *mut RawGroup;
    fn asap_all_reduce_sum(group: *mut RawGroup, tensor: TensorPtr, error: *mut *mut c_char) -> c_int;
    fn asap_broadcast(group: *mut RawGroup, tensor: TensorPtr, root: c_int, error: *mut *mut c_char)
    -> c_int;
    fn asap_barrier(group: *mut RawGroup, error: *mut *mut c_char) -> c_int;
    fn asap_group_free(group: *mut RawGroup);
}

/// A process group of libtorch.
pub(super) struct Handle(NonNull<RawGroup>);

#[expect(unsafe_code, reason = "the group belongs to no thread")]
// SAFETY: libtorch's groups may be used from any thread, one call at a time; there is no `Sync`.
unsafe impl Send for Handle {}

impl Handle {
    #[expect(unsafe_code, reason = "the C++ part is called")]
    pub(super) fn new(member: &Member, transport: Transport, timeout: Duration) -> Result<Self> {
        let meeting = Meeting {
            host: member.host.as_ptr(),
            prefix: PREFIX.as_ptr(),
            timeout_ms: i64::try_from(timeout.as_millis()).unwrap_or(i64::MAX),
            port: i32::from(member.port),
            rank: int("RANK", member.rank)?,
            size: int("WORLD_SIZE", member.size)?,
            hosts_store: i32::from(member.hosts_store),
        };
        let mut group = ptr::null_mut();
        match transport {
            // SAFETY: `meeting` and its texts live through the call; messages are made by `strdup`.
            Transport::Gloo => unsafe {
                call("the meeting of processes", |error| {
                    group = asap_gloo_new(&raw const meeting, error);
                    c_int::from(group.is_null())
                })?;
            },
            Transport::Nccl { device } => {
                let device = int("the CUDA device", device)?;
                let new = nccl_library()?.symbol(c"asap_nccl_new")?;
                // SAFETY: the symbol has this signature in csrc/nccl.cpp; the rest as above.
                unsafe {
                    let new: NcclNew = std::mem::transmute(new);
                    call("the meeting of processes", |error| {
                        group = new(&raw const meeting, device, error);
                        c_int::from(group.is_null())
                    })?;
                }
            }
        }
        NonNull::new(group)
            .map(Self)
            .ok_or_else(|| Error::argument("a process group", "a pointer", "none"))
    }

    #[expect(unsafe_code, reason = "the C++ part is called")]
    pub(super) fn all_reduce_sum(&self, tensor: &Tensor) -> Result<()> {
        let (group, tensor) = (self.0.as_ptr(), tensor.as_ptr().cast_mut());
        // SAFETY: both are alive; messages are made by `strdup`.
        unsafe {
            call("a sum over processes", |error| {
                asap_all_reduce_sum(group, tensor, error)
            })
        }
    }

    #[expect(unsafe_code, reason = "the C++ part is called")]
    pub(super) fn broadcast(&self, tensor: &Tensor, root: usize) -> Result<()> {
        let root = int("the process that tells", root)?;
        let (group, tensor) = (self.0.as_ptr(), tensor.as_ptr().cast_mut());
        // SAFETY: both are alive; messages are made by `strdup`.
        unsafe {
            call("a broadcast to processes", |error| {
                asap_broadcast(group, tensor, root, error)
            })
        }
    }

    #[expect(unsafe_code, reason = "the C++ part is called")]
    pub(super) fn barrier(&self) -> Result<()> {
        // SAFETY: the group is alive; messages are made by `strdup`.
        unsafe {
            call("waiting for the other processes", |error| {
                asap_barrier(self.0.as_ptr(), error)
            })
        }
    }
}

impl Drop for Handle {
    #[expect(unsafe_code, reason = "the C++ part is called")]
    fn drop(&mut self) {
        // SAFETY: made by `new` of the C++ part, and not used again.
        unsafe { asap_group_free(self.0.as_ptr()) }
    }
}

fn int(what: &'static str, value: usize) -> Result<i32> {
    match i32::try_from(value) {
        Ok(value) => Ok(value),
        Err(_) => Err(Error::argument(what, "a number below 2^31", value)),
    }
}
