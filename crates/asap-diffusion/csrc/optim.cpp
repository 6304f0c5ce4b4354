// What libtorch has and tch does not bind: one kernel for the whole update, and one norm over many tensors.
#include <ATen/Functions.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>

#include "error.hpp"

using TensorPtr = at::Tensor*;

// As `AdamW` in src/optim/adamw.rs lays it out.
struct Rates {
  double learning_rate, beta1, beta2, weight_decay, epsilon;
};

namespace {

std::vector<at::Tensor> list(const TensorPtr* pointers, size_t n) {
  std::vector<at::Tensor> tensors;
  tensors.reserve(n);
  for (size_t i = 0; i < n; ++i) tensors.push_back(*pointers[i]);
  return tensors;
}

}  // namespace

extern "C" int asap_adamw(const TensorPtr* leaves, const TensorPtr* gradients, const TensorPtr* exp_avg,
                          const TensorPtr* exp_avg_sq, const TensorPtr* steps, size_t n, const Rates* rates,
                          char** error) {
  ASAP_TRY(error, -1, {
    at::NoGradGuard off;
    auto counts = list(steps, n);
    auto weights = list(leaves, n);
    auto first = list(exp_avg, n);
    auto second = list(exp_avg_sq, n);
    at::_foreach_add_(counts, 1);
    at::_fused_adamw_(weights, list(gradients, n), first, second, {}, counts, rates->learning_rate, rates->beta1,
                      rates->beta2, rates->weight_decay, rates->epsilon, false, false);
    return 0;
  })
}

// The norm is read once, so there is one wait for the device.
extern "C" int asap_clip_grad_norm(const TensorPtr* gradients, size_t n, double max_norm, double* total,
                                   char** error) {
  ASAP_TRY(error, -1, {
    at::NoGradGuard off;
    auto all = list(gradients, n);
    auto norm = at::linalg_vector_norm(at::stack(at::_foreach_norm(all, 2)), 2);
    // A product with the reciprocal, as Python's division of a number by a tensor rounds.
    auto factor = (norm + 1e-6).reciprocal() * max_norm;
    at::_foreach_mul_(all, at::clamp(factor, std::nullopt, 1.0));
    *total = norm.item<double>();
    return 0;
  })
}
