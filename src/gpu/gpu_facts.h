// GpuFacts: what a vendor's driver has put on this host, found once by gpu/host/nvidia and turned into
// mounts by gpu/gpu_plan.  Plain data, so that tests can invent any driver.
#pragma once

#include <string>
#include <vector>

#include "plan/launch_plan.h"

namespace swrun {

struct GpuLibrary {
    std::string name;  // as programs ask for it: "libcuda.so.1"
    std::string path;  // on the host, links not resolved

    friend bool operator==(const GpuLibrary&, const GpuLibrary&) = default;
};

struct GpuDevice {
    std::string path;  // "/dev/nvidia0"
    bool is_dir = false;

    friend bool operator==(const GpuDevice&, const GpuDevice&) = default;
};

struct GpuFacts {
    std::string vendor;                 // "nv": the word of messages
    std::vector<GpuLibrary> libraries;  // one per name, fit for this machine
    std::vector<std::string> programs;  // absolute paths, one per base name
    std::vector<std::string> files;     // at the same path inside
    std::vector<std::string> sockets;   // of the driver's daemons; at the same path inside
    std::vector<GpuDevice> devices;
    std::vector<Note> notes;  // what went wrong while looking

    friend bool operator==(const GpuFacts&, const GpuFacts&) = default;
};

}  // namespace swrun
