public import Logging

/// Writes each event of a logger as one line with one JSON object.
///
/// `{"time":"2026-01-31T12:00:00.000Z","level":"info","message":"…"`, followed by the metadata: members given as
/// ``JSONMembers/metadata`` in their own order, the others sorted by key. Numbers and booleans in the metadata keep
/// their types. A line has at most 16 KiB; `"truncated":true` at its end marks a line from which something was cut or
/// omitted.
public struct JSONLogHandler: LogHandler {
    /// Metadata of every line of this logger.
    public var metadata: Logger.Metadata = [:]
    /// Metadata from the task or another context of the caller.
    public var metadataProvider: Logger.MetadataProvider?
    /// The minimum level to log: that of the switch, unless this logger has a level of its own.
    public var logLevel: Logger.Level {
        get { ownLevel ?? level.level }
        set { ownLevel = newValue }
    }

    private let level: LogLevelSwitch
    private var ownLevel: Logger.Level?
    private let writer: LogWriter
    private let clock: @Sendable () -> Int64

    /// A handler that passes its lines to `writer`, which several handlers may share.
    ///
    /// - Parameters:
    ///   - level: the minimum level, which may change later.
    ///   - clock: milliseconds since 1970-01-01 UTC.
    public init(
        writer: LogWriter, level: LogLevelSwitch, metadataProvider: Logger.MetadataProvider? = nil,
        clock: @escaping @Sendable () -> Int64 = LogWriter.wallClock
    ) {
        self.writer = writer
        self.level = level
        self.metadataProvider = metadataProvider
        self.clock = clock
    }

    /// A handler whose minimum level nothing else changes.
    public init(
        writer: LogWriter, logLevel: Logger.Level = .info,
        clock: @escaping @Sendable () -> Int64 = LogWriter.wallClock
    ) {
        self.init(writer: writer, level: LogLevelSwitch(logLevel), clock: clock)
    }

    /// One value of ``metadata``.
    public subscript(metadataKey key: String) -> Logger.MetadataValue? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// Writes an event; warnings and more severe events are written without delay.
    public func log(event: LogEvent) {
        var line = JSONLine(
            milliseconds: clock(), level: event.level.rawValue, message: event.message.description)
        line.members.append(allMetadata(of: event))
        writer.write(line.finished(), urgent: event.level >= .warning)
    }

    /// Metadata closer to the event takes precedence.
    private func allMetadata(of event: LogEvent) -> Logger.Metadata {
        var all = event.metadata ?? [:]
        if let provider = metadataProvider { all.merge(provider.get()) { nearer, _ in nearer } }
        if !metadata.isEmpty { all.merge(metadata) { nearer, _ in nearer } }
        if let error = event.error, all["error"] == nil { all["error"] = .string("\(error)") }
        return all
    }
}
