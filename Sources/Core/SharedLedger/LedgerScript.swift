/// The script that keeps the ledger in Redis.
public enum LedgerScript {
    /// Its text, in Lua.
    public static var text: [UInt8] { PackageResources.ledger_lua }
}
