internal import Core

/// A key that looks like those of a provider, and how a request carries it.
enum SampleKey {
    /// The key, for a profile that is imitated as it describes itself.
    static func key(of profile: Profile) -> String {
        if profile.credentialPlaces.first == .basicPair { return "AC_sandbox:sandbox_demo" }
        return (profile.secretPrefixes.first?.string ?? "") + "sandbox_demo"
    }
}
