// What libtorch has and tch does not bind: a checkpointed function, and a layer whose weight waits elsewhere, as
// nodes of the graph.
#include <ATen/core/ivalue.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/custom_class.h>

#include <cstdlib>
#include <string>

#include "error.hpp"

using TensorPtr = at::Tensor*;
using torch::autograd::variable_list;

// Fills `out` with `n_out` new tensors. Null means success; else a message made by `strdup`.
using Body = char* (*)(void* data, const TensorPtr* in, size_t n_in, TensorPtr* out, size_t n_out);
using Drop = void (*)(void* data);

namespace {

// Owns the Rust closure for as long as the graph may call it.
struct Closure : torch::CustomClassHolder {
  Body body;
  Drop drop;
  void* data;
  Closure(Body body, Drop drop, void* data) : body(body), drop(drop), data(data) {}
  ~Closure() override { drop(data); }

  variable_list call(const variable_list& in, size_t n_out) const {
    std::vector<TensorPtr> pointers, out(n_out, nullptr);
    for (auto& tensor : in) pointers.push_back(const_cast<TensorPtr>(&tensor));
    char* failure = body(data, pointers.data(), pointers.size(), out.data(), n_out);
    variable_list result;
    for (TensorPtr pointer : out) {
      if (pointer) {
        result.push_back(*pointer);
        delete pointer;
      }
    }
    std::string message = failure ? failure : "";
    std::free(failure);
    TORCH_CHECK(message.empty() && result.size() == n_out, message);
    return result;
  }
};

struct Checkpoint : torch::autograd::Function<Checkpoint> {
  static variable_list forward(torch::autograd::AutogradContext* context, c10::IValue closure, int64_t n_out,
                               at::TensorList in) {
    variable_list inputs(in.begin(), in.end());
    context->saved_data["closure"] = closure;
    context->saved_data["n_out"] = n_out;
    context->save_for_backward(inputs);
    auto holder = c10::static_intrusive_pointer_cast<Closure>(closure.toCapsule());
    return holder->call(inputs, n_out);  // gradients are off here
  }

  static variable_list backward(torch::autograd::AutogradContext* context, variable_list gradients) {
    variable_list in, roots, seeds;
    for (auto& tensor : context->get_saved_variables())
      in.push_back(tensor.detach().set_requires_grad(tensor.requires_grad()));
    auto holder = c10::static_intrusive_pointer_cast<Closure>(context->saved_data["closure"].toCapsule());
    variable_list out;
    {
      at::AutoGradMode on(true);
      out = holder->call(in, context->saved_data["n_out"].toInt());
    }
    for (size_t i = 0; i < out.size(); ++i) {
      if (out[i].requires_grad() && gradients[i].defined()) {
        roots.push_back(out[i]);
        seeds.push_back(gradients[i]);
      }
    }
    // Leaves inside the block (the adapter's weights) accumulate into their own gradient.
    torch::autograd::backward(roots, seeds);
    variable_list result(2);
    for (auto& tensor : in) result.push_back(tensor.requires_grad() ? tensor.grad() : at::Tensor());
    return result;
  }
};

// A linear layer whose frozen weight is elsewhere: each pass has its own copy, freed when it ends. What is kept for
// the backward pass is the weight where it waits.
struct SwappedLinear : torch::autograd::Function<SwappedLinear> {
  static at::Tensor copy(const at::Tensor& weight, at::Device device) {
    // From pinned memory this does not wait; the copy stands in the stream before what uses it.
    return weight.to(device, weight.scalar_type(), /*non_blocking=*/true, /*copy=*/true);
  }

  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            const std::optional<at::Tensor>& bias) {
    context->save_for_backward({weight});
    return at::linear(x, copy(weight, x.device()), bias);
  }

  static variable_list backward(torch::autograd::AutogradContext* context, variable_list gradients) {
    auto weight = context->get_saved_variables()[0];
    auto& gradient = gradients[0];
    // The product that linear's own derivative makes, over all rows at once, so that the bits are the same.
    auto rows = gradient.reshape({-1, gradient.size(-1)}).mm(copy(weight, gradient.device()));
    auto sizes = gradient.sizes().vec();
    sizes.back() = weight.size(1);
    return {rows.view(sizes), at::Tensor(), at::Tensor()};
  }
};

}  // namespace

extern "C" int asap_swapped_linear(TensorPtr x, TensorPtr weight, TensorPtr bias, TensorPtr* out, char** error) {
  ASAP_TRY(error, -1, {
    auto some = bias ? std::optional<at::Tensor>(*bias) : std::nullopt;
    *out = new at::Tensor(SwappedLinear::apply(*x, *weight, some));
    return 0;
  })
}

extern "C" int asap_checkpoint(Body body, Drop drop, void* data, const TensorPtr* in, size_t n_in, TensorPtr* out,
                               size_t n_out, char** error) {
  ASAP_TRY(error, -1, {
    auto closure = c10::make_intrusive<Closure>(body, drop, data);
    variable_list inputs;
    for (size_t i = 0; i < n_in; ++i) inputs.push_back(*in[i]);
    auto result = Checkpoint::apply(
        c10::IValue::make_capsule(c10::static_intrusive_pointer_cast<torch::CustomClassHolder>(closure)),
        static_cast<int64_t>(n_out), at::TensorList(inputs));
    for (size_t i = 0; i < n_out; ++i) out[i] = new at::Tensor(result[i]);
    return 0;
  })
}
