/// What is counted of one exchange when it is over.
public struct ExchangeRecord: Sendable {
    /// The place of its provider in the list given to ``ProxyMetrics``; `nil` without a route.
    ///
    /// The same as was given to ``MetricShard/exchangeStarted(provider:)``.
    public var provider: Int?
    /// The class of its method.
    public var method: MethodClass
    /// The status of the provider's last answer, 0 without one.
    public var providerStatus: Int = 0
    /// The status sent to the client, 0 if it left before.
    public var sentStatus: Int = 0
    /// The place of its problem's code in the list given to ``ProxyMetrics``; `nil` if all went well.
    ///
    /// It is the code of what happened, even where the client asked for the provider's raw answer.
    public var problem: Int?
    /// Time in the queue.
    public var queueNanoseconds: Int64 = 0
    /// Time that the provider took, of all attempts.
    public var upstreamNanoseconds: Int64 = 0
    /// The rest of the time between the first byte of the request and the last of the response.
    public var ownNanoseconds: Int64 = 0
    /// Requests really sent to the provider.
    public var attempts: Int = 0
    /// Body bytes that came from the client.
    public var requestBytes: UInt64 = 0
    /// Body bytes that went to the client.
    public var responseBytes: UInt64 = 0
    /// What went on when the client left; `nil` if it stayed.
    public var abort: ClientAbortStage?

    /// A record to be filled: no provider's answer, nothing sent, no time spent.
    public init(provider: Int?, method: MethodClass) {
        self.provider = provider
        self.method = method
    }
}
