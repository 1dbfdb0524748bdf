// SPDX-License-Identifier: Apache-2.0

package import StowageCompression
internal import StowageFiles
package import StowageModel
internal import StowageSystem
package import SystemPackage

/// Writes an overlay layer's own directory as an archive, whiteouts in the archive's form (archive-and-diff 8.2).
///
/// - Parameters:
///   - upper: the layer's `diff` directory.
///   - lowers: those of the layers below, nearest first: an opaque mark is written only if there was something to hide.
///   - attributes: where the marks of opaque directories are.
///   - maps: owners are written as seen inside.
///   - markNames: what becomes of names that would delete something when the archive is extracted.
///   - cancellation: stops the work between two entries.
///   - sink: gets the archive; not finished.
/// - Throws: `system`, `cancelled`; `invalidArchive` if a file changes its size meanwhile. Part of the archive has been
///   written then.
package func writeOverlayDiff(
  upper: FilePath, lowers: [FilePath], attributes: OverlayAttributes = .trusted, maps: IDMaps = IDMaps(),
  markNames: MarkNames = .omitted, cancellation: CancellationFlag? = nil, to sink: any ByteSink
) throws(StorageError) {
  let writer = DiffWriter(sink, maps: maps, markNames: markNames, cancellation: cancellation)
  let marks = OverlayMarks(attributes)
  let lowerTrees = try LowerTrees(lowers, attributes: attributes)
  try walkTree(at: upper) { (entry) throws(StorageError) in
    if try writer.omits(entry.path) { return .skip }
    if try marks.isWhiteout(entry) {
      try writer.addWhiteout(FoundObject(entry))
      return .skip
    }
    guard let header = try writer.add(FoundObject(entry)) else { return .enter }
    if try marks.isOpaque(entry), case .found = try lowerTrees.find(entry.path) {
      try writer.addOpaqueMarker(for: header)
    }
    return .enter
  }
  try writer.finish()
}

/// Writes a full tree, or its differences from another one, as an archive (archive-and-diff 8.3).
///
/// - Parameters:
///   - new: the tree in question.
///   - old: what it is compared with; nil writes everything.
///   - maps: owners are written as seen inside the new tree.
///   - oldMaps: those of the old tree, for the comparison.
///   - markNames: what becomes of names that would delete something when the archive is extracted.
///   - readsContent: as for `treeChanges`.
///   - keepsHoles: whether files with holes are written as sparse ones, which not every reader of layers knows.
///   - cancellation: stops the work between two entries.
///   - sink: gets the archive; not finished.
/// - Throws: as ``writeOverlayDiff(upper:lowers:attributes:maps:markNames:cancellation:to:)``.
package func writeTreeDiff(
  new: FilePath, old: FilePath?, maps: IDMaps = IDMaps(), oldMaps: IDMaps = IDMaps(), markNames: MarkNames = .omitted,
  readsContent: Bool = false, keepsHoles: Bool = false, cancellation: CancellationFlag? = nil, to sink: any ByteSink
) throws(StorageError) {
  let writer = DiffWriter(
    sink, maps: maps, markNames: markNames, keepsHoles: keepsHoles, cancellation: cancellation)
  guard let old else {
    try walkTree(at: new) { (entry) throws(StorageError) in
      if try writer.omits(entry.path) { return .skip }
      try writer.add(FoundObject(entry))
      return .enter
    }
    return try writer.finish()
  }
  let tree = try ReadableTree(new)
  let now = FileTime.now()
  var omitted: EntryPath?
  for change in try treeChanges(
    new: new, old: old, newMaps: maps, oldMaps: oldMaps, readsContent: readsContent)
  {
    let path = EntryPath(relative: change.path.drop { $0 == UInt8(ascii: "/") })
    if let omitted, path.bytes.starts(with: Array(omitted.bytes) + [UInt8(ascii: "/")]) { continue }
    if try writer.omits(Array(path.bytes)) {
      omitted = path
      continue
    }
    if change.kind == .delete {
      try writer.addDeletion(Array(path.bytes), now: now)
      continue
    }
    let parent: OpenDirectory
    let status: FileStatus
    do throws(Errno) {
      parent = try tree.parent(of: path)
      status = try tree.status(of: path)
    } catch .noSuchFileOrDirectory {
      Log.error("Can't add file \(displayPath(path.bytes)) to tar: it is gone; skipping")
      continue
    } catch {
      throw .failed("lstat", path.bytes, error)
    }
    try path.withBase { (name) throws(StorageError) in
      _ = try writer.add(FoundObject(directory: parent.rawValue, name: name, path: Array(path.bytes), status: status))
    }
  }
  try writer.finish()
}
