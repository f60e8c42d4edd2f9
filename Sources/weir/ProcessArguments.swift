internal import CLoader
internal import Core
internal import Engine

/// The arguments of the command line.
enum ProcessArguments {
    /// All arguments of `main` after the program's name.
    ///
    /// `CommandLine.arguments` is empty without `/proc`.
    static var all: [String] {
        (1..<max(1, cloader_argument_count())).compactMap { index in
            unsafe cloader_argument(index).map { unsafe String(cString: $0) }
        }
    }
}

/// What `weir --version` and `/metrics` report about the program.
enum Versions {
    /// Weir's own version; see CHANGELOG.md.
    static let weir = "0.1.0"

    /// The versions of the running program and its libraries.
    static var build: BuildInfo {
        let libraries = ProxyServer.libraryVersions
        return BuildInfo(
            version: weir, swift: swift, libcurl: libraries.libcurl, libmicrohttpd: libraries.libmicrohttpd)
    }

    /// All versions in one line.
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
