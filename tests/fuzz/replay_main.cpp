// Runs one fuzz target over a folder of seeds without a fuzzer: each seed as it is, cut short, and with bits, bytes
// and words changed.  The changes follow from the seeds alone, so every run on every machine is the same.
//   fuzz_NAME_replay FOLDER [CHANGES]   the seeds, with at most CHANGES changed copies of each kind per seed
//   fuzz_NAME_replay FILE               this input alone, as it is: to look at what failed
// When the target dies, the input's description goes to standard error and the input itself to a file.
#include <fcntl.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" void __sanitizer_set_death_callback(void (*callback)()) __attribute__((weak));

namespace {

namespace fs = std::filesystem;
using Bytes = std::vector<std::uint8_t>;

constexpr std::size_t kChanges = 600;  // of each kind, per seed
constexpr int kSeconds = 60;           // of processor time for one input: then it counts as endless

// What runs now, where a signal handler can read it.
char description[512];
char crash_file[64];
const std::uint8_t* input = nullptr;
std::size_t input_size = 0;

void say(const char* text) { [[maybe_unused]] const auto ignored = ::write(STDERR_FILENO, text, std::strlen(text)); }

void tell_input() {
    say("\nfailed on ");
    say(description);
    const int fd = ::open(crash_file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd >= 0 && ::write(fd, input, input_size) == static_cast<ssize_t>(input_size)) {
        say("\nthe input is in ");
        say(crash_file);
    }
    say("\n");
}

void on_signal(int number) {
    if (number == SIGPROF) say("\nno end after 60 seconds of processor time");
    tell_input();
    ::signal(number, SIG_DFL);
    ::raise(number);
}

void watch(const char* program) {
    std::snprintf(crash_file, sizeof crash_file, "%.40s.failed", fs::path(program).filename().c_str());
    ::signal(SIGPROF, on_signal);
    if (__sanitizer_set_death_callback != nullptr) {
        __sanitizer_set_death_callback(tell_input);
        return;
    }
    for (const int number : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) ::signal(number, on_signal);
}

// In memory of exactly its size, so that a sanitizer sees the first byte read behind it.
void run(const Bytes& bytes, const std::string& what) {
    std::snprintf(description, sizeof description, "%s", what.c_str());
    const std::unique_ptr<std::uint8_t[]> copy(new std::uint8_t[bytes.size()]);
    std::copy(bytes.begin(), bytes.end(), copy.get());
    input = copy.get();
    input_size = bytes.size();
    const itimerval limit = {{0, 0}, {kSeconds, 0}};
    ::setitimer(ITIMER_PROF, &limit, nullptr);
    LLVMFuzzerTestOneInput(copy.get(), bytes.size());
}

// Calls act(i) for every i below `count`, or for `most` of them in even steps.  The first ones are never left out:
// that is where headers are.
template <typename Act> void spread(std::size_t count, std::size_t most, Act act) {
    const std::size_t dense = std::min(count, most / 2);
    for (std::size_t i = 0; i < dense; ++i) act(i);
    if (count == dense) return;
    const std::size_t step = std::max<std::size_t>(1, (count - dense) / std::max<std::size_t>(1, most - dense));
    for (std::size_t i = dense; i < count; i += step) act(i);
}

void run_cut(const Bytes& seed, const std::string& name, std::size_t most) {
    spread(seed.size(), most, [&](std::size_t length) {
        run(Bytes(seed.begin(), seed.begin() + static_cast<std::ptrdiff_t>(length)),
            name + " cut to " + std::to_string(length) + " bytes");
    });
}

void run_flipped(const Bytes& seed, const std::string& name, std::size_t most) {
    Bytes copy = seed;
    spread(seed.size() * 8, most, [&](std::size_t bit) {
        const auto mask = static_cast<std::uint8_t>(1U << (bit % 8));
        copy[bit / 8] ^= mask;
        run(copy, name + " with bit " + std::to_string(bit % 8) + " of byte " + std::to_string(bit / 8) + " changed");
        copy[bit / 8] ^= mask;
    });
}

// Sizes, counts and offsets are words: the values at which sums overflow.
void run_overwritten(const Bytes& seed, const std::string& name, std::size_t most) {
    struct Kind {
        std::size_t width;
        std::uint8_t fill;
        std::uint8_t last;
    };
    for (const Kind& kind : {Kind{1, 0, 0}, Kind{1, 0xff, 0xff}, Kind{4, 0xff, 0xff}, Kind{8, 0xff, 0x7f}}) {
        if (seed.size() < kind.width) continue;
        Bytes copy = seed;
        spread(seed.size() - kind.width + 1, most / 4, [&](std::size_t at) {
            const auto begin = static_cast<std::ptrdiff_t>(at);
            const auto end = static_cast<std::ptrdiff_t>(at + kind.width);
            std::fill(copy.begin() + begin, copy.begin() + end, kind.fill);
            copy[at + kind.width - 1] = kind.last;
            run(copy, name + " with " + std::to_string(kind.width) + " bytes at " + std::to_string(at) + " set to " +
                          std::to_string(kind.fill));
            std::copy(seed.begin() + begin, seed.begin() + end, copy.begin() + begin);
        });
    }
}

// Text breaks where something is missing in the middle or comes twice.
void run_spliced(const Bytes& seed, const std::string& name, std::size_t most) {
    constexpr std::size_t kPiece = 3;
    if (seed.size() <= kPiece) return;
    spread(seed.size() - kPiece, most / 2, [&](std::size_t at) {
        const auto begin = static_cast<std::ptrdiff_t>(at);
        const auto end = begin + static_cast<std::ptrdiff_t>(kPiece);
        Bytes without = seed;
        without.erase(without.begin() + begin, without.begin() + end);
        run(without, name + " without the 3 bytes at " + std::to_string(at));
        Bytes twice = seed;
        twice.insert(twice.begin() + end, seed.begin() + begin, seed.begin() + end);
        run(twice, name + " with the 3 bytes at " + std::to_string(at) + " twice");
    });
}

Bytes read_file(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    if (!in) {
        std::fprintf(stderr, "cannot read %s\n", path.c_str());
        std::exit(1);
    }
    return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2) return std::fprintf(stderr, "usage: %s FOLDER [CHANGES] | FILE\n", argv[0]), 2;
    watch(argv[0]);
    if (!fs::is_directory(argv[1])) return run(read_file(argv[1]), argv[1]), 0;
    const std::size_t most = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : kChanges;
    std::vector<fs::path> seeds;
    for (const auto& entry : fs::directory_iterator(argv[1])) seeds.push_back(entry.path());
    std::sort(seeds.begin(), seeds.end());
    if (seeds.empty()) return std::fprintf(stderr, "no seeds in %s\n", argv[1]), 1;
    run({}, "nothing");
    for (const fs::path& path : seeds) {
        const Bytes seed = read_file(path);
        const std::string name = path.filename().string();
        run(seed, name);
        run_cut(seed, name, most);
        run_flipped(seed, name, most);
        run_overwritten(seed, name, most);
        run_spliced(seed, name, most);
    }
    std::printf("%zu seeds\n", seeds.size());
    return 0;
}
