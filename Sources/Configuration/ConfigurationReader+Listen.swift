internal import ProxyCore

extension YAMLValue {
    /// Where to listen: an address, or a mapping of one and of TLS.
    var listener: (address: ListenAddress?, tls: ListenerTLS?) {
        guard isMapping else { return (listenAddress, nil) }
        var listener: (address: ListenAddress?, tls: ListenerTLS?) = (nil, nil)
        var hasAddress = false
        for (key, value) in members(of: ConfigurationReader.ListenKey.self) {
            switch key {
            case .address:
                hasAddress = true
                listener.address = value.listenAddress
            case .tls: listener.tls = value.listenerTLS
            }
        }
        if !hasAddress { report("needs `address`, such as 127.0.0.1:8443") }
        return listener
    }

    private var listenerTLS: ListenerTLS? {
        let members = members(of: ConfigurationReader.ListenTLSKey.self)
        guard isMapping || isNull else { return nil }
        var certificate: (place: YAMLValue, text: String?)?
        var key: (place: YAMLValue, text: String?)?
        var version = TLSConfiguration.Version.tls12
        for (name, value) in members {
            switch name {
            case .certificate: certificate = (value, value.fileContents)
            case .key: key = (value, value.fileContents)
            case .minimumVersion: value.tlsVersion.map { version = $0 }
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
        return ListenerTLS(certificate: Secret(chain), key: Secret(secret), minimumVersion: version)
    }

    /// What is in the file of this path.
    private var fileContents: String? {
        parsed { path throws(InvalidSetting) in
            guard !path.isEmpty, let text = reading.surroundings.file(path) else {
                throw InvalidSetting("must be a file that can be read")
            }
            return text
        }
    }

    /// The oldest version of TLS that is spoken.
    var tlsVersion: TLSConfiguration.Version? {
        choice(TLSConfiguration.Version.allCases.map { ($0.rawValue, $0) })
    }
}
