// SPDX-License-Identifier: Apache-2.0

internal import StowageModel
internal import StowageRecords
internal import SystemPackage

/// Which layers are mounted where, and how often. Source: on-disk-format 4.5.
///
/// Only positive counts with a path exist here; everything else counts as "not mounted".
struct MountLedger: Sendable {
  /// The file.
  var file: RecordFile<MountRecord>
  private var byLayer: [LayerID: MountRecord] = [:]

  init(_ path: FilePath) {
    file = RecordFile(path, isFlushed: false, namesFileInErrors: false)
  }

  /// Reads the file. Entries without path or count are dropped; identifiers are resolved like names.
  ///
  /// - Parameter isOwn: whether a torn file counts as far as it can be read: a mount without a count can be used and ended all
  ///   the same, as after the run root was lost.
  mutating func load(isOwn: Bool = true, resolving resolve: (String) -> LayerID?) throws(StorageError) {
    try file.load(takesReadable: isOwn)
    byLayer.removeAll()
    for record in file.document.records where !record.path.isEmpty && record.count > 0 {
      // Entries of layers that only an additional store has are our own: they are kept under their identifier.
      let id = resolve(record.id.rawValue) ?? record.id
      byLayer[id] = MountRecord(id: id, path: record.path, count: record.count)
    }
  }

  /// Whether nothing is mounted.
  var isEmpty: Bool { byLayer.isEmpty }

  /// All mounted layers, unordered.
  var layers: [LayerID] { Array(byLayer.keys) }

  /// The mount of a layer.
  subscript(id: LayerID) -> MountRecord? { byLayer[id] }

  /// Which layer is mounted at a path.
  func layer(at path: String) -> LayerID? { byLayer.values.first { $0.path == path }?.id }

  /// Sets path and count of a layer; a count of 0 or less ends the entry.
  mutating func set(_ id: LayerID, path: String, count: Int) {
    byLayer[id] = count > 0 && !path.isEmpty ? MountRecord(id: id, path: path, count: count) : nil
  }

  /// Makes the document equal to the table, in the order given, other layers at the end.
  ///
  /// - Returns: whether the file must be written: its content differs, or there is no file yet.
  mutating func prepare(order: [LayerID]) -> Bool {
    var document = RecordDocument<MountRecord>()
    var rest = byLayer
    for id in order {
      if let record = rest.removeValue(forKey: id) { document.append(record) }
    }
    for id in rest.keys.sorted() {
      if let record = rest[id] { document.append(record) }
    }
    if !file.isDirty, file.signature != nil, document.encoded() == file.document.encoded() { return false }
    file.document = document
    return true
  }
}
