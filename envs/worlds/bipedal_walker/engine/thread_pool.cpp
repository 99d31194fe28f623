#include "thread_pool.h"

#include <chrono>

namespace {

// Looks out for something that will probably come soon, leaving the core to whoever else wants it.
template <typename Condition> void look_out(const Condition &happened) {
    using Clock = std::chrono::steady_clock;
    const Clock::time_point end = Clock::now() + std::chrono::microseconds(100);
    while (!happened() && Clock::now() < end) std::this_thread::yield();
}

} // namespace

ThreadPool::ThreadPool(int helpers) {
    try {
        for (int i = 0; i < helpers; ++i) threads_.emplace_back([this] { help(); });
    } catch (...) {
        end();
        throw;
    }
}

ThreadPool::~ThreadPool() { end(); }

void ThreadPool::end() {
    {
        std::lock_guard lock(mutex_);
        ending_ = true;
    }
    begun_.notify_all();
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
    begun_.notify_all();
    take_pieces(work, count);
    {
        std::lock_guard lock(mutex_);
        work_ = nullptr;
    }
    const auto finished = [this] { return working_ == 0; };
    look_out(finished);
    std::unique_lock lock(mutex_);
    done_.wait(lock, finished);
}

void ThreadPool::take_pieces(const std::function<void(int)> &work, int count) {
    for (int i = next_++; i < count; i = next_++) work(i);
}

void ThreadPool::help() {
    for (long seen = 0;;) {
        look_out([&] { return ending_ || job_ != seen; });
        std::unique_lock lock(mutex_);
        begun_.wait(lock, [&] { return ending_ || (work_ && job_ != seen); });
        if (ending_) return;
        seen = job_;
        const std::function<void(int)> &work = *work_;
        const int count = count_;
        ++working_;
        lock.unlock();
        take_pieces(work, count);
        lock.lock();
        if (--working_ == 0) done_.notify_one();
    }
}
