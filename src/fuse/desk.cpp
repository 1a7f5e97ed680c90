#include "fuse/desk.h"

#include <fcntl.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <system_error>
#include <utility>

#include "support/pause.h"

namespace swrun {
namespace {

// Requests: a launch of a small program is over before.
constexpr unsigned kStart = 64;  // until a helper may be called

using namespace std::chrono_literals;

// What every request begins with; the kernel sends none that is shorter.
fuse_in_header header_of(const fuse_buf& request) {
    fuse_in_header header{};
    std::memcpy(&header, request.mem, std::min(request.size, sizeof header));
    return header;
}

}  // namespace

Desk::Desk(fuse_session* session, DeskDuties duties, bool several)
    : session_(session), duties_(std::move(duties)), several_(several) {}

// The flag belongs to the open file, which both threads use.  When one changes it under the other, a read that should
// wait says EAGAIN, or one that should not waits: both are harmless.
void Desk::let_block(bool blocks) {
    if (std::exchange(blocks_, blocks) == blocks) return;
    const int device = fuse_session_fd(session_);
    const int flags = ::fcntl(device, F_GETFL);
    ::fcntl(device, F_SETFL, blocks ? flags & ~O_NONBLOCK : flags | O_NONBLOCK);
}

int Desk::look(fuse_buf& buffer) {
    const auto start = Clock::now();
    int size = -EAGAIN;
    for (bool first = true;; first = false) {
        size = fuse_session_receive_buf(session_, &buffer);
        const auto waited = Clock::now() - start;
        if (size != -EAGAIN) {
            was_there_ = first;
            eagerness_.note(waited, Eagerness::Wait::looking);
            return size;
        }
        if (waited > Eagerness::kSpin) break;
        pause_a_little();
    }
    eagerness_.note(Eagerness::kSpin * 2, Eagerness::Wait::looking);
    return size;
}

int Desk::wait(fuse_buf& buffer) {
    const auto start = Clock::now();
    const int size = fuse_session_receive_buf(session_, &buffer);
    const auto waited = Clock::now() - start;
    was_there_ = waited < 3us;
    eagerness_.note(waited, Eagerness::Wait::asleep);
    return size;
}

// Until there is a request.  Those whose work it is do it faster, unless the host is busy and they do not come to it.
void Desk::do_chores() {
    constexpr timespec kPatience{0, 100'000};
    pollfd device{fuse_session_fd(session_), POLLIN, 0};
    while (duties_.has_chore() && ::ppoll(&device, 1, &kPatience, nullptr) == 0) duties_.chore();
}

int Desk::receive(fuse_buf& buffer) {
    if (duties_.has_chore()) do_chores();
    if (eagerness_.spins() && several_) {
        if (!std::exchange(eager_, true)) duties_.eager();
        let_block(false);
        const int size = look(buffer);
        if (size != -EAGAIN) return size;
    }
    let_block(true);
    return wait(buffer);
}

void Desk::answer(fuse_buf& request, std::uint32_t opcode) {
    duties_.each(opcode);
    fuse_session_process_buf(session_, &request);
}

void Desk::note(const fuse_in_header& header) {
    const SeenRequest seen{.asker = header.pid, .reads = header.opcode == FUSE_READ, .was_there = was_there_};
    backlog_.note(seen);
}

// A helper that waits in the kernel is woken for requests that the first thread, awake already, would see as soon.
void Desk::direct_helper() {
    if (backlog_.wants_help() && several_ && requests_ >= kStart) {
        call_helper();
    } else if (backlog_.is_over() && eagerness_.spins() && wanted_) {
        const std::lock_guard lock(mutex_);
        wanted_ = false;
    }
}

void Desk::call_helper() {
    if (wanted_) return;
    {
        const std::lock_guard lock(mutex_);
        wanted_ = true;
    }
    changed_.notify_one();
    if (helper_.joinable()) return;
    try {
        helper_ = std::thread([this] { help(); });
    } catch (const std::system_error&) {
        // The limit of processes is reached (ulimit -u): one thread serves as well, only not as fast.
    }
}

void Desk::help() {
    duties_.joined();
    fuse_buf buffer{};
    while (fuse_session_exited(session_) == 0) {
        {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, [this] { return wanted_ || ended_; });
            if (ended_) break;
        }
        const int size = fuse_session_receive_buf(session_, &buffer);
        if (size == -EINTR) continue;
        if (size == -EAGAIN) {
            std::this_thread::sleep_for(50us);
            continue;
        }
        if (size <= 0) break;
        answer(buffer, header_of(buffer).opcode);
    }
    std::free(buffer.mem);
}

void Desk::run() {
    fuse_buf buffer{};
    while (fuse_session_exited(session_) == 0) {
        const int size = receive(buffer);
        if (size == -EINTR || size == -EAGAIN) continue;
        if (size <= 0) break;
        ++requests_;
        const fuse_in_header header = header_of(buffer);
        note(header);
        direct_helper();
        answer(buffer, header.opcode);
    }
    std::free(buffer.mem);
    {
        const std::lock_guard lock(mutex_);
        ended_ = true;
    }
    changed_.notify_one();
    if (helper_.joinable()) helper_.join();
}

}  // namespace swrun
