// Threads that work off the items of one job at a time.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

class ThreadPool {
  public:
    // Threads beside the caller's, which works as well. May throw std::system_error.
    explicit ThreadPool(int workers);
    ~ThreadPool();
    ThreadPool(const ThreadPool &) = delete;

    // Calls work(i), which must not throw, once for every i below count, and returns when all calls have.
    void run(int count, const std::function<void(int)> &work);

  private:
    void serve();
    void stop();
    void work_off(const std::function<void(int)> &work, int count);

    std::mutex mutex_;
    std::condition_variable started_, finished_;
    // The job that workers may still join.
    const std::function<void(int)> *work_ = nullptr;
    int count_ = 0;
    std::atomic<long> job_{0};
    std::atomic<int> active_workers_{0};
    std::atomic<bool> stopping_{false};
    std::atomic<int> next_{0};
    std::vector<std::thread> threads_;
};
