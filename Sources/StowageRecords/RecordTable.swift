// SPDX-License-Identifier: Apache-2.0

internal import StowageModel

/// The records of one store, over one or more files, with indexes.
///
/// On a duplicate identifier the first record in load order wins; the others are *shadowed*: not visible, but kept in
/// their files (store-semantics 27.3.3). Memory only; the store decides when to load and save.
///
/// What goes through all records is compiled for layers once more, as there can be ten thousand of them: other modules use the
/// general form, which asks the type about each value that it moves (measured: a fifth of the time of listing 10,000 layers).
package struct RecordTable<Record: NamedRecord>: Sendable {
  /// Where a record is: which file, which entry. Ordered as records are loaded; stays valid until the next load.
  package struct Position: Hashable, Comparable, Sendable {
    /// Index in ``RecordTable/files``.
    package let file: Int
    /// Index of the entry in the file.
    package let entry: Int

    /// Whether one is loaded before the other.
    package static func < (one: Position, other: Position) -> Bool {
      (one.file, one.entry) < (other.file, other.entry)
    }
  }

  /// What a load found that needs a write to be put right.
  package struct Findings: Sendable {
    /// Names that two records of the store had: (name, earlier owner).
    package var repeatedNames: [(name: String, owner: Record.ID)] = []
    /// Visible records that may have something unfinished, in load order.
    package var unfinished: [Record.ID] = []
    /// The same of records that others hide.
    package var unfinishedHidden: [(id: Record.ID, file: Int)] = []
    /// Whether there are files that a process left that died while it wrote.
    package var hasLeavings = false
    /// Whether nothing is wrong.
    package var isEmpty: Bool {
      repeatedNames.isEmpty && unfinished.isEmpty && unfinishedHidden.isEmpty && !hasLeavings
    }
  }

  /// The files in load order.
  package internal(set) var files: [RecordFile<Record>]
  private var byID: [Record.ID: Position] = [:]
  private var byName: [ByteText: Record.ID] = [:]
  private var shadowed: Set<Position> = []
  /// Whether a name may have a second owner, whom it falls to when the first one goes.
  private var hasRepeatedNames = false

  /// A table over files that are not loaded yet.
  package init(_ files: [RecordFile<Record>]) { self.files = files }

  /// Whether any file was replaced since it was loaded or saved.
  var isStale: Bool { files.contains { $0.isStale } }

  /// Reads all files and says what is wrong with them.
  @_specialize(where Record == LayerRecord)
  mutating func load() throws(StorageError) -> Findings {
    for index in files.indices { try files[index].load() }
    return reindex()
  }

  // MARK: Reading

  /// Makes the next save write a file, although nothing in it has changed.
  mutating func markAsChanged(file: Int) { files[file].isDirty = true }

  /// The visible records in load order, each with the position of its file.
  package var recordsByFile: [(record: Record, file: Int)] {
    var records: [(record: Record, file: Int)] = []
    forEach { record, position in records.append((record, position.file)) }
    return records
  }

  /// The visible records in load order.
  @_specialize(where Record == LayerRecord)
  package func forEach(_ body: (Record, Position) -> Void) {
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
  package var records: [Record] {
    @_specialize(where Record == LayerRecord)
    get {
      var records: [Record] = []
      records.reserveCapacity(byID.count)
      forEach { record, _ in records.append(record) }
      return records
    }
  }

  /// The number of all records, shadowed ones included.
  package var recordCount: Int { byID.count + shadowed.count }

  /// Whether a new object cannot have the identifier; shadowed records count.
  package func isTaken(_ id: Record.ID) -> Bool { byID[id] != nil }

  /// Who has a name.
  package func owner(ofName name: String) -> Record.ID? { byName[ByteText(name)] }

  /// The place of a record.
  package func position(of id: Record.ID) -> Position? { byID[id] }

  /// All places of records with an identifier: the visible one first, then those it shadows.
  package func positions(of id: Record.ID) -> [Position] {
    guard let first = byID[id] else { return [] }
    return [first] + hidden(id)
  }

  /// The record with exactly this identifier.
  package subscript(id: Record.ID) -> Record? { byID[id].flatMap { self[$0] } }

  /// The record at a place.
  package subscript(position: Position) -> Record? { files[position.file].document.entries[position.entry].record }

  /// Resolves an identifier, a name or a unique identifier prefix (on-disk-format 6.4).
  package func resolve(_ text: String) -> Record.ID? {
    if let id = Record.ID(recorded: text), byID[id] != nil { return id }
    if let owner = byName[ByteText(text)] { return owner }
    return uniqueMatch(text, in: byID.keys)
  }

  // MARK: Changing

  /// Adds a record at the end of a file. If a record before it has the identifier, that one stays the visible one.
  package mutating func append(_ record: Record, file: Int) {
    files[file].document.append(record)
    files[file].isDirty = true
    if byID[record.id] != nil {
      _ = reindex()
      return
    }
    let position = Position(file: file, entry: files[file].document.entries.count - 1)
    byID[record.id] = position
    for name in record.names {
      if byName.updateValue(record.id, forKey: ByteText(name)) != nil { hasRepeatedNames = true }
    }
  }

  /// Changes a record in place; unknown identifiers are ignored. Names must be changed with ``setNames(_:of:)``.
  package mutating func update(_ id: Record.ID, _ change: (inout Record) -> Void) {
    if let position = byID[id] { update(at: position, change) }
  }

  /// Changes a record in place, visible or not; its names must not change.
  package mutating func update(at position: Position, _ change: (inout Record) -> Void) {
    guard var record = self[position] else { return }
    change(&record)
    files[position.file].document.replace(at: position.entry, with: record)
    files[position.file].isDirty = true
  }

  /// Forgets a record. A record it shadowed becomes visible.
  package mutating func remove(_ id: Record.ID) {
    if let position = byID[id] { remove(at: position) }
  }

  /// Forgets a record, visible or not. Other positions stay what they are.
  package mutating func remove(at position: Position) {
    guard let record = self[position] else { return }
    files[position.file].document.remove(at: position.entry)
    files[position.file].isDirty = true
    if shadowed.remove(position) != nil { return }
    if hasRepeatedNames {
      _ = reindex()
      return
    }
    for name in record.names where byName[ByteText(name)] == record.id { byName[ByteText(name)] = nil }
    byID[record.id] = nil
    if let heir = hidden(record.id).first { uncover(record.id, at: heir) }
  }

  /// Makes the next record with an identifier visible; of two owners of a name the later one has it, as after a load.
  private mutating func uncover(_ id: Record.ID, at position: Position) {
    shadowed.remove(position)
    byID[id] = position
    for name in self[position]?.names ?? [] {
      if let owner = byName[ByteText(name)] {
        hasRepeatedNames = true
        if let place = byID[owner], position < place { continue }
      }
      byName[ByteText(name)] = id
    }
  }

  /// Gives an object its names, taking them away from others. Every file with a changed record becomes dirty, so that the
  /// name does not come back at the next load (on-disk-format 20.41).
  package mutating func setNames(_ names: [String], of id: Record.ID) {
    // An archive can bring thousands of names: each owner is changed once.
    var lost: [Record.ID: Set<ByteText>] = [:]
    for name in names {
      guard let owner = byName[ByteText(name)], owner != id else { continue }
      Log.debug("name \(goQuoted(name)) moves from \(owner) to \(id)")
      lost[owner, default: []].insert(ByteText(name))
    }
    for (owner, gone) in lost { update(owner) { $0.names.removeAll { gone.contains(ByteText($0)) } } }
    for name in self[id]?.names ?? [] where byName[ByteText(name)] == id { byName[ByteText(name)] = nil }
    update(id) { $0.names = names }
    for name in names { byName[ByteText(name)] = id }
  }

  /// Takes names from the earlier of two owners, as the reference does (store-semantics 6.4).
  package mutating func repairNames(_ findings: Findings) {
    for (name, owner) in findings.repeatedNames {
      guard let position = byID[owner], let record = self[position] else { continue }
      let winner = byName[ByteText(name)]
      update(owner) { changed in
        changed.names = withoutRepeats(record.names)
        if winner != owner { changed.names.removeAll { $0.hasSameBytes(as: name) } }
      }
    }
  }

  // MARK: Indexes

  @_specialize(where Record == LayerRecord)
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
        if let first = byID.updateValue(position, forKey: record.id) {
          byID[record.id] = first
          shadowed.insert(position)
          if record.mayBeUnfinished { findings.unfinishedHidden.append((record.id, file)) }
          continue
        }
        if record.mayBeUnfinished { findings.unfinished.append(record.id) }
        for name in record.names {
          if let earlier = byName.updateValue(record.id, forKey: ByteText(name)) {
            findings.repeatedNames.append((name, earlier))
          }
        }
      }
    }
    hasRepeatedNames = !findings.repeatedNames.isEmpty
    return findings
  }

  /// The places of records that a visible one hides, in load order.
  private func hidden(_ id: Record.ID) -> [Position] {
    shadowed.isEmpty ? [] : shadowed.filter { self[$0]?.id == id }.sorted()
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
