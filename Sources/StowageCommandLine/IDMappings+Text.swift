// SPDX-License-Identifier: Apache-2.0
package import StowageModel

/// Reads ranges of IDs: `container:host:size`, any number of them joined by further colons; none in an empty text.
///
/// - Parameter kind: `uid` or `gid`, for the message.
/// - Throws: `invalidMappings` with the reference's text (cli 16.1).
package func parseIDMappings(_ text: String, kind: String) throws(StorageError) -> [IDMapping] {
  if text.isEmpty { return [] }
  let fields = text.split(separator: ":", omittingEmptySubsequences: false)
  let numbers: [Int] = fields.compactMap { (field: Substring) -> Int? in
    field.allSatisfy(\.isASCIIDigit) ? UInt32(field).map { Int($0) } : nil
  }
  guard numbers.count == fields.count, numbers.count % 3 == 0 else {
    throw StorageError(
      .invalidMappings,
      "initializing ID mappings: \(kind) setting is malformed expected [\"uint32:uint32:uint32\"]: "
        + "[\(goQuoted(text))]")
  }
  return stride(from: 0, to: numbers.count, by: 3).map { (first: Int) -> IDMapping in
    IDMapping(containerID: numbers[first], hostID: numbers[first + 1], size: numbers[first + 2])
  }
}

extension Character {
  fileprivate var isASCIIDigit: Bool { ("0"..."9").contains(self) }
}
