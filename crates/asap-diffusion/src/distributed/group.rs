//! A group of processes and what they compute together.

use std::time::Duration;

use tch::{Device, Kind, Tensor};

use crate::distributed::ffi::Handle;
use crate::distributed::{Member, Transport};
use crate::guard::guard;
use crate::{Error, Result};

/// How long a process waits for the others, at the meeting and in each collective. One that has ended is noticed
/// at once; this is for one that hangs, and for a machine that is gone.
pub const TIMEOUT: Duration = Duration::from_secs(60);

/// Elements of one message: 64 MiB. Adapters have hundreds of small gradients, which travel together.
const BUCKET: usize = 1 << 24;

/// Processes that work together. All must make the same calls in the same order with the same sizes; after an
/// error the group is of no further use.
pub struct Group {
    member: Member,
    transport: Transport,
    handle: Handle,
}

impl Group {
    /// Meets the other processes over [`Transport::Gloo`], as the environment says; `None` where this process works
    /// alone.
    ///
    /// # Errors
    /// [`Error::Argument`] where the variables are wrong, [`Error::Torch`] where the others do not come within
    /// [`TIMEOUT`].
    pub fn from_env() -> Result<Option<Self>> {
        Member::from_env()?
            .map(|member| Self::meet(member, Transport::Gloo, TIMEOUT))
            .transpose()
    }

    /// Meets the other processes. `timeout` holds for the meeting and for each collective after it.
    ///
    /// # Errors
    /// [`Error::Torch`] where the others do not come in time, or where there is no NCCL.
    pub fn meet(member: Member, transport: Transport, timeout: Duration) -> Result<Self> {
        let handle = Handle::new(&member, transport, timeout)?;
        tracing::info!(
            rank = member.rank,
            size = member.size,
            ?transport,
            "the processes have met"
        );
        Ok(Self {
            member,
            transport,
            handle,
        })
    }

    /// The number of this process, from 0.
    pub fn rank(&self) -> usize {
        self.member.rank
    }

    /// How many processes there are.
    pub fn size(&self) -> usize {
        self.member.size
    }

    /// Replaces the numbers by their sums over the processes. All processes get the same bits.
    ///
    /// # Errors
    /// [`Error::Torch`] where another process has ended or does not answer in time.
    pub fn sum_f64(&self, values: &mut [f64]) -> Result<()> {
        let device = self.transport.device();
        let flat = guard("a sum over processes", || {
            Tensor::from_slice(values).to_device(device)
        })?;
        self.handle.all_reduce_sum(&flat)?;
        guard("a sum over processes", || {
            flat.to_device(Device::Cpu).copy_data(values, values.len());
        })
    }

    /// Waits until all processes are here.
    ///
    /// # Errors
    /// [`Error::Torch`] where another process has ended or does not come in time.
    pub fn barrier(&self) -> Result<()> {
        self.handle.barrier()
    }

    /// Replaces the tensors by their sums over the processes, in place. All processes get the same bits.
    ///
    /// # Errors
    /// [`Error::Argument`] where a tensor is not `f32`, [`Error::Torch`] where another process has ended or does not
    /// answer in time.
    pub(crate) fn sum(&self, tensors: &[Tensor]) -> Result<()> {
        self.in_buckets(tensors, |flat| self.handle.all_reduce_sum(flat))
    }

    /// Replaces the tensors by those of the process `root`, in place.
    ///
    /// # Errors
    /// As [`sum`](Self::sum).
    pub(crate) fn broadcast(&self, tensors: &[Tensor], root: usize) -> Result<()> {
        self.in_buckets(tensors, |flat| self.handle.broadcast(flat, root))
    }

    /// Hands the tensors to `collective` as flat buckets where the transport needs them, and copies them back.
    fn in_buckets(&self, tensors: &[Tensor], collective: impl Fn(&Tensor) -> Result<()>) -> Result<()> {
        if let Some(other) = tensors.iter().find(|tensor| tensor.kind() != Kind::Float) {
            let got = format!("{:?}", other.kind());
            return Err(Error::argument("a tensor that processes share", "f32", got));
        }
        for bucket in buckets(tensors) {
            let flat = guard("packing of a bucket", || {
                let _off = tch::no_grad_guard();
                let parts: Vec<Tensor> = bucket.iter().map(|tensor| tensor.reshape([-1])).collect();
                Tensor::cat(&parts, 0).to_device(self.transport.device())
            })?;
            collective(&flat)?;
            guard("unpacking of a bucket", || unpack(&flat, bucket))?;
        }
        Ok(())
    }
}

/// Neighbours up to [`BUCKET`] elements together; a larger tensor is alone.
fn buckets(tensors: &[Tensor]) -> impl Iterator<Item = &[Tensor]> {
    let mut rest = tensors;
    std::iter::from_fn(move || {
        let mut n_elements = 0;
        let fits = rest.iter().take_while(|tensor| {
            n_elements += tensor.numel();
            n_elements <= BUCKET
        });
        let n = fits.count().max(1).min(rest.len());
        let (bucket, after) = rest.split_at(n);
        rest = after;
        (!bucket.is_empty()).then_some(bucket)
    })
}

fn unpack(flat: &Tensor, bucket: &[Tensor]) {
    let _off = tch::no_grad_guard();
    let mut start = 0;
    for tensor in bucket {
        let n = tensor.numel() as i64;
        tensor
            .shallow_clone()
            .copy_(&flat.narrow(0, start, n).view_as(tensor));
        start += n;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_tensors_travel_together_and_large_ones_alone() {
        let sizes = [3, BUCKET as i64 - 3, 1, 2 * BUCKET as i64, 5];
        // Views of one number, so that nothing large is allocated.
        let one = Tensor::zeros([1], (Kind::Float, Device::Cpu));
        let tensors: Vec<Tensor> = sizes.iter().map(|&n| one.expand([n], false)).collect();
        let lengths: Vec<usize> = buckets(&tensors).map(<[Tensor]>::len).collect();
        assert_eq!(lengths, [2, 1, 1, 1]);
        assert_eq!(buckets(&[]).count(), 0);
    }
}
