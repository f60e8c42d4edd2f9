/// Where days and months begin in UTC, in nanoseconds since 1970 (proleptic Gregorian, without leap seconds).
enum UTCCalendar {
    private static let day: Int64 = 86_400_000_000_000

    /// The first midnight after `time`.
    static func nextDay(after time: Int64) -> Int64 {
        beginning(ofDay: floorDivide(time, by: day) + 1)
    }

    /// The first midnight of a month after `time`.
    static func nextMonth(after time: Int64) -> Int64 {
        let today = floorDivide(time, by: day)
        // Months have at most 31 days, and the day of the month tells where the next begins.
        var next = today + 1
        while dayOfMonth(next) != 1 { next += 1 }
        return beginning(ofDay: next)
    }

    private static func beginning(ofDay number: Int64) -> Int64 {
        let (time, overflow) = number.multipliedReportingOverflow(by: day)
        return overflow ? .max : time
    }

    /// The day of the month of a day that is `number` days after 1970-01-01, from 1.
    private static func dayOfMonth(_ number: Int64) -> Int64 {
        // Counted in years that begin in March, so that the leap day is the last; an era has 400 years.
        let shifted = number + 719_468
        let dayOfEra = shifted - floorDivide(shifted, by: 146_097) * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let month = (5 * dayOfYear + 2) / 153
        return dayOfYear - (153 * month + 2) / 5 + 1
    }

    private static func floorDivide(_ value: Int64, by divisor: Int64) -> Int64 {
        let quotient = value / divisor
        return value % divisor < 0 ? quotient - 1 : quotient
    }
}
