import BuiltIn
import Configuration
import Core
import Wire

@testable import Sandbox

/// Requests for the tests of the imitations, at a time that is an argument.
enum Asking {
    /// 2026-11-20T00:00:00Z.
    static let wall: Int64 = 1_795_132_800_000
    static let lemlistKey = ("Authorization", "Basic OmxlbWxpc3RfZGVtbw==")
    static let lettrKey = ("Authorization", "Bearer lttr_sandbox_demo")

    /// The profiles that are part of the program.
    static func profiles() throws -> [Profile] { try read.get() }

    private static let read = Result { try ProfileReader.builtIn(BuiltIn.profiles) }

    /// The recorded cases that one imitation knows.
    static func cases(_ name: String) throws -> CaseBook {
        CaseBook(try profiles().filter { $0.name == name || $0.name == "generic" })
    }

    static func request(
        _ method: String, _ target: String, _ fields: [(String, String)], body: String = "", at seconds: Int64
    ) -> ImitationRequest {
        var block = FieldBlock()
        for (name, value) in fields { block.append(name, value) }
        let moment = Moment(
            monotonic: MonotonicTime(nanoseconds: seconds * 1_000_000_000), wall: wall + seconds * 1000)
        return ImitationRequest(method, target, fields: block, body: Array(body.utf8), at: moment)
    }
}

extension ImitationResponse {
    /// The body as text.
    var text: String { String(decoding: body, as: UTF8.self) }
    /// The body as JSON.
    var json: JSONValue { JSONValue(parsing: body) ?? .null }
    /// A field's value.
    func field(_ name: String) -> String? { fields.first(name) }
    /// Status and body in one line.
    var summary: String { "\(status) \(text)" }
}

extension Sandbox {
    /// A sandbox that imitates lemlist and Lettr, with the cases of these profiles.
    convenience init(address: String, port: UInt16, profiles: [Profile]) throws {
        let usual = Sandbox.usualProfiles.map { name in
            Provider(profiles.first { $0.name == name } ?? Profile(name: name))
        }
        try self.init(
            address: address, port: port, providers: usual,
            generic: profiles.first { $0.name == "generic" })
    }
}
