// TaskQueue: a bounded queue of tasks and the threads that work on them.  Who submits works too when the queue
// is full, so that one thread alone gets everything done as well.  The first failure ends all work.  The threads
// end in finish() or the destructor: nothing of them is left in a process that goes on.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "support/result.h"

namespace swrun {

// What one thread works with: made in it when it starts.
class Worker {
public:
    virtual ~Worker() = default;
};

class TaskQueue {
public:
    using Task = std::function<Status(Worker&)>;
    using MakeWorker = std::function<Result<std::unique_ptr<Worker>>()>;

    // `threads` counts the caller; fewer start where the host allows no more (ulimit -u).
    TaskQueue(std::size_t threads, MakeWorker make_worker);
    ~TaskQueue();
    TaskQueue(const TaskQueue&) = delete;
    TaskQueue& operator=(const TaskQueue&) = delete;

    // The first error of any task.
    [[nodiscard]] Status submit(Task task);
    // Waits for all of them, working along; `meanwhile` is called in between.
    [[nodiscard]] Status finish(const std::function<void()>& meanwhile);

private:
    void work();
    [[nodiscard]] bool run_one(Worker& worker);
    [[nodiscard]] Status outcome();
    void fail(Error error);
    void close();

    MakeWorker make_worker_;
    std::size_t capacity_;
    std::unique_ptr<Worker> own_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Task> tasks_;
    std::optional<Error> error_;
    bool closed_ = false;
    std::vector<std::thread> threads_;
};

}  // namespace swrun
