// SPDX-License-Identifier: Apache-2.0

internal import StowageFiles
package import StowageModel
internal import StowageSystem
package import SystemPackage

/// What an overlay layer's own directory changes, without mounting anything (archive-and-diff 9.1).
///
/// - Parameters:
///   - upper: the layer's `diff` directory.
///   - lowers: those of the layers below, nearest first.
///   - attributes: where the marks of opaque directories are.
/// - Returns: changes in the order of the tree, names sorted by bytes, a directory before its content. A replaced directory is
///   a deletion with additions below it.
/// - Throws: `system`.
package func overlayChanges(
  upper: FilePath, lowers: [FilePath], attributes: OverlayAttributes = .trusted
) throws(StorageError) -> [Change] {
  let collector = try OverlayChangeCollector(lowers, attributes)
  try walkTree(at: upper) { (entry) throws(StorageError) in try collector.visit(entry) }
  return collector.changes
}

private final class OverlayChangeCollector {
  private(set) var changes: [Change] = []
  private let lowers: LowerTrees
  private let marks: OverlayMarks
  /// Per directory on the way down: its path, the lower directories that may speak of its entries, whether it was recorded.
  private var levels: [(path: [UInt8], scope: LowerTrees.Scope, isKnown: Bool)]

  init(_ lowers: [FilePath], _ attributes: OverlayAttributes) throws(StorageError) {
    self.lowers = try LowerTrees(lowers, attributes: attributes)
    marks = OverlayMarks(attributes)
    levels = [([], self.lowers.rootScope, true)]
  }

  func visit(_ entry: borrowing TreeEntry) throws(StorageError) -> WalkDecision {
    let path = entry.path
    let depth = path.reduce(into: 1) { count, byte in count += byte == UInt8(ascii: "/") ? 1 : 0 }
    levels.removeLast(max(0, levels.count - depth))
    guard let scope = levels.last?.scope else { return .skip }
    let kind = try kind(of: entry, in: scope)
    if let kind {
      if kind != .modify { recordParents() }
      record(path, kind)
    }
    guard entry.status.isDirectory else { return .skip }
    levels.append((path, try lowers.scope(of: path, in: scope), kind != nil))
    return .enter
  }

  /// What happened to one object; nil for a directory that is as it was.
  private func kind(
    of entry: borrowing TreeEntry, in scope: LowerTrees.Scope
  ) throws(StorageError) -> Change.Kind? {
    if try marks.isWhiteout(entry) { return .delete }
    guard case .found(let old) = try lowers.find(entry.path, in: scope) else { return .add }
    if try marks.isOpaque(entry) { return .delete }
    let new = entry.status
    let isUnchanged =
      new.isDirectory && old.isDirectory && new.size == old.size && new.mode == old.mode
      && isSameTime(new.modificationTime, old.modificationTime)
    return isUnchanged ? nil : .modify
  }

  private func recordParents() {
    for index in levels.indices where !levels[index].isKnown {
      levels[index].isKnown = true
      record(levels[index].path, .modify)
    }
  }

  private func record(_ path: [UInt8], _ kind: Change.Kind) {
    changes.append(Change(path: [UInt8(ascii: "/")] + path, kind: kind))
  }
}

/// Equal instants, or the same second where one side keeps whole seconds only (archive-and-diff 9.3).
func isSameTime(_ a: FileTime, _ b: FileTime) -> Bool {
  a.seconds == b.seconds && (a.nanoseconds == b.nanoseconds || a.nanoseconds == 0 || b.nanoseconds == 0)
}
