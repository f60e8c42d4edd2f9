internal import BuiltIn
internal import Configuration
internal import Core
internal import Locking

/// Finds profiles by name, among the built-in ones, or by path; each is read once.
final class ProfileLibrary: Sendable {
    /// The profiles that are part of the program, in the order of their names.
    let builtIn: [Profile]
    /// Where the paths of profile files begin; `nil` for the working directory.
    private let folder: String?
    private let sources: SourceFiles
    private let files = Lock<[String: Result<Profile, ConfigurationMistakes>]>([:])

    /// Reads the built-in profiles.
    ///
    /// - Parameters:
    ///   - folder: what paths of profile files are relative to.
    ///   - sources: remembers which files were read.
    /// - Throws: ``ConfigurationMistakes`` if this program was built with a faulty one.
    init(folder: String? = nil, sources: SourceFiles = SourceFiles()) throws(ConfigurationMistakes) {
        self.folder = folder
        self.sources = sources
        builtIn = try ProfileReader.builtIn(BuiltIn.profiles)
    }

    /// The profile of this name, or in this file.
    ///
    /// - Throws: ``ConfigurationMistakes``
    func profile(named name: String) throws(ConfigurationMistakes) -> Profile {
        if let profile = builtIn.first(where: { $0.name == name }) { return profile }
        guard Self.isPath(name) else {
            let names = builtIn.map(\.name).joined(separator: ", ")
            throw ConfigurationMistakes(
                file: name, reason: "is neither a profile (\(names)) nor the path of one (with a / or .yaml)")
        }
        let path = Files.path(name, in: folder)
        if let result = files.withLock({ $0[path] }) { return try result.get() }
        guard let text = sources.read(path) else {
            throw ConfigurationMistakes(file: path, reason: "cannot be read: \(Files.lastError)")
        }
        let generic = builtIn.first { $0.name == "generic" }
        let result = Result { () throws(ConfigurationMistakes) in
            try ProfileReader.read(text: text, file: path, surroundings: .system, generic: generic)
        }
        files.withLock { $0[path] = result }
        return try result.get()
    }

    /// The profile that an argument of the command line names; tells why there is none, and throws the code.
    func profileOrTell(named name: String) throws -> Profile {
        do {
            return try profile(named: name)
        } catch {
            StandardStreams.printError("\(error)")
            throw Self.isPath(name) ? Failure.check : Failure.usage
        }
    }

    /// What the configuration needs to know of a profile; `nil` if there is none.
    ///
    /// Of a file that is there and has mistakes it tells a stand-in, for these are reported as its own; see ``mistakes``.
    func defaults(of name: String) -> ProfileDefaults? {
        if let profile = try? profile(named: name) {
            return ProfileDefaults(profile)
        }
        guard files.withLock({ $0[Files.path(name, in: folder)] }) != nil else { return nil }
        return ProfileDefaults(upstream: "https://unknown.invalid", limits: [])
    }

    /// The mistakes of the profile files that were read so far, in the order of their names.
    var mistakes: [ConfigurationMistake] {
        files.withLock { files in
            files.sorted { $0.key < $1.key }.flatMap { _, result -> [ConfigurationMistake] in
                guard case .failure(let mistakes) = result else { return [] }
                return mistakes.all
            }
        }
    }

    /// Whether `name` is meant as the path of a file.
    static func isPath(_ name: String) -> Bool { name.contains("/") || name.hasSuffix(".yaml") }
}

extension ConfigurationMistakes {
    /// One mistake of a whole file.
    init(file: String, reason: String) {
        self.init(all: [ConfigurationMistake(file: file, reason: reason)])
    }
}
