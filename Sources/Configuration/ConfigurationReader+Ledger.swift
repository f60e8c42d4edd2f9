internal import Core

extension YAMLValue {
    /// The value of `ledger`, an address or a mapping of address, user, password and TLS; `.some(nil)` for `memory`.
    var sharedLedger: LedgerAddress?? {
        guard isMapping else { return ledgerAddress }
        var places: [ConfigurationReader.LedgerKey: YAMLValue] = [:]
        var user: String?
        var password: Secret?
        var tls: TLSConfiguration?
        for (key, value) in members(of: ConfigurationReader.LedgerKey.self) {
            places[key] = value
            switch key {
            case .url: break
            case .user: user = value.secret?.value
            case .password: password = value.secret
            case .tls: tls = value.tlsConfiguration
            }
        }
        guard let url = places[.url] else {
            report("needs `url`, such as rediss://redis.example:6379")
            return nil
        }
        if let name = places[.user], places[.password] == nil {
            name.report("requires `password`")
        }
        guard let read = url.ledgerAddress else { return nil }
        guard var address = read else {
            url.report("must be the address of a server: memory has no user, password or TLS")
            return nil
        }
        if address.password != nil, let place = places[.password] ?? places[.user] {
            place.report("is also in `url`; remove one of them")
        }
        if let tls, let place = places[.tls] {
            if address.tls == nil { place.report("has no effect: the url is not rediss://") }
            address.tls = tls
        }
        if let password { (address.user, address.password) = (user, password) }
        return address
    }
}
