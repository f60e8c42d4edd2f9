/// The built `weir` program.
public enum WeirBinary {
    /// The path of the program: `WEIR_BINARY` if set, else the `weir` in the directory of the running test program.
    ///
    /// SwiftPM puts a package's test program and its executables into one directory, so this is the build under test,
    /// with its sanitizer, whatever the scratch path. A test target that needs it depends on the `weir` target, so that
    /// it is built first.
    public static var path: String {
        get throws {
            if let path = System.environmentValue("WEIR_BINARY") { return path }
            let runner = try System.linkTarget("/proc/self/exe")
            let directory = runner.split(separator: "/", omittingEmptySubsequences: false).dropLast()
            let path = directory.joined(separator: "/") + "/weir"
            guard System.isExecutable(path) else { throw PeerError.unexpected("no program at \(path)") }
            return path
        }
    }
}
