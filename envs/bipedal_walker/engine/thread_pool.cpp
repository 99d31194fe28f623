#include "thread_pool.h"

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
    if (threads_.empty() || count < 2) {
        for (int i = 0; i < count; ++i) work(i);
        return;
    }
    {
        std::lock_guard lock(mutex_);
        work_ = &work;
        count_ = count;
        next_ = 0;
        ++job_;
    }
    begun_.notify_all();
    take_pieces(work, count);
    std::unique_lock lock(mutex_);
    work_ = nullptr;
    done_.wait(lock, [this] { return working_ == 0; });
}

void ThreadPool::take_pieces(const std::function<void(int)> &work, int count) {
    for (int i = next_++; i < count; i = next_++) work(i);
}

void ThreadPool::help() {
    std::unique_lock lock(mutex_);
    for (long seen = 0;;) {
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
