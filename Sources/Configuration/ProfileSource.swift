internal import Core

extension ProfileReader {
    /// The text of a profile with all that it inherits from the generic one, as a profile that inherits nothing.
    ///
    /// Its recorded cases are left out, and `${…}` stays as it is written.
    ///
    /// - Parameters:
    ///   - text: the profile's text, which must be valid.
    ///   - generic: the text of the generic profile; `nil` for that profile itself.
    /// - Throws: ``ConfigurationMistakes`` if one of the texts is no YAML.
    public static func resolved(
        text: String, file: String, generic: String?
    ) throws(ConfigurationMistakes) -> DocumentTree {
        var own = try DocumentTree(parsing: text, file: file)
        own["cases"] = nil
        guard let generic, own["inherit"]?.string.map(isNo) != true else { return own }
        let base = try DocumentTree(parsing: generic, file: "generic.yaml")
        let read = resolvedReading(own["read"], base["read"])
        own["read"] = read.members.isEmpty ? nil : read
        for key in ["waits", "rate_fields", "request_id"] where own[key] == nil { own[key] = base[key] }
        if own["credential"]?["found_in"] == nil, let places = base["credential"]?["found_in"] {
            var credential = own["credential"] ?? DocumentTree(.mapping([]))
            credential["found_in"] = places
            own["credential"] = credential
        }
        for key in ["field_phrases", "rules"] {
            let elements = (own[key]?.elements ?? []) + (base[key]?.elements ?? [])
            own[key] = elements.isEmpty ? nil : DocumentTree(.list(elements))
        }
        let first = own.members.filter { $0.name == "name" } + [("inherit", .plain("no"))]
        own.content = .mapping(first + own.members.filter { $0.name != "name" && $0.name != "inherit" })
        return own
    }

    private static func resolvedReading(_ own: DocumentTree?, _ base: DocumentTree?) -> DocumentTree {
        let inherit = own?["inherit"]
        let parts = BodyReading.Part.allCases.map(\.rawValue)
        let inherited: [String] =
            if let inherit, !inherit.elements.isEmpty {
                inherit.elements.compactMap(\.string)
            } else {
                inherit?.string.map(isNo) == true ? [] : parts
            }
        var read = DocumentTree(.mapping([]))
        for part in parts {
            let places =
                (own?[part]?.oneOrMany ?? [])
                + (inherited.contains(part) ? base?[part]?.oneOrMany ?? [] : [])
            if !places.isEmpty { read[part] = places.count == 1 ? places[0] : DocumentTree(.list(places)) }
        }
        return read
    }

    private static func isNo(_ text: String) -> Bool { ["no", "off", "false"].contains(text.lowercased()) }
}
