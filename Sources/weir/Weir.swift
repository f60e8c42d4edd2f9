import ArgumentParser
import BuiltIn

@main
struct Weir: ParsableCommand {
    func run() { print(BuiltIn.profiles.count) }
}
