// SPDX-License-Identifier: Apache-2.0

internal import StowageModel
internal import SystemPackage

/// A name from an archive, cleaned lexically, relative to the layer's root (archive-and-diff 4.2.1).
///
/// It has no empty, `.` or `..` components. It may still pass through symbolic links, so it must be resolved in the root.
struct EntryPath: Hashable, Sendable {
  /// The path without a leading or trailing `/`, followed by a NUL so that it and its last component can be handed to the
  /// kernel.
  let terminated: [UInt8]
  /// Where the last component begins.
  let baseOffset: Int

  /// True for the root itself.
  var isRoot: Bool { terminated.count == 1 }
  /// Number of bytes, without the NUL.
  var count: Int { terminated.count - 1 }
  /// The path, without the NUL.
  var bytes: ArraySlice<UInt8> { terminated[..<count] }
  /// The last component, empty for the root.
  var base: ArraySlice<UInt8> { terminated[baseOffset..<count] }
  /// The path of the directory above; empty if that is the root.
  var parent: ArraySlice<UInt8> { terminated[..<max(0, baseOffset - 1)] }

  /// Cleans a name from an archive.
  ///
  /// - Parameters:
  ///   - role: what it is, for the message.
  ///   - isWhiteoutPossible: whether a last component that begins with `.wh.` stands for the name behind that.
  /// - Throws: `invalidArchive` if no file can have it: an empty name, one with a NUL byte, or one that is longer than the kernel
  ///   takes, which would cost time and memory by the square of its length.
  init(ofEntry name: [UInt8], role: String = "name", isWhiteoutPossible: Bool = false) throws(StorageError) {
    if name.isEmpty { throw StorageError(.invalidArchive, "an empty \(role) in the archive") }
    guard let path = EntryPath(cleaning: name) else {
      throw StorageError(.invalidArchive, "\(role) with a NUL byte: \(Self.shown(name))")
    }
    let isWhiteout = isWhiteoutPossible && path.base.starts(with: whiteoutPrefix)
    guard (isWhiteout ? path.sibling(path.base.dropFirst(whiteoutPrefix.count)) : path).canBeNamed else {
      throw StorageError(
        .invalidArchive, "\(role) of \(name.count) bytes, \(Self.shown(name)): file name too long",
        cause: Errno.fileNameTooLong)
    }
    self = path
  }

  /// Whether the kernel takes the path in one call: it is not longer than 4095 bytes, and none of its components than 255.
  var canBeNamed: Bool {
    count <= Self.longestPath && bytes.split(separator: UInt8(ascii: "/")).allSatisfy { $0.count <= Self.longestName }
  }

  /// The kernel's limit on a path in one call, without the NUL: `PATH_MAX`.
  static let longestPath = 4095
  /// The kernel's limit on one component: `NAME_MAX`.
  private static let longestName = 255

  /// A name for a message, the beginning of a long one.
  private static func shown(_ name: [UInt8]) -> String {
    name.count <= 80 ? goQuoted(bytes: name) : goQuoted(bytes: Array(name.prefix(60))) + "…"
  }

  /// Cleans a name; nil if it holds a NUL.
  init?(cleaning name: some BidirectionalCollection<UInt8>) {
    guard !name.contains(0) else { return nil }
    var cleaned: [UInt8] = []
    cleaned.reserveCapacity(name.count + 1)
    for component in name.split(separator: UInt8(ascii: "/")) {
      if component.elementsEqual(".".utf8) { continue }
      if component.elementsEqual("..".utf8) {
        // At the top this stays at the root, which is where the kernel would leave it, too.
        while let last = cleaned.popLast(), last != UInt8(ascii: "/") {}
        continue
      }
      if !cleaned.isEmpty { cleaned.append(UInt8(ascii: "/")) }
      cleaned.append(contentsOf: component)
    }
    self.init(relative: cleaned)
  }

  /// Takes a path that is clean already.
  init(relative path: some BidirectionalCollection<UInt8>) {
    var bytes = Array(path)
    baseOffset = bytes.lastIndex(of: UInt8(ascii: "/")).map { $0 + 1 } ?? 0
    bytes.append(0)
    terminated = bytes
  }

  /// The path of `name` in the same directory.
  func sibling(_ name: some Collection<UInt8>) -> EntryPath {
    EntryPath(relative: Array(terminated[..<baseOffset]) + Array(name))
  }

  /// Lends the last component as a C string; `.` for the root.
  @inline(__always)
  func withBase<R, E: Error>(_ body: (UnsafePointer<CChar>) throws(E) -> R) throws(E) -> R {
    if isRoot { return try withCString([UInt8(ascii: "."), 0], from: 0, body) }
    return try withCString(terminated, from: baseOffset, body)
  }
}

/// Lends NUL-terminated bytes as a C string. Bytes without a NUL become the empty string rather than an overrun.
@inline(__always)
func withCString<R, E: Error>(
  _ terminated: [UInt8], from offset: Int = 0, _ body: (UnsafePointer<CChar>) throws(E) -> R
) throws(E) -> R {
  try terminated.withUnsafeBufferPointer { (bytes) throws(E) -> R in
    guard bytes.last == 0, offset < bytes.count, let start = bytes.baseAddress else { return try body([0]) }
    return try body(UnsafeRawPointer(start + offset).assumingMemoryBound(to: CChar.self))
  }
}

/// Lends bytes without a NUL as a C string, in a copy. Bytes after an embedded NUL are lost.
func withCString<R, E: Error>(
  copying bytes: some Sequence<UInt8>, _ body: (UnsafePointer<CChar>) throws(E) -> R
) throws(E) -> R {
  var copy = Array(bytes)
  copy.append(0)
  return try withCString(copy, from: 0, body)
}
