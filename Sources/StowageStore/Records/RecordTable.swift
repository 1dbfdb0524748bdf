// SPDX-License-Identifier: Apache-2.0

internal import StowageDriverAPI
internal import StowageModel
internal import SystemPackage

/// A record with an identifier and names of its own.
protocol NamedRecord: StoreRecord {
  /// The kind of identifier.
  associatedtype ID: StorageIdentifier
  /// The identifier.
  var id: ID { get }
  /// The names.
  var names: [String] { get set }
  /// Whether the object is being created or deleted; only layers can be.
  var isIncomplete: Bool { get }
  /// Whether the object's fate hangs on another record; see ``LayerTie``.
  var isTied: Bool { get }
}

extension NamedRecord {
  var isIncomplete: Bool { false }
  var isTied: Bool { false }
}

extension LayerRecord: NamedRecord {
  var isTied: Bool { !flags.isEmpty && LayerTie(flags) != nil }
}
extension ImageRecord: NamedRecord {}
extension ContainerRecord: NamedRecord {}

/// The records of one store of layers, images or containers, over one or more files, with indexes.
///
/// On a duplicate identifier the first record in load order wins; the others are *shadowed*: not visible, but kept in
/// their files (store-semantics 27.3.3). Memory only; the store decides when to load and save.
struct RecordTable<Record: NamedRecord>: Sendable {
  /// Where a record is: which file, which entry.
  struct Position: Hashable, Sendable {
    let file: Int
    let entry: Int
  }

  /// What a load found that needs a write to be put right.
  struct Findings: Sendable {
    /// Names that two records of the store had: (name, earlier owner).
    var repeatedNames: [(name: String, owner: Record.ID)] = []
    /// Layers that were being created or deleted when their process died.
    var incomplete: [Record.ID] = []
    /// The same of records that others hide: copies on their way between two stores.
    var incompleteHidden: [(id: Record.ID, file: Int)] = []
    /// Layers whose fate hangs on the record of an image or container.
    var tied: [Record.ID] = []
    /// Whether there are files that a process left that died while it wrote.
    var hasStaleFiles = false
    /// Whether nothing is wrong.
    var isEmpty: Bool {
      repeatedNames.isEmpty && incomplete.isEmpty && incompleteHidden.isEmpty && tied.isEmpty && !hasStaleFiles
    }
  }

  /// The files in load order.
  var files: [RecordFile<Record>]
  private var byID: [Record.ID: Position] = [:]
  private var byName: [ByteText: Record.ID] = [:]
  private var shadowed: Set<Position> = []

  init(_ files: [RecordFile<Record>]) { self.files = files }

  /// Whether any file was replaced since it was loaded or saved.
  var isStale: Bool { files.contains { $0.isStale } }

  /// Reads all files and says what is wrong with them.
  mutating func load() throws(StorageError) -> Findings {
    for index in files.indices { try files[index].load() }
    return reindex()
  }

  // MARK: Reading

  /// The visible records in load order.
  func forEach(_ body: (Record, Position) -> Void) {
    for (file, contents) in files.enumerated() {
      for (entry, element) in contents.document.entries.enumerated() {
        guard let record = element.record else { continue }
        let position = Position(file: file, entry: entry)
        if !shadowed.isEmpty, shadowed.contains(position) { continue }
        body(record, position)
      }
    }
  }

  /// The visible records in load order.
  var records: [Record] {
    var records: [Record] = []
    records.reserveCapacity(byID.count)
    forEach { record, _ in records.append(record) }
    return records
  }

  /// The number of all records, shadowed ones included.
  var recordCount: Int { files.reduce(0) { $0 + $1.document.records.count } }

  /// Whether a new object cannot have the identifier; shadowed records count.
  func isTaken(_ id: Record.ID) -> Bool { byID[id] != nil }

  /// Who has a name.
  func owner(ofName name: String) -> Record.ID? { byName[ByteText(name)] }

  /// The place of a record.
  func position(of id: Record.ID) -> Position? { byID[id] }

  /// All places of records with an identifier: the visible one first, then those it shadows.
  func positions(of id: Record.ID) -> [Position] {
    guard let first = byID[id] else { return [] }
    let others = shadowed.filter { self[$0]?.id == id }
    return [first] + others.sorted { ($0.file, $0.entry) < ($1.file, $1.entry) }
  }

  /// The record with exactly this identifier.
  subscript(id: Record.ID) -> Record? { byID[id].flatMap { self[$0] } }

  /// The record at a place.
  subscript(position: Position) -> Record? { files[position.file].document.entries[position.entry].record }

  /// Resolves an identifier, a name or a unique identifier prefix (on-disk-format 6.4).
  func resolve(_ text: String) -> Record.ID? {
    if let id = Record.ID(recorded: text), byID[id] != nil { return id }
    if let owner = byName[ByteText(text)] { return owner }
    return uniqueMatch(text, in: byID.keys)
  }

  // MARK: Changing

  /// Adds a record at the end of a file.
  mutating func append(_ record: Record, file: Int) {
    files[file].document.append(record)
    files[file].isDirty = true
    byID[record.id] = Position(file: file, entry: files[file].document.entries.count - 1)
    for name in record.names { byName[ByteText(name)] = record.id }
  }

  /// Changes a record in place; unknown identifiers are ignored. Names must be changed with ``setNames(_:of:)``.
  mutating func update(_ id: Record.ID, _ change: (inout Record) -> Void) {
    guard let position = byID[id], var record = self[position] else { return }
    change(&record)
    files[position.file].document.replace(at: position.entry, with: record)
    files[position.file].isDirty = true
  }

  /// Adds a record at the end of a file whose identifier another file may have.
  mutating func insert(_ record: Record, file: Int) {
    files[file].document.append(record)
    files[file].isDirty = true
    _ = reindex()
  }

  /// Changes a record in place, visible or not; its names must not change.
  mutating func update(at position: Position, _ change: (inout Record) -> Void) {
    guard var record = self[position] else { return }
    change(&record)
    files[position.file].document.replace(at: position.entry, with: record)
    files[position.file].isDirty = true
  }

  /// Forgets a record, visible or not. Positions behind it in its file change.
  mutating func remove(at position: Position) {
    files[position.file].document.remove(at: position.entry)
    files[position.file].isDirty = true
    _ = reindex()
  }

  /// Gives an object its names, taking them away from others. Every file with a changed record becomes dirty, so that
  /// the
  /// name does not come back at the next load (on-disk-format 20.41).
  mutating func setNames(_ names: [String], of id: Record.ID) {
    for name in names {
      guard let owner = byName[ByteText(name)], owner != id else { continue }
      Log.debug("name \(goQuoted(name)) moves from \(owner) to \(id)")
      update(owner) { $0.names.removeAll { $0.hasSameBytes(as: name) } }
    }
    for name in self[id]?.names ?? [] where byName[ByteText(name)] == id { byName[ByteText(name)] = nil }
    update(id) { $0.names = names }
    for name in names { byName[ByteText(name)] = id }
  }

  /// Forgets a record. A record it shadowed becomes visible.
  mutating func remove(_ id: Record.ID) {
    guard let position = byID[id] else { return }
    files[position.file].document.remove(at: position.entry)
    files[position.file].isDirty = true
    _ = reindex()
  }

  /// Takes names from the earlier of two owners, as the reference does (store-semantics 6.4).
  mutating func repairNames(_ findings: Findings) {
    for (name, owner) in findings.repeatedNames {
      guard let position = byID[owner], let record = self[position] else { continue }
      let winner = byName[ByteText(name)]
      update(owner) { changed in
        changed.names = withoutRepeats(record.names)
        if winner != owner { changed.names.removeAll { $0.hasSameBytes(as: name) } }
      }
    }
  }

  private mutating func reindex() -> Findings {
    var findings = Findings()
    byID.removeAll(keepingCapacity: true)
    byName.removeAll(keepingCapacity: true)
    shadowed.removeAll()
    byID.reserveCapacity(files.reduce(0) { $0 + $1.document.entries.count })
    for (file, contents) in files.enumerated() {
      for (entry, element) in contents.document.entries.enumerated() {
        guard let record = element.record else { continue }
        let position = Position(file: file, entry: entry)
        guard byID.updateValue(position, forKey: record.id) == nil else {
          restoreFirst(record.id, before: position)
          if record.isIncomplete { findings.incompleteHidden.append((record.id, file)) }
          continue
        }
        if record.isTied { findings.tied.append(record.id) }
        if record.isIncomplete { findings.incomplete.append(record.id) }
        for name in record.names {
          if let earlier = byName.updateValue(record.id, forKey: ByteText(name)) {
            findings.repeatedNames.append((name, earlier))
          }
        }
      }
    }
    return findings
  }

  /// Undoes the indexing of a later record with the identifier of an earlier one.
  private mutating func restoreFirst(_ id: Record.ID, before later: Position) {
    shadowed.insert(later)
    for (file, contents) in files.enumerated() {
      if let entry = contents.document.entries.firstIndex(where: { $0.record?.id == id }) {
        byID[id] = Position(file: file, entry: entry)
        return
      }
    }
  }
}

/// The records of a layer store.
typealias LayerTable = RecordTable<LayerRecord>

extension RecordTable where Record == LayerRecord {
  /// A table over the given files.
  init(_ documents: [StoreTopology.LayerDocument]) {
    self.init(documents.map { RecordFile($0.path, isFlushed: !$0.isVolatile) })
  }

  /// The layers whose parent is `id`, in load order.
  func children(of id: LayerID) -> [LayerID] {
    var children: [LayerID] = []
    forEach { record, _ in if record.parent == id { children.append(record.id) } }
    return children
  }
}

extension RecordTable where Record == LayerRecord {
  /// The place of a layer's record, whether another one hides it or not.
  func position(of layer: FoundLayer, _ topology: StoreTopology) -> Position? {
    let all = positions(of: layer.id)
    return all.first { topology.layers.documents[$0.file].role == layer.location.role } ?? all.first
  }

  /// The layers of the graph root whose parents are in the image store. A parent in the graph root that is incomplete does
  /// not count: the next opener deletes it.
  func dependents(_ documents: [StoreTopology.LayerDocument]) -> [Dependent] {
    var dependents: [Dependent] = []
    forEach { record, position in
      guard documents[position.file].role == .graphRoot, let parent = record.parent,
        var home = self.position(of: parent)
      else { return }
      if self[home]?.isIncomplete == true {
        home = positions(of: parent).first { self[$0]?.isIncomplete == false } ?? home
      }
      guard documents[home.file].role == .imageStore else { return }
      dependents.append(Dependent(child: record.id, parent: parent))
    }
    return dependents
  }
}

/// The only identifier that begins with `text`; those that are empty or contain a space are not considered.
func uniqueMatch<ID: StorageIdentifier>(_ text: String, in ids: some Sequence<ID>) -> ID? {
  let prefix = text.utf8
  if prefix.isEmpty { return nil }
  var match: ID?
  for id in ids where id.rawValue.utf8.starts(with: prefix) {
    if id.rawValue.utf8.contains(0x20) { continue }
    if match != nil { return nil }
    match = id
  }
  return match
}
