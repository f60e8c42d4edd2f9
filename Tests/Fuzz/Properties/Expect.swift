/// Traps, with the reason in an optimised build too, unless `condition` holds.
func expect(_ condition: Bool, _ reason: @autoclosure () -> String) {
    if !condition { fatalError(reason()) }
}
