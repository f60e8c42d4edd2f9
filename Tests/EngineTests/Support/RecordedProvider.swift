import BuiltIn
import Configuration
import Core
import TestSupport
import Testing
import Wire

/// A provider that gives the recorded answers of the built-in profiles to whom names them in `X-Case`.
final class RecordedProvider: Sendable {
    /// The profiles that are part of the program.
    static let profiles: [Profile] = {
        do {
            return try ProfileReader.builtIn(BuiltIn.profiles)
        } catch {
            Issue.record("\(error)")
            return []
        }
    }()

    /// Its server.
    let upstream: ScriptedUpstream

    init() throws {
        var answers: [String: (ScriptedResponse, ScriptedResponse)] = [:]
        for recorded in Self.profiles.flatMap(\.cases) {
            let whole = Self.answer(of: recorded)
            let head = whole.bytes.dropLast(recorded.status == 204 ? 0 : recorded.body.count)
            answers[recorded.id] = (whole, .raw(Array(head)))
        }
        upstream = try ScriptedUpstream { [answers] exchange in
            guard let answer = answers[exchange.request.fields["X-Case"] ?? ""] else {
                return try exchange.respond(.status(599, body: "no such case"))
            }
            try exchange.respond(exchange.request.method == "HEAD" ? answer.1 : answer.0)
        }
    }

    private static func answer(of recorded: ProfileCase) -> ScriptedResponse {
        .status(recorded.status, fields: fields(of: recorded), body: recorded.body)
    }

    /// The fields of a recorded answer, without those that frame it.
    static func fields(of recorded: ProfileCase) -> [(String, String)] {
        var fields: [(String, String)] = []
        recorded.fields.forEach { name, value in
            let isFraming =
                name.equalsIgnoringCase("content-length") || name.equalsIgnoringCase("transfer-encoding")
                || name.equalsIgnoringCase("connection")
            if !isFraming { fields.append((name.string, value.string)) }
        }
        return fields
    }
}
