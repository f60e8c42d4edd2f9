internal import Glibc

/// A value that one thread at a time may access: like `Synchronization.Mutex`, but understood by the thread
/// sanitizer.
///
/// The slow path of that type is in the standard library, which is not instrumented: the sanitizer does not see the
/// lock being acquired under contention, and reports a race on the protected value. It intercepts every call of
/// `pthread_mutex_lock`.
///
/// Not recursive: a thread that acquires a lock it already holds waits forever. A lock allocates once, since a mutex
/// must not move; acquiring it does not allocate.
///
/// Sendable although unchecked: `value` is accessed only while `mutex` is held.
@safe public struct Lock<Value: ~Copyable>: ~Copyable, @unchecked Sendable {
    /// The start of one block, which also contains the value.
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let value: UnsafeMutablePointer<Value>

    /// An unlocked lock.
    public init(_ initialValue: consuming sending Value) {
        let alignment = unsafe max(MemoryLayout<pthread_mutex_t>.alignment, MemoryLayout<Value>.alignment)
        let offset = unsafe (MemoryLayout<pthread_mutex_t>.size + alignment - 1) / alignment * alignment
        let block = UnsafeMutableRawPointer.allocate(
            byteCount: offset + MemoryLayout<Value>.size, alignment: alignment)
        unsafe mutex = block.bindMemory(to: pthread_mutex_t.self, capacity: 1)
        unsafe value = (block + offset).bindMemory(to: Value.self, capacity: 1)
        let code = unsafe pthread_mutex_init(mutex, nil)
        precondition(code == 0, "pthread_mutex_init failed with \(code)")
        unsafe value.initialize(to: initialValue)
    }

    deinit {
        unsafe value.deinitialize(count: 1)
        unsafe pthread_mutex_destroy(mutex)
        unsafe UnsafeMutableRawPointer(mutex).deallocate()
    }

    /// Waits for the lock, and runs `body` with exclusive access to the value.
    public borrowing func withLock<Result: ~Copyable, Failure: Error>(
        _ body: (inout sending Value) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result {
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        return try unsafe body(&value.pointee)
    }
}
