// How the C++ part reports failure: a message made by `strdup`, which the Rust side frees.
#pragma once
#include <c10/util/Exception.h>

#include <cstring>
#include <exception>

#define ASAP_TRY(error, failure, ...)                    \
  try {                                                  \
    __VA_ARGS__                                          \
  } catch (const c10::Error& e) {                        \
    *(error) = strdup(e.what_without_backtrace());       \
    return failure;                                      \
  } catch (const std::exception& e) {                    \
    *(error) = strdup(e.what());                         \
    return failure;                                      \
  }
