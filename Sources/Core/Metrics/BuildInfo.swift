/// The versions that `weir_build_info` shows.
public struct BuildInfo: Sendable, Equatable {
    /// Weir's own.
    public let version: String
    /// The compiler's.
    public let swift: String
    /// The one that is loaded, not the one of the headers.
    public let libcurl: String
    /// The one that is loaded, not the one of the headers.
    public let libmicrohttpd: String

    /// Versions as their makers spell them.
    public init(version: String, swift: String, libcurl: String, libmicrohttpd: String) {
        self.version = version
        self.swift = swift
        self.libcurl = libcurl
        self.libmicrohttpd = libmicrohttpd
    }
}
