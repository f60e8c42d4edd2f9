/// The files of `Config/` that are part of the program, so that it needs none at run time.
public enum BuiltIn {
    /// The profiles' YAML, by name.
    public static let profiles: [(name: String, yaml: String)] = [
        ("generic", text(PackageResources.generic_yaml)),
        ("lemlist", text(PackageResources.lemlist_yaml)),
        ("lettr", text(PackageResources.lettr_yaml)),
    ]

    /// The JSON Schema (draft 2020-12) of the problem.
    public static let problemSchema = text(PackageResources.problem_schema_json)

    /// The JSON Schema (draft 2020-12) of the configuration.
    public static let configurationSchema = text(PackageResources.configuration_schema_json)

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}
