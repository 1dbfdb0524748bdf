// SPDX-License-Identifier: Apache-2.0

internal import StowageFiles
internal import StowageModel
internal import StowageRecords
internal import StowageSystem
internal import SystemPackage

/// How much of a record file makes sense.
enum RecordFileForm: Hashable, Sendable {
  /// There is no file.
  case absent
  /// It has no content.
  case empty
  /// It has nothing but NULs.
  case blank
  /// What keeps it from being used as it is.
  case damaged(String)
  /// All of it does.
  case whole
}

/// What one record file says, and whether it can be believed.
struct FoundRecords<Record: NamedRecord>: Sendable {
  let form: RecordFileForm
  /// The records that can be used.
  let records: [Record]
  /// Their identifiers.
  let ids: Set<Record.ID>

  /// What was loaded under the lock of its store, and is fresh as long as that is held.
  init(_ file: RecordFile<Record>) {
    self.init(file.isAbsent ? .absent : file.isAbsentOrEmpty ? .empty : .whole, file.document)
  }

  /// Reads a file. Needs no lock, for files are replaced as a whole.
  ///
  /// - Throws: `system` if it cannot be read.
  init(at path: FilePath) throws(StorageError) {
    let bytes: [UInt8]
    do throws(StorageError) { bytes = try StoreFile.read(path) } catch {
      if error.errno == .noSuchFileOrDirectory {
        self.init(.absent, RecordDocument())
      } else if error.code == .corrupt {
        let kind =
          error.errno == .isDirectory
          ? "directory" : error.errno == .tooManySymbolicLinkLevels ? "symbolic link" : "FIFO, socket or device"
        self.init(.damaged("is a \(kind), which nobody makes there"), RecordDocument())
      } else {
        throw error
      }
      return
    }
    if bytes.allSatisfy({ $0 == 0 }) {
      self.init(bytes.isEmpty ? .empty : .blank, RecordDocument())
    } else {
      do throws(RecordParseError) { self.init(.whole, try RecordDocument.parse(bytes)) } catch {
        self.init(.damaged("cannot be read (\(error))"), RecordDocument.readable(bytes))
      }
    }
  }

  private init(_ form: RecordFileForm, _ document: RecordDocument<Record>) {
    records = document.records
    var ids: Set<Record.ID> = []
    ids.reserveCapacity(records.count)
    var twice: Record.ID?
    for record in records where !ids.insert(record.id).inserted { twice = twice ?? record.id }
    self.ids = ids
    let problem = document.entries.lazy.compactMap(\.problem).first
    if case .whole = form, let problem {
      self.form = .damaged("has a record that cannot be used (\(problem))")
    } else if case .whole = form, let twice {
      self.form = .damaged("records \(twice) twice")
    } else {
      self.form = form
    }
  }
}

/// What all record files of one kind say: as tables under their locks have them, else as they are on disk, read when they are
/// asked for first.
struct FoundFiles<Record: NamedRecord> {
  private var found: [FilePath: FoundRecords<Record>] = [:]

  /// Takes what was loaded; the locks must be held as long as this is used.
  init(held files: [RecordFile<Record>] = []) {
    for file in files { found[file.path] = FoundRecords(file) }
  }

  /// What a file says.
  ///
  /// - Throws: `system` if it cannot be read.
  mutating func read(_ path: FilePath) throws(StorageError) -> FoundRecords<Record> {
    if let known = found[path] { return known }
    let new = try FoundRecords<Record>(at: path)
    found[path] = new
    return new
  }

  /// What can be read of files: that some cannot is a loss of its own.
  mutating func readable(_ paths: [FilePath]) -> [FoundRecords<Record>] {
    var all: [FoundRecords<Record>] = []
    for path in paths { if let file = try? read(path) { all.append(file) } }
    return all
  }
}
