// Switches of libtorch that tch does not bind.
#include <ATen/Context.h>

#include "error.hpp"

// An operation that has no repeatable form then fails instead of running.
extern "C" int asap_set_deterministic(char** error) {
  ASAP_TRY(error, -1, {
    auto& context = at::globalContext();
    context.setDeterministicAlgorithms(true, false);
    context.setDeterministicCuDNN(true);
    context.setBenchmarkCuDNN(false);
    return 0;
  })
}
