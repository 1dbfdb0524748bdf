// SPDX-License-Identifier: Apache-2.0

extension Timestamp {
  /// Reads an RFC 3339 time: capital `T` and `Z`, offsets up to ±23:59, any number of fractional digits of which nine
  /// count. Nil for anything else, also for days the month does not have and for leap seconds.
  public init?(parsing text: String) {
    var copy = text
    guard let value = copy.withUTF8({ Timestamp.parse(UnsafeRawBufferPointer($0)) }) else { return nil }
    self = value
  }

  /// RFC 3339 as in the record files.
  public var description: String {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(35)
    appendText(to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  func appendText(to out: inout [UInt8]) {
    let (local, overflow) = seconds.addingReportingOverflow(Int64(offsetMinutes) * 60)
    let (days, second) = Timestamp.floorDivide(overflow ? seconds : local, 86400)
    let (year, month, day) = Timestamp.date(daysSinceEpoch: days)
    Timestamp.append(year, digits: 4, to: &out)
    out.append(0x2D)
    Timestamp.append(month, digits: 2, to: &out)
    out.append(0x2D)
    Timestamp.append(day, digits: 2, to: &out)
    out.append(0x54)
    Timestamp.append(second / 3600, digits: 2, to: &out)
    out.append(0x3A)
    Timestamp.append(second / 60 % 60, digits: 2, to: &out)
    out.append(0x3A)
    Timestamp.append(second % 60, digits: 2, to: &out)
    if nanoseconds > 0 {
      out.append(0x2E)
      Timestamp.append(Int64(nanoseconds), digits: 9, to: &out)
      while out.last == 0x30 { out.removeLast() }
    }
    if offsetMinutes == 0 {
      out.append(0x5A)
    } else {
      let minutes = Int64(offsetMinutes.magnitude)
      out.append(offsetMinutes < 0 ? 0x2D : 0x2B)
      Timestamp.append(minutes / 60, digits: 2, to: &out)
      out.append(0x3A)
      Timestamp.append(minutes % 60, digits: 2, to: &out)
    }
  }

  static func parse(_ text: UnsafeRawBufferPointer) -> Timestamp? {
    guard text.count >= 20, text[4] == 0x2D, text[7] == 0x2D, text[10] == 0x54, text[13] == 0x3A, text[16] == 0x3A,
      let year = number(text, 0, 4), let month = number(text, 5, 2), let day = number(text, 8, 2),
      let hour = number(text, 11, 2), let minute = number(text, 14, 2), let second = number(text, 17, 2),
      (1...12).contains(month), day >= 1, day <= daysIn(month: month, year: year), hour < 24, minute < 60, second < 60
    else { return nil }
    var index = 19
    var nanoseconds: Int32 = 0
    if text[index] == 0x2E {
      index += 1
      let start = index
      var scale: Int32 = 100_000_000
      while index < text.count, (0x30...0x39).contains(text[index]) {
        nanoseconds += Int32(text[index] - 0x30) * scale
        scale /= 10
        index += 1
      }
      if index == start { return nil }
    }
    guard let offset = offsetMinutes(text, from: index) else { return nil }
    let days = daysSinceEpoch(year: year, month: month, day: day)
    let local = days * 86400 + hour * 3600 + minute * 60 + second
    return Timestamp(seconds: local - Int64(offset) * 60, nanoseconds: nanoseconds, offsetMinutes: offset)
  }

  private static func offsetMinutes(_ text: UnsafeRawBufferPointer, from index: Int) -> Int16? {
    if index + 1 == text.count { return text[index] == 0x5A ? 0 : nil }
    guard index + 6 == text.count, text[index] == 0x2B || text[index] == 0x2D, text[index + 3] == 0x3A,
      let hours = number(text, index + 1, 2), let minutes = number(text, index + 4, 2), hours < 24, minutes < 60
    else { return nil }
    let total = Int16(hours * 60 + minutes)
    return text[index] == 0x2D ? -total : total
  }

  private static func number(_ text: UnsafeRawBufferPointer, _ start: Int, _ digits: Int) -> Int64? {
    var value: Int64 = 0
    for index in start..<(start + digits) {
      let digit = text[index] &- 0x30
      if digit > 9 { return nil }
      value = value * 10 + Int64(digit)
    }
    return value
  }

  private static func append(_ value: Int64, digits: Int, to out: inout [UInt8]) {
    // Years outside 0…9999 cannot come from a text; they are shown with as many digits as they need.
    var text = Array(String(value.magnitude).utf8)
    while text.count < digits { text.insert(0x30, at: 0) }
    if value < 0 { out.append(0x2D) }
    out += text
  }

  private static func daysIn(month: Int64, year: Int64) -> Int64 {
    switch month {
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }

  private static func floorDivide(_ value: Int64, _ by: Int64) -> (quotient: Int64, remainder: Int64) {
    let (quotient, remainder) = value.quotientAndRemainder(dividingBy: by)
    return remainder < 0 ? (quotient - 1, remainder + by) : (quotient, remainder)
  }

  /// Days since 1970-01-01 of a date of the Gregorian calendar, counted in 400-year cycles that begin in March.
  private static func daysSinceEpoch(year: Int64, month: Int64, day: Int64) -> Int64 {
    let (cycle, yearOfCycle) = floorDivide(month <= 2 ? year - 1 : year, 400)
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    let dayOfCycle = yearOfCycle * 365 + yearOfCycle / 4 - yearOfCycle / 100 + dayOfYear
    return cycle * 146_097 + dayOfCycle - 719_468
  }

  /// The inverse of `daysSinceEpoch`.
  private static func date(daysSinceEpoch: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let (cycle, dayOfCycle) = floorDivide(daysSinceEpoch + 719_468, 146_097)
    let yearOfCycle = (dayOfCycle - dayOfCycle / 1460 + dayOfCycle / 36524 - dayOfCycle / 146_096) / 365
    let dayOfYear = dayOfCycle - (365 * yearOfCycle + yearOfCycle / 4 - yearOfCycle / 100)
    let shifted = (5 * dayOfYear + 2) / 153
    let month = shifted < 10 ? shifted + 3 : shifted - 9
    return (yearOfCycle + cycle * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shifted + 2) / 5 + 1)
  }
}
