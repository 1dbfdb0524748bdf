// SPDX-License-Identifier: Apache-2.0

/// A small table with text keys, kept sorted by the keys' bytes.
///
/// This is the order in which map members of the record files are written (on-disk-format 4.1), and keys that differ
/// only in Unicode composition stay apart, which a `Dictionary` would merge.
public struct KeyedValues<Value: Sendable & Hashable>: Hashable, Sendable {
  /// The entries, sorted by key bytes, each key once.
  public private(set) var entries: [Entry] = []

  /// One key with its value.
  public struct Entry: Hashable, Sendable {
    /// The key.
    public let key: String
    /// Its value.
    public var value: Value

    /// True if the keys have the same bytes and the values are equal.
    public static func == (a: Entry, b: Entry) -> Bool { a.key.hasSameBytes(as: b.key) && a.value == b.value }

    /// Hashes key bytes and value.
    public func hash(into hasher: inout Hasher) {
      key.hashBytes(into: &hasher)
      hasher.combine(value)
    }
  }

  /// An empty table.
  public init() {}

  /// True without entries.
  public var isEmpty: Bool { entries.isEmpty }

  /// The number of entries.
  public var count: Int { entries.count }

  /// The keys in byte order.
  public var keys: [String] { entries.map(\.key) }

  /// The value of a key; nil if it is absent, and setting nil removes it. O(log n) to read.
  public subscript(key: String) -> Value? {
    get {
      let (index, found) = position(of: key)
      return found ? entries[index].value : nil
    }
    set {
      let (index, found) = position(of: key)
      switch (newValue, found) {
      case (let value?, true): entries[index].value = value
      case (let value?, false): entries.insert(Entry(key: key, value: value), at: index)
      case (nil, true): entries.remove(at: index)
      case (nil, false): break
      }
    }
  }

  /// Removes all entries.
  public mutating func removeAll() { entries.removeAll() }

  private func position(of key: String) -> (index: Int, found: Bool) {
    var low = 0
    var high = entries.count
    while low < high {
      let middle = low + (high - low) / 2
      if entries[middle].key.precedesByBytes(key) { low = middle + 1 } else { high = middle }
    }
    return (low, low < entries.count && entries[low].key.hasSameBytes(as: key))
  }
}

extension KeyedValues: ExpressibleByDictionaryLiteral {
  /// A table from literal pairs; of a repeated key the last value counts.
  public init(dictionaryLiteral elements: (String, Value)...) {
    for (key, value) in elements { self[key] = value }
  }
}

extension KeyedValues: Sequence {
  /// Goes through the entries in byte order of the keys.
  public func makeIterator() -> AnyIterator<(key: String, value: Value)> {
    var iterator = entries.makeIterator()
    return AnyIterator { iterator.next().map { ($0.key, $0.value) } }
  }
}
