internal import Glibc
internal import Locking

/// A program run by the test; killed with its children when the last reference is released.
public final class Subprocess: Sendable {
    /// The result of a program that has ended.
    public struct Outcome: Sendable {
        /// How it ended.
        public let exit: ProcessExit
        /// Everything it wrote to its standard output.
        public let output: String
        /// Everything it wrote to its standard error.
        public let errorOutput: String
    }

    /// A signal to send.
    public struct Signal: Sendable {
        /// Its number.
        public let number: Int32
        /// Any signal by its number.
        public init(number: Int32) { self.number = number }
        /// SIGTERM.
        public static let terminate = Signal(number: SIGTERM)
        /// SIGINT.
        public static let interrupt = Signal(number: SIGINT)
        /// SIGHUP.
        public static let hangUp = Signal(number: SIGHUP)
        /// SIGKILL.
        public static let kill = Signal(number: SIGKILL)
        /// SIGSTOP.
        public static let stop = Signal(number: SIGSTOP)
        /// SIGCONT.
        public static let resume = Signal(number: SIGCONT)
    }

    /// The process identifier.
    public let processID: Int32

    private let outputs: [StreamRecord]
    private let exit = Lock<ProcessExit?>(nil)

    /// Starts a program, found through PATH unless `program` has a slash.
    ///
    /// - Parameters:
    ///   - environment: variables to add to this process's own.
    ///   - directory: the working directory.
    ///   - input: the program's standard input; empty unless given.
    /// - Throws: ``PeerError/system(operation:code:)``.
    public init(
        _ program: String, _ arguments: [String] = [], environment: [String: String] = [:],
        directory: String? = nil, input: [UInt8] = []
    ) throws {
        let inherited = System.environment.filter { variable in
            !environment.keys.contains { variable.hasPrefix("\($0)=") }
        }
        let (ownInput, childInput) = try System.makeSocketPair()
        let (output, childOutput) = try System.makePipe()
        let (errorOutput, childErrorOutput) = try System.makePipe()
        let streams = [childInput, childOutput, childErrorOutput]
        defer { for stream in streams { close(stream) } }
        let feed = Socket(owning: ownInput)
        outputs = [StreamRecord(draining: output), StreamRecord(draining: errorOutput)]
        let moved = directory.map { ["env", "-C", $0] } ?? []
        processID = try System.spawn(
            moved + [program] + arguments,
            environment: inherited + environment.map { "\($0.key)=\($0.value)" }, streams: streams)
        guard !input.isEmpty else { return }
        System.startThread {
            // A program that ends without reading all of its input does not fail the test.
            try? feed.send(input, by: .after(.patience))
            feed.close()
        }
    }

    deinit {
        guard System.reap(processID, unless: exit) == nil else { return }
        kill(-processID, SIGKILL)
        kill(processID, SIGKILL)
        try? eventually("a killed program to end") { System.reap(processID, unless: exit) != nil }
    }

    /// Runs a program to its end.
    ///
    /// - Throws: ``PeerError/timedOut(waitingFor:)`` if it does not end in time; it is killed then.
    public static func run(
        _ program: String, _ arguments: [String] = [], environment: [String: String] = [:],
        directory: String? = nil, input: [UInt8] = [], within patience: Duration = .seconds(60)
    ) throws -> Outcome {
        let process = try Subprocess(
            program, arguments, environment: environment, directory: directory, input: input)
        let exit = try process.waitForExit(within: patience)
        return Outcome(exit: exit, output: process.output, errorOutput: process.errorOutput)
    }

    /// What the program has written to its standard output so far.
    public var output: String { outputs[0].text }
    /// What the program has written to its standard error so far.
    public var errorOutput: String { outputs[1].text }
    /// Whether the program still runs.
    public var isRunning: Bool { System.reap(processID, unless: exit) == nil }

    /// Sends a signal to the program, not to its children; nothing happens if it has ended.
    public func send(_ signal: Signal) { if isRunning { kill(processID, signal.number) } }

    /// Waits for the end, and for all output that came before it.
    public func waitForExit(within patience: Duration = .patience) throws -> ProcessExit {
        var result: ProcessExit?
        try eventually("process \(processID) to end", within: patience) {
            result = System.reap(processID, unless: exit)
            return result != nil && outputs.allSatisfy(\.isEnded)
        }
        guard let result else { throw PeerError.alreadyClosed }
        return result
    }

    /// Waits until either output contains the text.
    ///
    /// - Throws: ``PeerError/timedOut(waitingFor:)``, or ``PeerError/unexpected(_:)`` with the program's standard
    ///   error if it ends without.
    public func waitForOutput(containing text: String, within patience: Duration = .patience) throws {
        try eventually("output containing “\(text)”", within: patience) {
            let hasEnded = !isRunning && outputs.allSatisfy(\.isEnded)
            if output.contains(text) || errorOutput.contains(text) { return true }
            if hasEnded { throw PeerError.unexpected("end of the program: \(errorOutput)") }
            return false
        }
    }
}

extension System {
    /// The recorded exit, or that of a child that has just ended.
    fileprivate static func reap(_ identifier: Int32, unless recorded: borrowing Lock<ProcessExit?>)
        -> ProcessExit?
    {
        recorded.withLock { exit in
            exit = exit ?? reap(identifier)
            return exit
        }
    }
}

/// Everything that was read from one of a program's outputs, by a thread of its own.
private final class StreamRecord: Sendable {
    private struct State {
        var bytes: [UInt8] = []
        var isEnded = false
    }

    private let state = Lock(State())

    init(draining descriptor: Int32) {
        System.startThread { [self] in
            while let part = try? System.read(descriptor), !part.isEmpty {
                state.withLock { $0.bytes += part }
            }
            close(descriptor)
            state.withLock { $0.isEnded = true }
        }
    }

    var text: String { String(decoding: state.withLock { $0.bytes }, as: UTF8.self) }
    var isEnded: Bool { state.withLock { $0.isEnded } }
}
