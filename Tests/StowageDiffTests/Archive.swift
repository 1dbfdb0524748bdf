// SPDX-License-Identifier: Apache-2.0

import StowageArchive
import StowageCompression
import StowageDiff
import StowageModel
import StowageSystem
import StowageTestSupport
import SystemPackage

/// An archive built entry by entry.
struct Archive {
  private var entries: [(header: TarHeader, content: [UInt8])] = []

  /// Starts with no entries.
  init() {}

  /// Adds any entry.
  mutating func add(_ header: TarHeader, _ content: [UInt8] = []) { entries.append((header, content)) }

  mutating func file(
    _ name: String, _ text: String = "", mode: Int64 = 0o644, uid: Int64 = 0, gid: Int64 = 0,
    attributes: [(String, String)] = []
  ) {
    file(Array(name.utf8), text, mode: mode, uid: uid, gid: gid, attributes: attributes)
  }

  mutating func file(
    _ name: [UInt8], _ text: String = "", mode: Int64 = 0o644, uid: Int64 = 0, gid: Int64 = 0,
    attributes: [(String, String)] = []
  ) {
    add(
      TarHeader(
        kind: .regular, name: name, mode: mode, uid: uid, gid: gid, size: Int64(text.utf8.count),
        modified: ArchiveTime(seconds: 1_600_000_000),
        extendedAttributes: attributes.map { .init(name: Array($0.0.utf8), value: Array($0.1.utf8)) }),
      Array(text.utf8))
  }

  mutating func directory(
    _ name: String, mode: Int64 = 0o755, uid: Int64 = 0, gid: Int64 = 0, attributes: [(String, String)] = []
  ) {
    add(
      TarHeader(
        kind: .directory, name: Array(name.utf8), mode: mode, uid: uid, gid: gid,
        modified: ArchiveTime(seconds: 1_500_000_000),
        extendedAttributes: attributes.map { .init(name: Array($0.0.utf8), value: Array($0.1.utf8)) }))
  }

  mutating func symbolicLink(_ name: String, _ target: String, attributes: [(String, String)] = []) {
    add(
      TarHeader(
        kind: .symbolicLink, name: Array(name.utf8), linkName: Array(target.utf8), mode: 0o777,
        modified: ArchiveTime(seconds: 1_400_000_000),
        extendedAttributes: attributes.map { .init(name: Array($0.0.utf8), value: Array($0.1.utf8)) }))
  }

  mutating func hardLink(_ name: String, _ target: String, mode: Int64 = 0o644) {
    add(
      TarHeader(
        kind: .hardLink, name: Array(name.utf8), linkName: Array(target.utf8), mode: mode,
        modified: ArchiveTime(seconds: 1_600_000_000)))
  }

  mutating func device(_ name: String, major: Int64, minor: Int64, mode: Int64 = 0o600) {
    add(
      TarHeader(
        kind: .characterDevice, name: Array(name.utf8), mode: mode, deviceMajor: major, deviceMinor: minor))
  }

  /// Replaces the beginning of link targets.
  mutating func replaceTargets(_ old: String, with new: String) {
    for index in entries.indices where entries[index].header.linkName.starts(with: old.utf8) {
      entries[index].header.linkName.replaceSubrange(..<old.utf8.count, with: new.utf8)
    }
  }

  /// The archive's bytes.
  func bytes() throws -> [UInt8] {
    let sink = BytesSink()
    let writer = TarWriter(sink, precision: .nanoseconds)
    for entry in entries {
      try writer.begin(entry.header)
      var failure: ArchiveError?
      entry.content.withUnsafeBytes { bytes in
        do throws(ArchiveError) { try writer.write(bytes) } catch { failure = error }
      }
      if let failure { throw failure }
    }
    try writer.finish()
    return sink.bytes
  }
}

/// Applies bytes to a directory, which is made if missing.
@discardableResult
func apply(
  _ bytes: [UInt8], to root: FilePath, _ options: ApplyOptions = ApplyOptions(),
  _ request: ApplyRequest = ApplyRequest()
) throws -> ApplyResult {
  if !root.exists { try Syscall.mkdir(root, mode: 0o755) }
  return try applyLayer(from: BytesSource(bytes), to: root, options: options, request: request)
}

/// Applies an archive made by `build`.
@discardableResult
func apply(
  to root: FilePath, _ options: ApplyOptions = ApplyOptions(), _ build: (inout Archive) -> Void
) throws -> ApplyResult {
  var archive = Archive()
  build(&archive)
  return try apply(archive.bytes(), to: root, options)
}

/// The error of an application, nil if it succeeds.
func failure(
  _ bytes: [UInt8], to root: FilePath, _ options: ApplyOptions = ApplyOptions(),
  _ request: ApplyRequest = ApplyRequest()
) throws -> StorageError? {
  do {
    try apply(bytes, to: root, options, request)
    return nil
  } catch let error as StorageError {
    return error
  }
}

/// The same for an archive made by `build`.
func failure(
  to root: FilePath, _ options: ApplyOptions = ApplyOptions(), _ build: (inout Archive) -> Void
) throws -> StorageError? {
  var archive = Archive()
  build(&archive)
  return try failure(archive.bytes(), to: root, options)
}

/// All objects below a directory in `find`'s words, sorted; times of directories only on request.
func listing(_ root: FilePath, _ format: String = "%P|%y|%m|%U:%G|%T@|%s|%l|%n") throws -> [String] {
  let text = try shell(
    "find . -mindepth 1 \\( -type d -printf '\(format.replacingSize())\\n' \\) -o -printf '\(format)\\n' | LC_ALL=C sort",
    directory: root)
  return text.outputText.split(separator: "\n").map(String.init)
}

extension String {
  /// The size and link count of directories depend on the file system.
  fileprivate func replacingSize() -> String {
    split(separator: "|", omittingEmptySubsequences: false).filter { $0 != "%s" && $0 != "%n" }.joined(separator: "|")
  }
}

/// All extended attributes below a directory, as `getfattr` shows them, by path.
func attributes(_ root: FilePath) throws -> String {
  let text = try shell("getfattr -R -P -h -d -m - -e hex . 2>/dev/null", directory: root).outputText
  return text.split(separator: "# file: ").sorted().map { "# file: " + $0 }.joined()
}

/// The overlay diff of a directory.
func overlayDiff(_ upper: FilePath, _ lowers: [FilePath] = [], maps: IDMaps = IDMaps()) throws -> [UInt8] {
  let sink = BytesSink()
  try writeOverlayDiff(upper: upper, lowers: lowers, maps: maps, to: sink)
  return sink.bytes
}

/// The difference of two trees.
func treeDiff(_ new: FilePath, _ old: FilePath?, maps: IDMaps = IDMaps()) throws -> [UInt8] {
  let sink = BytesSink()
  try writeTreeDiff(new: new, old: old, maps: maps, oldMaps: maps, to: sink)
  return sink.bytes
}

/// Options of a vfs layer.
let plain = ApplyOptions(whiteouts: .plain, rootEntry: .apply)
