import TestSupport

extension RawClient {
    /// Closes the connection as a client does that has given up.
    ///
    /// Where Weir cannot see that its socket is closed, one that ends its side right behind its request is taken for one that still
    /// reads: this one lets some time pass.
    func leave() {
        pauseThread(for: .milliseconds(30))
        close()
    }
}
