@testable import Core

/// A session with Redis, as the network knows it.
struct LedgerConnection {
    let instance: Int
    let process: Int
    let name: String
    /// Whether the instance has not closed it, and whether Redis believes that somebody listens.
    var isOpenHere = true
    var isOpenThere = false
    /// Whether what is under way is lost.
    var isDestroyed = false
    /// Whether messages are lost, without anybody being told.
    var isDeaf = false
    /// When the last thing arrives that is under way in each direction: nothing overtakes.
    var lastCall: Int64 = 0
    var lastReply: Int64 = 0
    var lastMessage: Int64 = 0
    /// What waits for the network.
    var stalledCalls: [LedgerCall] = []
    var stalledReplies: [LedgerReply] = []
    var stalledMessages: [[UInt8]] = []
    var hasStalledEnd = false
}
