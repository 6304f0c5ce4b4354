// The part that needs CUDA's headers and libtorch_cuda.so. It is a shared object of its own, opened at run time where
// a run asks for CUDA, so everything else starts without CUDA.
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAFunctions.h>
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>

#include "distributed.hpp"

// The size that libtorch 2.11 itself allocates: its layout follows the version of NCCL.
static_assert(sizeof(c10d::ProcessGroupNCCL) == 0x458, "another libtorch or another NCCL than torch was built with");

extern "C" Group* asap_nccl_new(const Meeting* meeting, int device, char** error) {
  ASAP_TRY(error, nullptr, {
    // Otherwise every process would also open a context on device 0.
    c10::cuda::set_device(static_cast<c10::DeviceIndex>(device));
    auto options = c10d::ProcessGroupNCCL::Options::create();
    options->timeout = std::chrono::milliseconds(meeting->timeout_ms);
    auto backend = c10::make_intrusive<c10d::ProcessGroupNCCL>(open_store(*meeting), meeting->rank, meeting->size,
                                                               std::move(options));
    backend->setBoundDeviceId(at::Device(at::kCUDA, static_cast<c10::DeviceIndex>(device)));
    return new Group{std::move(backend)};
  })
}

// Of this process, as torch's allocator counts it.
extern "C" int asap_cuda_allocated(int device, int64_t* used, int64_t* peak, char** error) {
  ASAP_TRY(error, -1, {
    auto stats =
        c10::cuda::CUDACachingAllocator::getDeviceStats(static_cast<c10::DeviceIndex>(device)).allocated_bytes[0];
    *used = stats.current;
    *peak = stats.peak;
    return 0;
  })
}
