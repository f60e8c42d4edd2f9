import Locking
import Logging

/// What a logger was given.
final class LogRecord: Sendable {
    /// One event.
    struct Entry: Sendable {
        var level: Logger.Level
        var message: String
        /// The metadata as text.
        var metadata: String
    }

    private let state = Lock<[Entry]>([])

    /// All events so far.
    var entries: [Entry] { state.withLock { $0 } }

    /// The lines of the access log.
    var exchanges: [Entry] { entries.filter { $0.message == "exchange" } }

    /// Everything as one text, to look for what must not be in it.
    var text: String { entries.map { "\($0.level) \($0.message) \($0.metadata)" }.joined(separator: "\n") }

    func append(_ entry: Entry) { state.withLock { $0.append(entry) } }
}

/// Keeps events in a ``LogRecord``.
struct RecordingLogHandler: LogHandler {
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.debug
    let record: LogRecord

    init(record: LogRecord) { self.record = record }

    subscript(metadataKey key: String) -> Logger.MetadataValue? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let metadata = (event.metadata ?? [:]).map { "\($0.key)=\($0.value)" }.sorted()
        record.append(
            LogRecord.Entry(
                level: event.level, message: event.message.description,
                metadata: metadata.joined(separator: " ")))
    }
}
