internal import CAllocations

@main
enum Micro {
    static func main() {
        print(allocations_made())
    }
}
