internal import CMicroHTTPD

/// The version of libmicrohttpd that runs.
enum LibraryVersion {
    /// Such as `0.9.75`.
    static let text = unsafe String(cString: MHD_get_version())

    /// Whether Weir may rely on what is no promise: that the first bytes of a connection go to the lower half of its memory.
    ///
    /// The sources of 0.9.75 and 1.0.1 were read.
    static let isKnown = text.hasPrefix("0.9.7") || text.hasPrefix("1.0.")
}
