internal import CLoader

/// The words of the command line.
enum ProcessArguments {
    /// All of them behind the program's name, as `main` was given them.
    ///
    /// `CommandLine.arguments` is empty without `/proc`.
    static var all: [String] {
        (1..<max(1, cloader_argument_count())).compactMap { index in
            unsafe cloader_argument(index).map { unsafe String(cString: $0) }
        }
    }
}
