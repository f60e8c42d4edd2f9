internal import Glibc

/// A value that one thread at a time may touch: `Synchronization.Mutex`, as the thread sanitizer understands it.
///
/// The slow path of that type is in the standard library, which is not instrumented: the sanitizer does not see the lock
/// being acquired where two threads meet, and reports a race on what it protects. It knows every call of
/// `pthread_mutex_lock`.
///
/// Not recursive: a thread that acquires a lock it already holds waits for ever. One allocation for the life of a lock,
/// since a mutex must not move; none for acquiring it.
///
/// Sendable though unchecked: `value` is touched only while `mutex` is held.
@safe public struct Lock<Value: ~Copyable>: ~Copyable, @unchecked Sendable {
    /// The start of one block, which holds the value as well.
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let value: UnsafeMutablePointer<Value>

    /// A lock that nobody holds.
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

    /// Runs `body` with the value while no other thread can, and waits until that is so.
    public borrowing func withLock<Result: ~Copyable, Failure: Error>(
        _ body: (inout sending Value) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result {
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        return try unsafe body(&value.pointee)
    }
}
