// torch's own process groups. Collectives go through the virtual `Backend`, so they serve Gloo and NCCL.
#include "distributed.hpp"

#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>

// Against the declarations in gloo_stub: the sizes that libtorch 2.11 itself allocates.
static_assert(sizeof(c10d::ProcessGroupGloo) == 0x1e8, "another libtorch: check gloo_stub against its Gloo");
static_assert(sizeof(c10d::ProcessGroupGloo::Options) == 0xb0, "another libtorch: check gloo_stub against its Gloo");

extern "C" Group* asap_gloo_new(const Meeting* meeting, char** error) {
  ASAP_TRY(error, nullptr, {
    // Reads GLOO_SOCKET_IFNAME.
    auto options =
        c10d::ProcessGroupGloo::Options::create_default(std::chrono::milliseconds(meeting->timeout_ms));
    return new Group{c10::make_intrusive<c10d::ProcessGroupGloo>(open_store(*meeting), meeting->rank, meeting->size,
                                                                 std::move(options))};
  })
}

extern "C" int asap_all_reduce_sum(Group* group, at::Tensor* tensor, char** error) {
  ASAP_TRY(error, -1, {
    std::vector<at::Tensor> one{*tensor};
    group->backend->allreduce(one)->wait();
    return 0;
  })
}

extern "C" int asap_broadcast(Group* group, at::Tensor* tensor, int root, char** error) {
  ASAP_TRY(error, -1, {
    c10d::BroadcastOptions options;
    options.rootRank = root;
    std::vector<at::Tensor> one{*tensor};
    group->backend->broadcast(one, options)->wait();
    return 0;
  })
}

extern "C" int asap_barrier(Group* group, char** error) {
  ASAP_TRY(error, -1, {
    group->backend->barrier()->wait();
    return 0;
  })
}

extern "C" void asap_group_free(Group* group) { delete group; }
