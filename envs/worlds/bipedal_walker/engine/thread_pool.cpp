// A caller waits only for workers that have joined its job: one that the system gives no core delays nothing.
#include "thread_pool.h"

#include <chrono>

namespace {

// Spins for a moment before a wait, as jobs follow each other closely, and yields the core to whoever else wants it.
template <typename Condition> void spin_until(const Condition &condition) {
    using Clock = std::chrono::steady_clock;
    const Clock::time_point end = Clock::now() + std::chrono::microseconds(100);
    while (!condition() && Clock::now() < end) std::this_thread::yield();
}

} // namespace

ThreadPool::ThreadPool(int workers) {
    try {
        for (int i = 0; i < workers; ++i) threads_.emplace_back([this] { serve(); });
    } catch (...) {
        stop();
        throw;
    }
}

ThreadPool::~ThreadPool() { stop(); }

void ThreadPool::stop() {
    {
        std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    started_.notify_all();
    for (std::thread &thread : threads_) thread.join();
}

void ThreadPool::run(int count, const std::function<void(int)> &work) {
    {
        std::lock_guard lock(mutex_);
        work_ = &work;
        count_ = count;
        next_ = 0;
        ++job_;
    }
    started_.notify_all();
    work_off(work, count);
    {
        std::lock_guard lock(mutex_);
        work_ = nullptr;
    }
    const auto idle = [this] { return active_workers_ == 0; };
    spin_until(idle);
    std::unique_lock lock(mutex_);
    finished_.wait(lock, idle);
}

void ThreadPool::work_off(const std::function<void(int)> &work, int count) {
    for (int i = next_++; i < count; i = next_++) work(i);
}

void ThreadPool::serve() {
    for (long seen = 0;;) {
        spin_until([&] { return stopping_ || job_ != seen; });
        std::unique_lock lock(mutex_);
        started_.wait(lock, [&] { return stopping_ || (work_ && job_ != seen); });
        if (stopping_) return;
        seen = job_;
        const std::function<void(int)> &work = *work_;
        const int count = count_;
        ++active_workers_;
        lock.unlock();
        work_off(work, count);
        lock.lock();
        if (--active_workers_ == 0) finished_.notify_one();
    }
}
