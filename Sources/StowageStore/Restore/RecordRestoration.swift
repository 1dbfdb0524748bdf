// SPDX-License-Identifier: Apache-2.0

internal import StowageDriverAPI
internal import StowageFiles
public import StowageModel
internal import StowageRecords
internal import StowageSystem
internal import SystemPackage

/// What became of one record file whose records were restored.
public struct RestoredRecords: Sendable {
  /// The loss.
  public let loss: RecordLoss
  /// Number of records that the damaged file still had.
  public internal(set) var readable = 0
  /// Number of records made anew from what is on disk.
  public internal(set) var made = 0
  /// What was found and belongs to nothing that could be proven, each with the reason. It stays until a person decides.
  public internal(set) var unproven: [String] = []
  /// Where the damaged file is kept.
  public internal(set) var kept = ""

  init(_ loss: RecordLoss) { self.loss = loss }
}

extension Store {
  /// Restores the record files that are damaged or lost records: from what can still be read of them, then from what is on
  /// disk.
  ///
  /// Layers are known by what the driver wrote down about their parents, and by tar-split files that make their archives again;
  /// images by configurations whose digests are their identifiers; containers by the configurations of their runtimes. Each
  /// damaged file is kept beside under a dated name, and as long as it is there, nothing is deleted for having no record. Names
  /// and metadata come back only from what can be read.
  ///
  /// - Parameter isCancelled: is asked between layers and between images, as long as nothing was changed.
  /// - Returns: what was done for each file; nothing if none was lost.
  /// - Throws: `cancelled`, with nothing changed; `busy` if somebody else changes the files; `system`. Files that were restored before stay so.
  public func restoreRecords(
    isCancelled: (@Sendable () -> Bool)? = nil
  ) throws(StorageError) -> [RestoredRecords] {
    let driver = try drivers.current()
    let losses = try RecordLosses(topology, driver).pending
    if losses.isEmpty { return [] }
    if let refusal = topology.roots.refusal { throw refusal }
    reserve.prepare()
    defer { reserve.finish() }
    var restoration = try RecordRestoration(store: self, driver, losses, CancellationFlag(asking: isCancelled))
    return try restoration.run()
  }
}

/// The restoration of all files that lost records: first it is found out without locks what the records are, then they are put in
/// place under the locks, if the files are still what they were.
struct RecordRestoration {
  let store: Store
  let driver: any GraphDriver
  /// What each file is to have.
  private var files: [FilePath: LostFile] = [:]
  /// The order of all.
  private let losses: [RecordLoss]
  private let cancellation: CancellationFlag

  /// A file on its way back.
  private struct LostFile {
    let signature: FileSignature?
    var contents: [UInt8] = []
    var result: RestoredRecords
  }

  init(
    store: Store, _ driver: any GraphDriver, _ losses: [RecordLoss], _ cancellation: CancellationFlag
  ) throws(StorageError) {
    self.store = store
    self.driver = driver
    self.losses = losses
    self.cancellation = cancellation
    for loss in losses {
      let path = FilePath(loss.path)
      files[path] = LostFile(signature: .of(path), result: RestoredRecords(loss))
    }
  }

  /// Restores.
  mutating func run() throws(StorageError) -> [RestoredRecords] {
    let images = DiskImages(store.topology, cancellation)
    var layers = LayerRestoration(store.topology, driver, images, cancellation)
    for loss in losses where loss.kind == .layers {
      let document: RecordDocument<LayerRecord> = try readable(loss)
      try enter(loss, document) { (document, result) throws(StorageError) in
        try layers.restore(loss, &document, &result)
      }
    }
    var restored = ImageRestoration(store.topology, images, try layers.all())
    for loss in losses where loss.kind == .images {
      try enter(loss, try readable(loss)) { (document, result) throws(StorageError) in
        try restored.restore(loss, &document, &result)
      }
    }
    let containers = ContainerRestoration(store.topology, try layers.all(), try restored.all())
    for loss in losses where loss.kind == .containers {
      try enter(loss, try readable(loss)) { (document, result) throws(StorageError) in
        try containers.restore(loss, &document, &result)
      }
    }
    // Putting in place is quick, and goes on to its end.
    try cancellation.check()
    return try place()
  }

  /// The records of a damaged file up to where it cannot be read, without those that cannot be used, and each once.
  private func readable<Record: NamedRecord>(_ loss: RecordLoss) throws(StorageError) -> RecordDocument<Record> {
    var document = try RecordDocument<Record>.readable(at: FilePath(loss.path))
    var seen: Set<Record.ID> = []
    for (index, entry) in document.entries.enumerated() {
      if let record = entry.record, seen.insert(record.id).inserted { continue }
      document.remove(at: index)
    }
    return document
  }

  private mutating func enter<Record: NamedRecord>(
    _ loss: RecordLoss, _ document: RecordDocument<Record>,
    _ body: (inout RecordDocument<Record>, inout RestoredRecords) throws(StorageError) -> Void
  ) throws(StorageError) {
    guard var file = files[FilePath(loss.path)] else { return }
    var document = document
    file.result.readable = document.count
    try body(&document, &file.result)
    file.result.made = document.count - file.result.readable
    file.contents = document.encoded()
    files[FilePath(loss.path)] = file
  }

  // MARK: Putting in place

  /// Puts all files in place, those of layers first: after a crash in between the rest is still lost.
  private mutating func place() throws(StorageError) -> [RestoredRecords] {
    let layers = try store.openLayers().records
    try replace(.layers, layers)
    try replace(.images, store.imageStores)
    try replace(.containers, store.containerStore)
    return losses.compactMap { files[FilePath($0.path)]?.result }
  }

  private mutating func replace<Record: NamedRecord>(
    _ kind: RecordLoss.Kind, _ stores: RecordStores<Record>
  ) throws(StorageError) {
    let paths = losses.filter { $0.kind == kind }.map { FilePath($0.path) }
    if paths.isEmpty { return }
    let hold = try stores.beginReplacing()
    defer {
      hold.forget()
      hold.release()
    }
    for path in paths {
      guard var file = files[path] else { continue }
      guard FileSignature.of(path) == file.signature else {
        throw StorageError(.busy, "\(path) was changed meanwhile: check again", path: path.string)
      }
      let kept = try keep(path)
      file.result.kept = kept.string
      try hold.announceWrites()
      try AtomicFile.replace(path, contents: file.contents, mode: 0o600, durability: .full)
      files[path] = file
    }
  }

  /// Gives a damaged file a second, dated name; what is missing gets an empty file of that name. A directory in the place of the
  /// file, which can have one name only, is moved away: after a crash the file is missing, and what was there marks it.
  private func keep(_ path: FilePath) throws(StorageError) -> FilePath {
    let date = Timestamp(seconds: Timestamp.now().seconds).description.filter { $0 != "-" && $0 != ":" }
    let name = RecordFile<LayerRecord>.keptPrefix(path) + date
    let directory = path.removingLastComponent()
    for number in 0..<1000 {
      let kept = directory.appending(number == 0 ? name : "\(name)-\(number)")
      do throws(Errno) {
        if isDirectory(path) {
          try Syscall.rename(path, kept, flags: .noReplace)
        } else {
          try Syscall.link(path, kept)
        }
      } catch .fileExists {
        continue
      } catch .noSuchFileOrDirectory {
        try AtomicFile.replace(kept, contents: [], mode: 0o600, durability: .full)
      } catch {
        throw .failed("link", path, kept, error)
      }
      try AtomicFile.syncDirectory(directory)
      return kept
    }
    throw StorageError(.system, "\(directory) has too many files \(name)…")
  }
}

/// Whether there is a directory itself, not a link to one; what cannot be looked at is told by the call that follows.
private func isDirectory(_ path: FilePath) -> Bool { (try? Syscall.lstat(path))?.isDirectory == true }
