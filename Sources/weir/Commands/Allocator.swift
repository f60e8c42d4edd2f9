#if !DEBUG
    internal import CMimalloc
#endif

/// The allocator of release builds: mimalloc, in place of the C library's, for libcurl, libmicrohttpd and Swift alike.
///
/// libcurl allocates some 36 times per transfer and frees in another order; with the C library's allocator that was an eighth of all CPU.
/// Debug builds keep the system's, which the sanitizers replace.
enum Allocator {
    /// Makes the program depend on the library: being loaded, it takes the place of `malloc` by itself.
    static func load() {
        #if !DEBUG
            _ = mi_version()
        #endif
    }
}
