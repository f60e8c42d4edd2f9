import BuiltIn
import Configuration
import ContentCoding
import Core
import Testing

/// The profiles that are part of the program, read once.
enum BuiltInProfiles {
    static let all: [Profile] = {
        do {
            return try ProfileReader.builtIn(BuiltIn.profiles)
        } catch {
            Issue.record("\(error)")
            return []
        }
    }()

    static let normalizers = all.map { ErrorNormalizer(profile: $0) }

    static func normalizer(_ name: String) throws -> ErrorNormalizer {
        try #require(normalizers.first { $0.profile.name == name })
    }

    static func decode(_ body: [UInt8], _ coding: String) -> [UInt8] {
        ContentDecoder.decode(body, coding: coding, limit: 65_536).bytes
    }
}
