// What distributed.cpp (in every binary) and nccl.cpp (its own shared object) have in common.
#pragma once
#include <torch/csrc/distributed/c10d/Backend.hpp>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include <chrono>
#include <cstdint>

#include "error.hpp"

// As src/distributed/ffi.rs lays it out.
struct Meeting {
  const char* host;
  const char* prefix;
  int64_t timeout_ms;
  int32_t port, rank, size;
  // Whether this process holds the store that the others ask for each other's addresses.
  int32_t hosts_store;
};

struct Group {
  c10::intrusive_ptr<c10d::Backend> backend;
};

inline c10::intrusive_ptr<c10d::Store> open_store(const Meeting& meeting) {
  c10d::TCPStoreOptions options;
  options.port = static_cast<uint16_t>(meeting.port);
  options.isServer = meeting.hosts_store != 0;
  options.numWorkers = static_cast<size_t>(meeting.size);
  // The group waits for its members itself, and says then which one is missing.
  options.waitWorkers = false;
  options.multiTenant = true;
  options.timeout = std::chrono::milliseconds(meeting.timeout_ms);
  auto store = c10::make_intrusive<c10d::TCPStore>(meeting.host, options);
  return c10::make_intrusive<c10d::PrefixStore>(meeting.prefix, std::move(store));
}
