import Glibc

/// The thread or the address sanitizer, with which a test may have been built.
public enum Sanitizer {
    /// Whether there is one: it multiplies what memory is used, and has definitions of its own of what a C library defines.
    public static let isOn = unsafe dlsym(nil, "__tsan_init") != nil || dlsym(nil, "__asan_init") != nil
}
