// SPDX-License-Identifier: Apache-2.0
internal import StowageModel

/// Whether everything that records vouch for is on disk at each moment of a trace of calls (`SystemTrace`), by the weakest
/// rules: content counts after fsync or fdatasync of the file, or syncfs; a name counts after fsync of its directory, or
/// syncfs; until then it may be lost or be there.
package struct FlushOrder {
  /// A call of the trace: its name, its paths, and for renames onto record files the contents before and after.
  package struct Call {
    package let name: String
    package let paths: [String]

    /// Reads a trace; calls outside of the given roots do not matter.
    package static func read(_ trace: String, below roots: [String]) -> [Call] {
      trace.split(separator: "\n").compactMap { line in
        let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
        guard let path = fields.dropFirst().first else { return nil }
        let isInside = roots.contains { root in
          // The name of a root is in the directory above.
          path.hasPrefix(root + "/") || root.hasPrefix(path) || fields[0] == "rename" && fields[2].hasPrefix(root + "/")
        }
        return isInside ? Call(name: fields[0], paths: Array(fields.dropFirst())) : nil
      }
    }

    /// Whether it forces something to the device.
    package var isFlush: Bool { ["fsync", "fdatasync", "syncfs"].contains(name) }
  }

  private enum Change { case added, removed }

  private var unwritten: Set<String> = []
  private var names: [String: [String: Change]] = [:]
  private var linkTargets: [String: String] = [:]
  private var records: [String: StoredRecords] = [:]
  private var objections: [String] = []

  /// What is wrong with a trace, as texts.
  ///
  /// - Parameters:
  ///   - records: the record files before the first call, by path.
  ///   - omitted: position of a call that is taken for not done.
  package static func objections(
    to calls: [Call], after records: [String: String] = [:], omitting omitted: Int? = nil
  ) -> [String] {
    var order = FlushOrder()
    for (file, text) in records {
      if let kind = RecordKind(file: file) { order.records[file] = StoredRecords(kind, text) }
    }
    for (position, call) in calls.enumerated() where position != omitted { order.take(call) }
    order.end()
    return order.objections
  }

  /// The flushes without which nothing would be wrong, as texts. What one graph root tells others is not judged here.
  package static func needless(in calls: [Call], after records: [String: String] = [:]) -> [String] {
    calls.indices.filter { index in
      calls[index].isFlush && !calls[index].paths[0].contains("/dependents.d")
        && objections(to: calls, after: records, omitting: index).isEmpty
    }.map { "\(calls[$0].name) \(calls[$0].paths[0])" }
  }

  // MARK: Calls

  private mutating func take(_ call: Call) {
    let path = call.paths[0]
    switch call.name {
    case "create", "mkdir", "mknod", "link":
      note(path, .added)
      checkMayCome(path)
    case "symlink":
      note(path, .added)
      if call.paths.count > 1 { linkTargets[path] = call.paths[1] }
    case "unlink":
      note(path, .removed)
      unwritten.remove(path)
    case "write": unwritten.insert(path)
    case "rename": rename(path, to: call.paths[1], call.paths.dropFirst(2))
    case "fdatasync": unwritten.remove(path)
    case "fsync":
      unwritten.remove(path)
      names[path] = nil
      for file in records.keys where parent(file) == path { records[file]?.isDurable() }
    case "syncfs":
      unwritten = []
      names = [:]
      for file in records.keys { records[file]?.isDurable() }
    default: break
    }
  }

  private mutating func note(_ path: String, _ change: Change) {
    names[parent(path), default: [:]][base(path)] = change
  }

  private mutating func rename(_ old: String, to new: String, _ contents: ArraySlice<String>) {
    // The loss of volatile records is tolerated.
    if !isTemporary(new), !base(new).hasPrefix("volatile-") {
      for file in unwritten where file == old || file.hasPrefix(old + "/") {
        object("\(new) gets its name before the content of \(file) is on disk")
      }
    }
    checkMayGo(old)
    unwritten = Set(unwritten.map { moved($0, old, new) })
    names = Dictionary(names.map { (moved($0.key, old, new), $0.value) }, uniquingKeysWith: { $0.merging($1) { $1 } })
    linkTargets = Dictionary(linkTargets.map { (moved($0.key, old, new), $0.value) }, uniquingKeysWith: { $1 })
    note(old, .removed)
    checkMayCome(new)
    if let kind = RecordKind(file: new), contents.count == 2, let before = contents.first, let after = contents.last {
      if records[new] == nil { records[new] = StoredRecords(kind, before) }
      records[new]?.now = StoredRecords.parse(after)
      checkVouched(new)
    }
    note(new, .added)
  }

  private mutating func object(_ text: String) { objections.append(text) }

  // MARK: Rules

  /// A layer's tree, and an object's data, may leave their place when no record that survives a power cut needs them.
  private mutating func checkMayGo(_ path: String) {
    let id = base(path)
    for (file, stored) in records where stored.kind != .layers && path == parent(file) + "/" + id {
      if stored.durable[id] != nil { object("\(path) goes while \(file) on disk names it") }
    }
    for (file, stored) in records where stored.kind == .layers {
      guard path == tree(id, file), let layer = stored.durable[id], !layer.isIncomplete else { continue }
      if !layer.isTied {
        object("\(path) goes while \(file) on disk says that it is complete")
      } else if isUsed(id), !isElsewhere(id, file) {
        object("\(path) goes while a record on disk uses it")
      }
    }
  }

  /// Whether an image or container on disk has the layer.
  private func isUsed(_ id: String) -> Bool {
    records.values.contains { $0.kind != .layers && $0.durable.values.contains { $0.uses(id) } }
  }

  /// Whether another place has the layer, for good.
  private func isElsewhere(_ id: String, _ file: String) -> Bool {
    records.contains { other, stored in
      guard other != file, stored.kind == .layers, let layer = stored.durable[id] else { return false }
      return !layer.isIncomplete && !layer.isTied
    }
  }

  /// A layer's tree may be in its place when a record on disk tells whose it is: else nobody would find it again.
  private mutating func checkMayCome(_ path: String) {
    for (file, stored) in records where stored.kind == .layers && path == tree(base(path), file) {
      if stored.now[base(path)] != nil, stored.durable[base(path)] == nil {
        object("\(path) comes before its record in \(file) is on disk")
      }
    }
  }

  /// What a record file says now must be so on disk.
  private mutating func checkVouched(_ file: String) {
    guard let stored = records[file] else { return }
    for (name, change) in names[parent(file)] ?? [:] where change == .added && name.hasPrefix(".tmp-item-") {
      object("\(file) vouches for \(name), whose name is not on disk")
    }
    for (id, record) in stored.now {
      switch stored.kind {
      case .layers:
        // What programs write later into a layer that is whole is theirs to flush.
        let old = stored.durable[id]
        let isNew =
          old == nil || old?.isIncomplete == true || old?.content != record.content || old?.isTied != record.isTied
        if !record.isIncomplete, isNew { checkLayer(id, file) }
      case .images, .containers:
        if record.hasItems { checkTree(parent(file) + "/" + id, file) }
        if let layer = record.layer { checkLayerIsRecorded(layer, file) }
      }
    }
    guard stored.kind == .layers else { return }
    for (directory, entries) in names where directory.hasSuffix("-layers") || directory.hasSuffix("/dependents.d") {
      for (name, change) in entries where change == .added {
        let isRegistration = name == "graph-root-id" || name == "dependents.d" || directory.hasSuffix("/dependents.d")
        if isRegistration { object("\(file) relies on \(directory)/\(name), whose name is not on disk") }
      }
    }
    for id in stored.durable.keys where stored.now[id] == nil {
      for path in [tree(id, file), parent(file) + "/\(id).tar-split.gz", parent(file) + "/" + id]
      where names[parent(path)]?[base(path)] == .removed {
        object("\(path) may come back although \(file) does not name it any more")
      }
      let links = parent(tree(id, file)) + "/l"
      if names[links]?.values.contains(.removed) == true {
        object("an entry of \(links) may come back although \(file) does not name its layer any more")
      }
    }
  }

  private mutating func checkLayer(_ id: String, _ file: String) {
    checkTree(tree(id, file), file)
    // Files of a layer can be in those of each place.
    let directories = Set(names.keys.filter { $0.hasSuffix("-layers") } + [parent(file)])
    for directory in directories {
      checkTree(directory + "/" + id, file)
      checkTree(directory + "/\(id).tar-split.gz", file)
    }
    for (link, target) in linkTargets where target == "../\(id)/diff" { checkName(link, file) }
  }

  private mutating func checkTree(_ path: String, _ file: String) {
    var place = path
    while !parent(place).isEmpty {
      checkName(place, file)
      place = parent(place)
    }
    for content in unwritten where content == path || content.hasPrefix(path + "/") {
      object("\(file) vouches for \(content), whose content is not on disk")
    }
    for (directory, entries) in names where directory == path || directory.hasPrefix(path + "/") {
      // A mount point is made again by each mount, a directory for callers whenever they ask for it.
      for (name, change) in entries where change == .added && name != "merged" && name != "userdata" {
        object("\(file) vouches for \(directory)/\(name), whose name is not on disk")
      }
    }
  }

  private mutating func checkName(_ path: String, _ file: String) {
    if names[parent(path)]?[base(path)] == .added { object("\(file) vouches for \(path), whose name is not on disk") }
  }

  /// An image or container may be recorded when its layer is, for good.
  private mutating func checkLayerIsRecorded(_ layer: String, _ file: String) {
    let stores = records.values.filter { $0.kind == .layers && $0.now[layer] != nil }
    if !stores.isEmpty, !stores.contains(where: { $0.durable[layer].map { !$0.isIncomplete } ?? false }) {
      object("\(file) names layer \(layer), whose record is not on disk")
    }
  }

  /// When the command has returned, what it did survives; what it deleted may be deleted again by the next opener.
  private mutating func end() {
    for (file, stored) in records {
      for (name, change) in names[parent(file)] ?? [:]
      where change == .removed && !name.hasPrefix(".tmp-") && stored.now[name] == nil {
        object("\(name) may come back although \(file) does not name it any more")
      }
      checkVouched(file)
      for (id, record) in stored.now where !record.isIncomplete {
        let old = stored.durable[id]
        if old == nil || old?.isIncomplete == true || old?.content != record.content {
          object("\(file) may lose what was done to \(id)")
        }
      }
      for (id, record) in stored.durable where stored.now[id] == nil && !record.isIncomplete && !record.isTied {
        object("\(file) may bring back \(id), which was deleted")
      }
    }
  }

  // MARK: Paths

  private func parent(_ path: String) -> String { String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)]) }
  private func base(_ path: String) -> String { path.split(separator: "/").last.map(String.init) ?? "" }

  private func moved(_ path: String, _ old: String, _ new: String) -> String {
    path == old ? new : path.hasPrefix(old + "/") ? new + path.dropFirst(old.count) : path
  }

  /// Whether a path is where things wait for their place or their end.
  private func isTemporary(_ path: String) -> Bool { path.contains("/temp-dir-") || base(path).hasPrefix(".tmp-") }

  /// A layer's tree, from the file that records it.
  private func tree(_ id: String, _ file: String) -> String {
    let driver = base(parent(file)).split(separator: "-").first.map(String.init) ?? ""
    let home = parent(parent(file)) + "/" + driver
    return home + (["vfs": "/dir", "btrfs": "/subvolumes"][driver] ?? "") + "/" + id
  }
}

/// What a kind of record file has.
private enum RecordKind: String {
  case layers, images, containers

  init?(file: String) {
    let parts = file.split(separator: "/").suffix(2).map(String.init)
    guard parts.count == 2, let kind = RecordKind(rawValue: String(parts[1].dropLast(5))),
      parts[0].hasSuffix("-\(kind.rawValue)")
    else { return nil }
    self = kind
  }
}

/// What a record file says, and what it says after a power cut.
private struct StoredRecords {
  struct Record {
    let isIncomplete: Bool
    let isTied: Bool
    let layer: String?
    let mapped: [String]
    let hasItems: Bool
    /// All but the flags.
    let content: JSONValue

    func uses(_ id: String) -> Bool { layer == id || mapped.contains(id) }
  }

  let kind: RecordKind
  var now: [String: Record]
  private(set) var durable: [String: Record]

  init(_ kind: RecordKind, _ text: String) {
    self.kind = kind
    durable = Self.parse(text)
    now = durable
  }

  mutating func isDurable() { durable = now }

  static func parse(_ text: String) -> [String: Record] {
    let records = Array(text.utf8).withUnsafeBufferPointer { buffer in
      var reader = JSONReader(buffer)
      // A file that is missing or no JSON says nothing.
      return (try? reader.readValue())?.array ?? []
    }
    return Dictionary(
      records.compactMap { record in
        record["id"]?.string.map { id in
          let flags = record["flags"]
          return (
            id,
            Record(
              isIncomplete: flags?["incomplete"]?.bool == true, isTied: flags?["stowage-owner"] != nil,
              layer: record["layer"]?.string,
              mapped: record["mapped-layers"]?.array?.compactMap(\.string) ?? [],
              hasItems: record["big-data-names"]?.array?.isEmpty == false, content: withoutFlags(record))
          )
        }
      }, uniquingKeysWith: { first, _ in first })
  }

  private static func withoutFlags(_ record: JSONValue) -> JSONValue {
    guard case .object(let members) = record else { return record }
    return .object(members.filter { $0.name != "flags" })
  }
}
