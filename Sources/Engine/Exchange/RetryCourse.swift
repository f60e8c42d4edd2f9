internal import Core

/// What an exchange remembers of its earlier attempts.
struct RetryCourse {
    /// What the last attempt came to, as long as its answer is not given; it is set aside when the next one begins.
    var failure: AttemptFailure?
    /// What is known of the side effect of the attempts that were set aside.
    var effect = Effect.none
    /// How often the request was sent again.
    var count = 0
    /// How long the provider took for attempts that were set aside.
    var upstreamNanoseconds: Int64 = 0
}
