extension Rule {
    /// What an error means about which no rule says anything.
    static func lastResort(_ status: Int) -> Rule {
        var rule = Rule(
            name: "none", profile: "none", result: status < 500 ? .invalidRequest : .providerError)
        if status > 599 { rule.status = 502 }
        rule.isMapped = false
        return rule
    }

    /// What a 407 means: a proxy on the way to the provider asks for credentials, and has sent nothing on.
    static let proxyAuthentication: Rule = {
        var rule = Rule(name: "status 407", profile: "generic", result: .providerUnreachable)
        rule.isTransient = false
        rule.status = 502
        return rule
    }()
}
