import TestSupport

/// A `weir run` that serves, on a port that the system chose.
struct RunningWeir {
    let process: Subprocess
    /// What it says about where it listens: `127.0.0.1:54321`.
    let address: String

    /// Starts it and waits until it serves.
    init(_ arguments: [String] = ["--listen", "127.0.0.1:0"], environment: [String: String] = [:]) throws {
        let clean = ["WEIR_LISTEN": "", "WEIR_ADMIN_LISTEN": "", "WEIR_WORKERS": "2", "WEIR_LOG_LEVEL": ""]
        process = try Subprocess(
            WeirBinary.path, ["run"] + arguments, environment: clean.merging(environment) { $1 })
        try process.waitForOutput(containing: #""message":"listening""#)
        let mark = #""address":""#
        guard let begin = process.errorOutput.firstRange(of: mark)?.upperBound else {
            throw PeerError.unexpected("no address in \(process.errorOutput)")
        }
        address = String(process.errorOutput[begin...].prefix { $0 != "\"" })
    }

    /// The port.
    var port: UInt16 { address.split(separator: ":").last.flatMap { UInt16($0) } ?? 0 }

    /// Answers to `GET`.
    func get(_ target: String) throws -> RawResponse {
        try RawClient(port: port).exchange("GET", target)
    }

    /// Ends it as a supervisor does.
    func stop() throws -> ProcessExit {
        process.send(.terminate)
        return try process.waitForExit()
    }
}
