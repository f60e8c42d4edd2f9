internal import CCurl

/// The library as a whole.
public enum CurlLibrary {
    private static let initialised: Bool = {
        curl_global_init(Int(CURL_GLOBAL_ALL)) == CURLE_OK
    }()

    /// Prepares the library; before any thread is started.
    ///
    /// Further calls do nothing.
    public static func initialise() {
        precondition(initialised, "libcurl could not be initialised")
    }

    /// The version that runs, such as `7.88.1`.
    public static var version: String {
        guard let info = unsafe curl_version_info(CURLVERSION_FIRST), let text = unsafe info.pointee.version
        else { return "unknown" }
        return unsafe String(cString: text)
    }
}
