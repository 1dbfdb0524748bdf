// SPDX-License-Identifier: Apache-2.0

internal import StowageCompression
internal import StowageConfig
internal import StowageDiff
internal import StowageDriverAPI
internal import StowageFiles
internal import StowageModel
internal import StowageRecords
internal import StowageSystem
internal import SystemPackage

/// A diff for a new layer.
struct DiffRequest {
  let input: LayerInput
  let expecting: ExpectedDiff
  let progress: (@Sendable (UInt64) -> Void)?
  let isCancelled: (@Sendable () -> Bool)?
}

/// Makes the content of layers where no store lock is needed: extracted from diffs, or copied from layers in the store.
///
/// A copy is compared with its source when the lock is held again. What is staged and not used is deleted by its owner, after
/// a crash by the next opener.
struct ContentStaging {
  /// How often a copy is made when its source changes meanwhile.
  static let mostCopies = 3
  /// Bytes of an archive whose content may wait to be flushed with others; more are flushed while others are extracted.
  private static let mostDeferred: Int64 = 1 << 20

  private let store: Store
  private let driver: any GraphDriver

  /// Works with the current driver.
  ///
  /// - Throws: what the driver throws when it has to be started again.
  init(_ store: Store) throws(StorageError) { self.init(store, try store.drivers.current()) }

  /// Works with a driver, that of a held lock for instance.
  init(_ store: Store, _ driver: any GraphDriver) {
    self.store = store
    self.driver = driver
  }

  // MARK: Diffs

  /// Extracts a diff where no store lock is needed.
  ///
  /// - Parameter defersFlush: whether the caller forces small content to the device, with that of other layers.
  func stage(
    _ new: NewLayer, _ diff: DiffRequest, defersFlush: Bool = false
  ) throws(StorageError) -> StagedContent {
    try stage(diff, into: try beginTree(of: new), from: new.source, defersFlush: defersFlush)
  }

  /// Extracts a diff into a staged tree, and forces it to the disk as the driver's policy says.
  func stage(
    _ diff: DiffRequest, into tree: consuming StagedLayer, from source: LayerState?, defersFlush: Bool = false
  ) throws(StorageError) -> StagedContent {
    if let refusal = store.topology.roots.refusal { throw refusal }
    let directory = try StagedDirectory.create(in: store.topology.layers.data.temporary)
    let tarSplit = directory.addition()
    do throws(StorageError) {
      let result = try extract(diff, to: tree.target, tarSplit: tarSplit)
      var needsFlush = driver.syncPolicy == .fileSystem
      if needsFlush, !defersFlush || result.diffSize > ContentStaging.mostDeferred {
        try syncFileSystem(of: tree.tree)
        needsFlush = false
      }
      return StagedContent(
        layer: consume tree, source: source,
        diff: StagedDiff(directory: consume directory, tarSplit: tarSplit, result: result), needsFlush: needsFlush)
    } catch {
      throw driver.applyErrorWording?.wrapApplyError(error) ?? error
    }
  }

  /// Forces what is left to be flushed of some layers' content to the device.
  static func flush(_ contents: [PreparedLayer]) throws(StorageError) {
    // All trees of a driver's home are on one file system.
    var roots: Set<FilePath> = []
    for content in contents {
      guard let tree = content.unflushedTree, let root = content.targetRoot else { continue }
      if roots.insert(root).inserted { try syncFileSystem(of: tree) }
    }
  }

  /// Extracts a diff and compares it with what was expected.
  func extract(
    _ diff: DiffRequest, to target: ApplyTarget, tarSplit: FilePath
  ) throws(StorageError) -> ApplyResult {
    let cancellation = CancellationFlag(asking: diff.isCancelled)
    let request = ApplyRequest(
      tarSplit: tarSplit, sync: driver.syncPolicy, flushesTarSplit: flushes(tarSplit, beside: target.root),
      expectedDiffDigest: diff.expecting.diffDigest,
      expectedCompressedDigest: diff.expecting.compressedDigest,
      progress: diff.progress, cancellation: cancellation, limit: diff.expecting.limit)
    try cancellation.check()
    let result = try applyLayer(
      from: try diff.input.source(), to: target.root, options: target.options, request: request)
    try cancellation.check()
    if let size = diff.expecting.compressedSize, size != result.compressedSize {
      throw StorageError(.digestMismatch, "layer has \(result.compressedSize) bytes, expected \(size)")
    }
    return result
  }

  /// Whether a tar-split file needs a flush of its own, beside that of the file system with the tree.
  private func flushes(_ tarSplit: FilePath, beside tree: FilePath) -> Bool {
    switch driver.syncPolicy {
    case .none: return false
    case .eachFile: return true
    case .fileSystem:
      // What cannot be examined cannot be written either, which is told then.
      let (one, other) = (try? Syscall.stat(tarSplit.removingLastComponent()), try? Syscall.stat(tree))
      return one?.device != other?.device
    }
  }

  // MARK: Copies

  /// Copies the content that a new layer begins with, if the driver's layers are copies or owners are to be changed; `nil`
  /// if there is nothing to copy.
  ///
  /// - Throws: `layerUnknown` if that layer has vanished, `busy` if it changed: try again from the beginning.
  static func copy(for new: NewLayer, in store: Store) throws(StorageError) -> StagedContent? {
    new.source == nil ? nil : try ContentStaging(store).copy(for: new)
  }

  private func copy(for new: NewLayer) throws(StorageError) -> StagedContent {
    let tree: StagedLayer
    do throws(StorageError) { tree = try beginTree(of: new) } catch {
      // Failures to change owners have the reference's words already.
      let isClear = error.code == .layerUnknown || error.code == .busy || new.options.shift != nil
      throw isClear ? error : new.failure(error)
    }
    if driver.syncPolicy == .fileSystem { try syncFileSystem(of: tree.tree) }
    do throws(StorageError) {
      let tarSplit = try new.templateTarSplit.map { (file) throws(StorageError) in try copyTarSplit(file) }
      return StagedContent(layer: consume tree, source: new.source, diff: tarSplit)
    } catch {
      throw try reason(error, new)
    }
  }

  /// Lets the driver begin the tree of a new layer.
  func beginTree(of new: NewLayer) throws(StorageError) -> StagedLayer {
    do throws(StorageError) {
      return try driver.stage(over: new.chain, targetRoot: new.location.root, new.options)
    } catch {
      throw try reason(error, new)
    }
  }

  /// Why a copy failed: one of what others are deleting fails anywhere, and that reason is worth more than the place.
  private func reason(_ error: StorageError, _ new: NewLayer) throws(StorageError) -> StorageError {
    if new.source != nil {
      try store.read([.layers]) { (access) throws(StorageError) in try new.recheckBasis(access.layers) }
    }
    return error
  }

  /// Copies the template's tar-split file beside a staged tree.
  private func copyTarSplit(_ file: FilePath) throws(StorageError) -> StagedDiff {
    if let refusal = store.topology.roots.refusal { throw refusal }
    let directory = try StagedDirectory.create(in: store.topology.layers.data.temporary)
    let copy = directory.addition()
    let bytes = try StoreFile.read(file)
    try AtomicFile.replace(copy, contents: bytes, durability: .content)
    return StagedDiff(directory: directory, tarSplit: copy, result: nil)
  }
}

/// Forces everything of a file system to the device, see `syncfs(2)`.
func syncFileSystem(of path: FilePath) throws(StorageError) {
  try attempt("syncfs", path) { () throws(Errno) in
    let descriptor = try Syscall.open(path, [.readOnly, .directory])
    try Syscall.syncfs(descriptor.rawValue)
  }
}

extension LayerInput {
  /// Opens the input.
  func source() throws(StorageError) -> any ByteSource {
    switch origin {
    case .descriptor(let descriptor): return DescriptorSource(descriptor)
    case .bytes(let bytes): return BytesSource(bytes)
    case .source(let source): return source
    case .file(let path):
      let place = FilePath(path)
      let descriptor = try attempt("open", place) { () throws(Errno) in try Syscall.open(place, .readOnly) }
      return DescriptorSource(descriptor.release(), closes: true)
    }
  }
}
