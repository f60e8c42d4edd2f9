import Glibc

/// The thread or address sanitizer with which a test may have been built.
public enum Sanitizer {
    /// Whether there is one: it multiplies memory use, and defines functions of the C library.
    public static let isOn = unsafe dlsym(nil, "__tsan_init") != nil || dlsym(nil, "__asan_init") != nil
}
