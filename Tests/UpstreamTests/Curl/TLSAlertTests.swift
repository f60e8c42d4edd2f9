import Testing

@testable import Upstream

@Suite("alerts that end TLS")
struct TLSAlertTests {
    @Test(
        "an alert is found in the messages of every version",
        arguments: [
            (
                "OpenSSL SSL_read: error:0A00045C:SSL routines::tlsv13 alert certificate required, errno 0",
                116,
                "tlsv13 alert certificate required"
            ),
            (
                "OpenSSL SSL_read: OpenSSL/3.5.1: error:0A000418:SSL routines::tlsv1 alert unknown ca, errno 0",
                48,
                "tlsv1 alert unknown ca"
            ),
            (
                "OpenSSL SSL_connect: error:0A000412:SSL routines::ssl/tls alert bad certificate", 42,
                "alert bad certificate"
            ),
            (
                "error:0A000438:SSL routines:ssl3_read_bytes:tlsv1 alert internal error", 80,
                "tlsv1 alert internal error"
            ),
        ])
    func found(message: String, number: Int, words: String) throws {
        let alert = try #require(TLSAlert(message: message))
        #expect(alert.number == number && alert.words == words)
    }

    @Test(
        "anything else is none",
        arguments: [
            "", "error:", "error:0A00010B:SSL routines::wrong version number",
            "error:0A0000C6:SSL routines::packet length too long", "error:zz:SSL routines::x",
            "error:80000068:system library::Connection reset by peer", "error:0A00045C",
            "OpenSSL SSL_read: SSL_ERROR_SYSCALL, errno 104", "error:FFFFFFFFFFFFFFFFFF:a:b",
        ])
    func none(message: String) { #expect(TLSAlert(message: message) == nil) }

    @Test("alerts about what is verified in the handshake refuse it, others may concern any record")
    func refusals() throws {
        let refusing: Set = [40, 42, 43, 44, 45, 46, 48, 49, 51, 70, 71, 109, 110, 112, 113, 115, 116, 120]
        for number in 0...255 {
            let code = String(0x0A00_0000 + 1000 + number, radix: 16, uppercase: true)
            let alert = try #require(TLSAlert(message: "error:0\(code):SSL routines::x"))
            #expect(alert.number == number)
            #expect(alert.refusesHandshake == refusing.contains(number))
        }
    }
}
