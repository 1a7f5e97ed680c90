#include "unpack/task_queue.h"

#include <system_error>
#include <utility>

namespace swrun {
namespace {

constexpr std::size_t kWaiting = 4;  // tasks per thread: each holds a directory open

}  // namespace

TaskQueue::TaskQueue(std::size_t threads, MakeWorker make_worker)
    : make_worker_(std::move(make_worker)), capacity_(threads * kWaiting) {
    try {
        for (std::size_t i = 1; i < threads; ++i) threads_.emplace_back(&TaskQueue::work, this);
    } catch (const std::system_error&) {
        // As many as there may be.
    }
}

TaskQueue::~TaskQueue() { close(); }

void TaskQueue::close() {
    {
        const std::lock_guard lock(mutex_);
        closed_ = true;
    }
    changed_.notify_all();
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
}

void TaskQueue::fail(Error error) {
    const std::lock_guard lock(mutex_);
    if (!error_) error_ = std::move(error);
    tasks_.clear();
}

Status TaskQueue::outcome() {
    const std::lock_guard lock(mutex_);
    if (error_) return *error_;
    return {};
}

// False when there is nothing to do now.
bool TaskQueue::run_one(Worker& worker) {
    std::unique_lock lock(mutex_);
    if (tasks_.empty()) return false;
    const Task task = std::move(tasks_.front());
    tasks_.pop_front();
    lock.unlock();
    if (Status done = task(worker); !done) fail(std::move(done).error());
    return true;
}

void TaskQueue::work() {
    Result<std::unique_ptr<Worker>> worker = make_worker_();
    if (!worker) return fail(std::move(worker).error());
    for (;;) {
        if (run_one(**worker)) continue;
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return closed_ || !tasks_.empty(); });
        if (closed_ && tasks_.empty()) return;
    }
}

Status TaskQueue::submit(Task task) {
    if (!own_) {
        SWRUN_TRY(own_, make_worker_());
    }
    bool full = false;
    {
        const std::lock_guard lock(mutex_);
        if (error_) return *error_;
        tasks_.push_back(std::move(task));
        full = tasks_.size() >= capacity_;
    }
    changed_.notify_one();
    if (full) (void)run_one(*own_);
    return {};
}

Status TaskQueue::finish(const std::function<void()>& meanwhile) {
    while (own_ && run_one(*own_)) meanwhile();
    close();
    return outcome();
}

}  // namespace swrun
