// Some tens of nanoseconds between two looks at what another processor may change.
#pragma once

#include <atomic>

namespace swrun {

inline void pause_a_little() {
    for (int i = 0; i < 20; ++i) {
#if defined(__x86_64__)
        __builtin_ia32_pause();
#else
        std::atomic_signal_fence(std::memory_order_seq_cst);
#endif
    }
}

}  // namespace swrun
