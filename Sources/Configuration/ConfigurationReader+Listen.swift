internal import Core

extension YAMLValue {
    /// The value of `listen`: an address, or a mapping of address, mode and TLS.
    var listener: (address: ListenAddress?, tls: ListenerTLS?) {
        guard isMapping else { return (listenAddress, nil) }
        var tls: ListenerTLS?
        var (address, mode): (YAMLValue?, YAMLValue?)
        for (key, value) in members(of: ConfigurationReader.ListenKey.self) {
            switch key {
            case .address: address = value
            case .mode: mode = value
            case .tls: tls = value.listenerTLS
            }
        }
        return (listenAddress(address, mode: mode), tls)
    }

    /// The value of `listen` without TLS: an address, or a mapping of address and mode.
    var plainListener: ListenAddress? {
        guard isMapping else { return listenAddress }
        var (address, mode): (YAMLValue?, YAMLValue?)
        for (key, value) in members(of: ConfigurationReader.PlainListenKey.self) {
            switch key {
            case .address: address = value
            case .mode: mode = value
            }
        }
        if mode == nil { report("needs `mode`, or to be the address alone") }
        return listenAddress(address, mode: mode)
    }

    /// The address from a mapping's `address` and `mode`.
    private func listenAddress(_ address: YAMLValue?, mode: YAMLValue?) -> ListenAddress? {
        if address == nil { report("needs `address`, such as 127.0.0.1:8443") }
        let (read, bits) = (address?.listenAddress, mode?.fileMode)
        guard let read, let mode else { return read }
        guard case .unix(let path, _) = read else {
            mode.report("has no effect: \(read) is a port; only a socket's file, unix:/PATH, has a mode")
            return nil
        }
        return bits.map { .unix(path: path, mode: $0) }
    }

    /// The permissions of a file.
    private var fileMode: FileMode? {
        parsed { text throws(InvalidSetting) in try FileMode(parsing: text) }
    }

    private var listenerTLS: ListenerTLS? {
        let members = members(of: ConfigurationReader.ListenTLSKey.self)
        guard isMapping || isNull else { return nil }
        var certificate: (place: YAMLValue, text: String?)?
        var key: (place: YAMLValue, text: String?)?
        var version = TLSConfiguration.Version.tls12
        var authorities: Secret?
        for (name, value) in members {
            switch name {
            case .certificate: certificate = (value, value.fileContents)
            case .key: key = (value, value.fileContents)
            case .minimumVersion: value.tlsVersion.map { version = $0 }
            case .clientAuthorities: authorities = value.authorities
            }
        }
        guard let certificate else {
            report("needs `certificate`, a PEM file")
            return nil
        }
        guard let chain = certificate.text, let secret = (key ?? certificate).text else { return nil }
        if let reason = reading.surroundings.identityMistake(chain, secret) {
            let both = key.map { "\(certificate.place.quoted) with the key \($0.place.quoted)" }
            certificate.place.report("\(both ?? certificate.place.quoted) cannot be used: \(reason)")
        }
        return ListenerTLS(
            certificate: Secret(chain), key: Secret(secret), minimumVersion: version,
            clientAuthorities: authorities)
    }

    /// The contents of a file of certificate authorities.
    private var authorities: Secret? {
        guard let text = fileContents else { return nil }
        if let reason = reading.surroundings.authorityMistake(text) {
            report("\(quoted) cannot be used: \(reason)")
        }
        return Secret(text)
    }

    /// The contents of the file at this path.
    private var fileContents: String? {
        parsed { path throws(InvalidSetting) in
            guard !path.isEmpty, let text = reading.surroundings.file(path) else {
                throw InvalidSetting("must be a readable file")
            }
            return text
        }
    }

    /// The oldest TLS version to use.
    var tlsVersion: TLSConfiguration.Version? {
        choice(TLSConfiguration.Version.allCases.map { ($0.rawValue, $0) })
    }
}
