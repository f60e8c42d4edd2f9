internal import CLoader

/// The pages of code and constants that were needed to start: YAML, command line, the loader's tables.
enum StartupPages {
    /// Takes them out of memory; what is needed again is mapped again from the system's cache of the file, without reading a disk.
    ///
    /// A Weir that has started needs a third of what starting it touched. Only segments that nobody can have written to: madvise(2),
    /// MADV_DONTNEED.
    static func release() { cloader_release_pages() }
}
