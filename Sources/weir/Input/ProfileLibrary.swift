internal import BuiltIn
internal import Configuration
internal import Core
internal import Locking

/// Finds profiles by name, among the built-in ones, or by path; each is read once, when it is asked for.
final class ProfileLibrary: Sendable {
    /// The names of the built-in profiles, sorted.
    static var names: [String] { BuiltIn.profileNames }

    /// The profile that completes all others.
    private let generic: Profile
    /// The folder for relative paths of profile files; `nil` for the working directory.
    private let folder: String?
    private let sources: SourceFiles
    private let files = Lock<[String: Result<Profile, ConfigurationMistakes>]>([:])
    private let builtIn = Lock<[String: Profile]>([:])

    /// Reads the generic profile.
    ///
    /// - Parameters:
    ///   - folder: the folder for relative paths of profile files.
    ///   - sources: remembers which files were read.
    /// - Throws: ``ConfigurationMistakes`` if a built-in profile is invalid.
    init(folder: String? = nil, sources: SourceFiles = SourceFiles()) throws(ConfigurationMistakes) {
        self.folder = folder
        self.sources = sources
        generic = try ProfileReader.read(
            text: BuiltIn.profile(named: "generic") ?? "", file: "generic.yaml", generic: nil)
    }

    /// All built-in profiles with their recorded cases, in the order of their names; the second takes as long as a start.
    ///
    /// - Throws: ``ConfigurationMistakes`` if this program was built with a faulty one.
    static func allWithCases() throws(ConfigurationMistakes) -> [Profile] {
        try ProfileReader.builtIn(BuiltIn.profiles)
    }

    /// The profile of this name, or in this file.
    ///
    /// A built-in one comes without the cases that it has in a file of their own.
    ///
    /// - Throws: ``ConfigurationMistakes``
    func profile(named name: String) throws(ConfigurationMistakes) -> Profile {
        if let profile = try builtInProfile(named: name) { return profile }
        guard Self.isPath(name) else {
            let names = Self.names.joined(separator: ", ")
            throw ConfigurationMistakes(
                file: name, reason: "is neither a profile (\(names)) nor the path of one (with a / or .yaml)")
        }
        let path = Files.path(name, in: folder)
        if let result = files.withLock({ $0[path] }) { return try result.get() }
        guard let text = sources.read(path) else {
            throw ConfigurationMistakes(file: path, reason: "cannot be read: \(Files.lastError)")
        }
        let result = Result { () throws(ConfigurationMistakes) in
            try ProfileReader.read(text: text, file: path, surroundings: .system, generic: generic)
        }
        files.withLock { $0[path] = result }
        return try result.get()
    }

    private func builtInProfile(named name: String) throws(ConfigurationMistakes) -> Profile? {
        if name == "generic" { return generic }
        if let profile = builtIn.withLock({ $0[name] }) { return profile }
        guard let text = BuiltIn.profile(named: name) else { return nil }
        let profile = try ProfileReader.read(text: text, file: "\(name).yaml", generic: generic)
        builtIn.withLock { $0[name] = profile }
        return profile
    }

    /// The profile that a command line argument names; prints why there is none, and throws the exit code.
    func profileOrReport(named name: String) throws -> Profile {
        do {
            return try profile(named: name)
        } catch {
            StandardStreams.printError("\(error)")
            throw Self.isPath(name) ? Failure.check : Failure.usage
        }
    }

    /// The profile of this name, or in this file, as it is written: without what the generic profile adds.
    ///
    /// - Throws: ``ConfigurationMistakes``
    func ownPart(of name: String) throws(ConfigurationMistakes) -> Profile {
        if let text = BuiltIn.profile(named: name) {
            return try ProfileReader.read(text: text, file: "\(name).yaml", generic: nil)
        }
        let path = Files.path(name, in: folder)
        guard let text = sources.read(path) else {
            throw ConfigurationMistakes(file: path, reason: "cannot be read: \(Files.lastError)")
        }
        return try ProfileReader.read(text: text, file: path, surroundings: .system, generic: nil)
    }

    /// The profile of this name, or in this file, with all that it inherits, as a profile that inherits nothing.
    ///
    /// - Throws: ``ConfigurationMistakes``
    func resolved(_ name: String) throws(ConfigurationMistakes) -> DocumentTree {
        let generic = BuiltIn.profile(named: "generic") ?? ""
        if let text = BuiltIn.profile(named: name) {
            return try ProfileReader.resolved(
                text: text, file: "\(name).yaml", generic: name == "generic" ? nil : generic)
        }
        let path = Files.path(name, in: folder)
        guard let text = sources.read(path) else {
            throw ConfigurationMistakes(file: path, reason: "cannot be read: \(Files.lastError)")
        }
        return try ProfileReader.resolved(text: text, file: path, generic: generic)
    }

    /// The path of the file with the cases of a profile file: `mine.cases.yaml` for `mine.yaml`; `nil` for another name.
    static func casesPath(of path: String) -> String? {
        path.hasSuffix(".yaml") ? path.dropLast(".yaml".count) + ".cases.yaml" : nil
    }

    /// The cases in the file beside a profile file; none if there is no such file.
    ///
    /// - Throws: ``ConfigurationMistakes``
    func cases(beside name: String) throws(ConfigurationMistakes) -> [ProfileCase] {
        guard let path = Self.casesPath(of: Files.path(name, in: folder)), FileMark(path) != nil else {
            return []
        }
        guard let text = sources.read(path) else {
            throw ConfigurationMistakes(file: path, reason: "cannot be read: \(Files.lastError)")
        }
        return try ProfileReader.readCases(text: text, file: path)
    }

    /// The defaults that the configuration takes from a profile; `nil` if there is no such profile.
    ///
    /// For a file with mistakes it returns placeholders, since the mistakes are reported separately; see ``mistakes``.
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
