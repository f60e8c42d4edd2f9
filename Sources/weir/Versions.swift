internal import Core
internal import Engine

/// What `weir --version` and `/metrics` say about the program.
enum Versions {
    /// Weir's own; see CHANGELOG.md.
    static let weir = "0.1.0"

    /// The versions of everything that runs.
    static var build: BuildInfo {
        let libraries = ProxyServer.libraryVersions
        return BuildInfo(
            version: weir, swift: swift, libcurl: libraries.libcurl, libmicrohttpd: libraries.libmicrohttpd)
    }

    /// One line.
    static var text: String {
        let build = build
        return "weir \(weir) (Swift \(swift), libcurl \(build.libcurl), libmicrohttpd \(build.libmicrohttpd))"
    }

    #if compiler(>=6.4)
        private static let swift = "6.4 or later"
    #elseif compiler(>=6.3)
        private static let swift = "6.3"
    #else
        private static let swift = "6.2"
    #endif
}
