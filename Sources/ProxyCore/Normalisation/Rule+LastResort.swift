extension Rule {
    /// What an error means about which no rule says anything.
    static func lastResort(_ status: Int) -> Rule {
        var rule = Rule(
            name: "none", profile: "none", result: status < 500 ? .invalidRequest : .providerError)
        if status > 599 { rule.status = 502 }
        rule.isMapped = false
        return rule
    }
}
