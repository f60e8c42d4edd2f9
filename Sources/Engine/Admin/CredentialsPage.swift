internal import Core

/// `/-/credentials`: the state of each credential that Weir holds, as JSON.
///
/// A credential is named by its provider and its position there; no part of it is shown.
enum CredentialsPage {
    static func page(of service: ProxyService) -> AdminPage {
        var output = Array(#"{"credentials":["#.utf8)
        var isFirst = true
        for provider in service.providers {
            for reading in provider.guards.held.readings {
                if !isFirst { output.append(UInt8(ascii: ",")) }
                isFirst = false
                append(reading, of: provider.configuration.name, to: &output)
            }
        }
        output += Array("]}".utf8)
        return AdminPage(status: 200, contentType: AdminPage.json, body: output)
    }

    private static func append(_ reading: CredentialReading, of provider: String, to output: inout [UInt8]) {
        output += Array(#"{"provider":"#.utf8)
        JSONWriter.string(provider, into: &output)
        output += Array(
            #","position":\#(reading.position),"state":"\#(reading.state.rawValue)","since":\#(reading.since)"#
                .utf8)
        if let expiry = reading.expiry { output += Array(#","expires":\#(expiry)"#.utf8) }
        output.append(UInt8(ascii: "}"))
    }
}
