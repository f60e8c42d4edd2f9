internal import CBuiltIn

/// The files of `Config/` that are part of the program, so that it needs none at run time.
public enum BuiltIn {
    /// The names of the profiles, sorted.
    public static let profileNames: [String] = files.keys.compactMap { path in
        guard path.hasPrefix("Profiles/"), path.hasSuffix(".yaml"), !path.hasSuffix(".cases.yaml") else {
            return nil
        }
        return String(path.dropFirst("Profiles/".count).dropLast(".yaml".count))
    }.sorted()

    /// The YAML of a profile, without the recorded cases that have a file of their own; `nil` if there is no such profile.
    public static func profile(named name: String) -> String? { text("Profiles/\(name).yaml") }

    /// The YAML of a profile with all of its recorded cases; `nil` if there is no such profile.
    ///
    /// A running Weir does not need them, and reading them takes longer than reading the rest.
    public static func profileWithCases(named name: String) -> String? {
        guard let profile = profile(named: name) else { return nil }
        return profile + (text("Profiles/\(name).cases.yaml") ?? "")
    }

    /// The YAML of all profiles with their cases, by name.
    public static var profiles: [(name: String, yaml: String)] {
        profileNames.map { (name: $0, yaml: profileWithCases(named: $0) ?? "") }
    }

    /// The JSON Schema (draft 2020-12) of the problem.
    public static let problemSchema = text("Schemas/problem.schema.json") ?? ""

    /// The JSON Schema (draft 2020-12) of the configuration.
    public static let configurationSchema = text("Schemas/configuration.schema.json") ?? ""

    /// The JSON Schema (draft 2020-12) of profiles.
    public static let profileSchema = text("Schemas/profile.schema.json") ?? ""

    /// The paths below `Config/` of all files that are part of the program.
    public static var paths: [String] { files.keys.sorted() }

    /// Where each file is in ``CBuiltIn``'s table, by path.
    private static let files: [String: UInt] = {
        var files: [String: UInt] = [:]
        for index in 0..<weir_file_count() { unsafe files[String(cString: weir_file_at(index).path)] = index }
        return files
    }()

    private static func text(_ path: String) -> String? {
        guard let index = files[path] else { return nil }
        let file = unsafe weir_file_at(index)
        return unsafe String(
            decoding: UnsafeBufferPointer(start: file.bytes, count: Int(file.count)), as: UTF8.self)
    }
}
