import TestSupport
import Testing

/// Connections through TLS that end in every way: a port of this machine, each connection to which leads to one that speaks TLS.
///
/// What is sent there is sent through TLS; where sending ends there (`shutdownWrite()`), the other connection ends as it was chosen.
final class TLSEndings: Sendable {
    /// How the connection ends.
    enum Ending: String, Sendable {
        /// close_notify, then the end of both directions.
        case close = "c"
        /// The end of both directions, without a word.
        case silentClose = "s"
        case reset = "r"
        /// close_notify, then the end of the sending side.
        case halfClose = "h"
        /// The end of the sending side alone.
        case silentHalfClose = "f"
        /// close_notify alone.
        case notice = "n"
    }

    /// One for all tests: it ends with their process.
    static let shared = Result { try TLSEndings() }

    private let process: Subprocess
    private let port: UInt16

    private init() throws {
        process = try Subprocess("python3", ["-c", Self.script])
        try process.waitForOutput(containing: "\n", within: .seconds(60))
        port = try #require(UInt16(process.output.prefix { $0.isNumber }), "a port")
    }

    /// A client of a port that speaks TLS.
    ///
    /// - Parameter inOnePiece: whether all that is sent is sent with the end.
    func client(of target: UInt16, ending: Ending, inOnePiece: Bool = false) throws -> RawClient {
        let client = try RawClient(port: port, observing: expectValidProblem)
        try client.send("\(inOnePiece ? ending.rawValue.uppercased() : ending.rawValue)\(target)\n")
        return client
    }

    private static let script = """
        import os, select, socket, ssl, struct, threading, time
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE

        def serve(app):
            order = b""
            while not order.endswith(b"\\n"): order += app.recv(1)
            with socket.create_connection(("127.0.0.1", int(order[1:]))) as line: relay(app, line, chr(order[0]))

        def relay(app, line, mode):
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            received, sent = ssl.MemoryBIO(), ssl.MemoryBIO()
            tls = context.wrap_bio(received, sent)
            def flush():
                if data := sent.read(): line.sendall(data)
            def farewell():
                try: tls.unwrap()
                except ssl.SSLWantReadError: pass
                flush()
            while True:
                try:
                    tls.do_handshake()
                    break
                except ssl.SSLWantReadError:
                    flush()
                    data = line.recv(65536)
                    if not data: return
                    received.write(data)
            flush()
            held, sends = b"", True
            while True:
                ready = select.select([line, app] if sends else [line], [], [])[0]
                if app in ready:
                    data = app.recv(65536)
                    if data and mode.isupper():
                        held += data
                    elif data:
                        tls.write(data)
                        flush()
                    else:
                        sends, kind = False, mode.lower()
                        if held:
                            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
                            tls.write(held)
                            flush()
                        if kind in "chn": farewell()
                        if kind in "hf": line.shutdown(socket.SHUT_WR)
                        if kind == "n": line.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 0)
                        if kind == "r":
                            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                        if kind in "csr": return
                if line in ready:
                    data = line.recv(65536)
                    if not data: return
                    received.write(data)
                    try:
                        while data := tls.read(65536): app.sendall(data)
                    except ssl.SSLWantReadError: pass
                    except ssl.SSLError: return
                    if not data: return

        def serve_and_close(app):
            try: serve(app)
            except OSError: pass
            app.close()

        listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        def accept():
            while True: threading.Thread(target=serve_and_close, args=(listener.accept()[0],), daemon=True).start()
        threading.Thread(target=accept, daemon=True).start()
        parent = os.getppid()
        print(listener.getsockname()[1], flush=True)
        while os.getppid() == parent: time.sleep(0.5)
        """
}
