// Threads that share out the pieces of one job at a time.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

class ThreadPool {
  public:
    // Threads that help the caller, so one less than work together. May throw std::system_error.
    explicit ThreadPool(int helpers);
    ~ThreadPool();
    ThreadPool(const ThreadPool &) = delete;

    // Does work(i) for every i below count, each once, and returns when all are done. The caller takes part, and
    // waits only for helpers that have taken a piece: one that the system gives no core delays nothing. Whoever has
    // nothing to do looks out for a moment, as jobs follow each other closely, and then sleeps. The work must not
    // throw.
    void run(int count, const std::function<void(int)> &work);

  private:
    void help();
    void end();
    void take_pieces(const std::function<void(int)> &work, int count);

    std::mutex mutex_;
    std::condition_variable begun_, done_;
    // The job that helpers may still join.
    const std::function<void(int)> *work_ = nullptr;
    int count_ = 0;
    std::atomic<long> job_{0};
    std::atomic<int> working_{0};
    std::atomic<bool> ending_{false};
    std::atomic<int> next_{0};
    std::vector<std::thread> threads_;
};
