// SPDX-License-Identifier: Apache-2.0

internal import StowageArchive
package import StowageCompression
internal import StowageFiles
package import StowageModel
internal import StowageSystem
package import SystemPackage

/// Extracts a layer archive, compressed or not, into a directory that exists, and reads the source to its end.
///
/// Reading, decoding and hashing run on their own threads ahead of the extraction. Memory does not depend on the archive's
/// size, but for a few bytes per entry. The names of the archive are resolved inside `root`, so nothing is made, changed or
/// read outside. Existing content is merged over. After a failure the tree is as far as the work had come, and so is the
/// tar-split file: the caller discards both.
///
/// - Parameters:
///   - source: the bytes; on failure it may not have been read to its end. Used on another thread until this returns.
///   - root: the layer's `diff` directory, or the full tree of a plain driver.
///   - options: how entries become objects.
///   - request: what is wanted besides.
/// - Throws: `invalidArchive`, `invalidMappings`, `system`, `corrupt` with the reference's inner text and an
///   ``ApplyFailure`` as cause; `cancelled`; `digestMismatch`.
/// - SeeAlso: archive-and-diff 4 to 7.
package func applyLayer(
  from source: any ByteSource, to root: FilePath, options: ApplyOptions, request: ApplyRequest = ApplyRequest()
) throws(StorageError) -> ApplyResult {
  let descriptor = try attempt("open", root) { () throws(Errno) in try Syscall.open(root, [.readOnly, .directory]) }
  let run = try ApplyRun(source, root: descriptor, options, request)
  let result = try run.perform(root)
  try run.verify(result)
  return result
}

/// One application of an archive.
private final class ApplyRun {
  private let stream: LayerStream
  private let extractor: LayerExtractor
  private let request: ApplyRequest
  private let split: TarSplitFile?
  private let reader: TarReader
  private let spaceCheck: SpaceCheck
  private var ids = IDSets()

  init(
    _ source: any ByteSource, root: consuming OwnedDescriptor, _ options: ApplyOptions, _ request: ApplyRequest
  ) throws(StorageError) {
    self.request = request
    spaceCheck = SpaceCheck(root.rawValue)
    do throws(Errno) {
      extractor = try LayerExtractor(
        root: root, options: options, process: .current(), syncsFiles: request.sync == .eachFile)
    } catch {
      throw .failed("open", "/".utf8, error)
    }
    split = try request.tarSplit.map { (path) throws(StorageError) in try TarSplitFile(path) }
    do throws(ArchiveError) { stream = try LayerStream(source, request) } catch {
      throw ApplyRun.failure(error, .stream)
    }
    reader = TarReader(stream.uncompressed, observer: split?.writer)
  }

  func perform(_ root: FilePath) throws(StorageError) -> ApplyResult {
    while let header = try reading({ () throws(ArchiveError) in try reader.next() }) {
      try request.cancellation?.check()
      try spaceCheck.look(before: header)
      ids.add(header)
      try extracting { () throws(StorageError) in
        try extractor.apply(header) { () throws(StorageError) in
          let part = try reading { () throws(ArchiveError) in try reader.nextPart() }
          if case .hole(let count) = part { try request.limit?.take(count) }
          return part
        }
      }
    }
    try extracting { () throws(StorageError) in try extractor.finish() }
    try reading { () throws(ArchiveError) in try reader.drain() }
    if request.sync == .eachFile { try syncDirectories(below: root) }
    do throws(ArchiveError) { try split?.finish(sync: request.flushesTarSplit) } catch {
      throw ApplyRun.failure(error, .stream)
    }
    request.progress?(UInt64(stream.compressedSize))
    var result = ApplyResult(
      compressedDigest: stream.compressedDigest, compressedSize: stream.compressedSize,
      diffDigest: stream.diffDigest, diffSize: stream.diffSize, compression: stream.compression,
      uidSet: ids.sortedUIDs, gidSet: ids.sortedGIDs, contentSize: try contentSize(of: root))
    result.impliedDirectories = extractor.impliedDirectories
    return result
  }

  /// Compares with what the caller expects.
  func verify(_ result: ApplyResult) throws(StorageError) {
    let pairs = [
      ("compressed digest", request.expectedCompressedDigest, result.compressedDigest),
      ("diffID", request.expectedDiffDigest, result.diffDigest),
    ]
    for (what, expected, actual) in pairs {
      guard let expected, expected.isValid, expected.algorithm == "sha256", expected != actual else { continue }
      throw StorageError(.digestMismatch, "\(what) of the layer is \(actual), expected \(expected)")
    }
  }

  private func contentSize(of root: FilePath) throws(StorageError) -> Int64 {
    if extractor.options.whiteouts == .plain { return extractor.headerBytes }
    return extractor.removedSomething ? try diskUsage(of: root).size : extractor.madeBytes
  }

  // MARK: Failures

  private func reading<R>(_ body: () throws(ArchiveError) -> R) throws(StorageError) -> R {
    do throws(ArchiveError) { return try body() } catch {
      let isOfStream = stream.hasFailed || error.kind == .duplicatePath || error.kind == .system
      throw ApplyRun.failure(error, isOfStream ? .stream : .archive)
    }
  }

  private func extracting(_ body: () throws(StorageError) -> Void) throws(StorageError) {
    do throws(StorageError) { try body() } catch {
      if error.cause is ApplyFailure || error.code == .cancelled { throw error }
      throw StorageError(
        error.code, error.message, plain: error.plainMessage, subject: error.subject, path: error.path,
        cause: ApplyFailure(origin: .entry, underlying: error.cause))
    }
  }

  private static func failure(_ error: ArchiveError, _ origin: ApplyFailure.Origin) -> StorageError {
    let plain = error.asStorageError
    if plain.code == .cancelled { return plain }
    return StorageError(
      plain.code, plain.message, path: plain.path, cause: ApplyFailure(origin: origin, underlying: error))
  }
}

/// The tar-split file while it is written.
private final class TarSplitFile {
  let writer: TarSplitWriter
  private let sink: DescriptorSink
  private let file: OwnedDescriptor

  init(_ path: FilePath) throws(StorageError) {
    file = try attempt("open", path) { () throws(Errno) in
      try Syscall.open(path, [.writeOnly, .create, .exclusive], mode: 0o600)
    }
    sink = DescriptorSink(file.rawValue)
    do throws(ArchiveError) { writer = try TarSplitWriter(sink) } catch { throw error.asStorageError }
  }

  func finish(sync: Bool) throws(ArchiveError) {
    try writer.finish()
    try sink.finish()
    guard sync else { return }
    do throws(Errno) { try Syscall.fsync(file.rawValue) } catch { throw ArchiveError.system("fsync", error) }
  }
}

/// Flushes every directory of a tree; the files have been flushed one by one.
private func syncDirectories(below root: FilePath) throws(StorageError) {
  try walkTree(at: root) { (entry) throws(StorageError) in
    guard entry.status.isDirectory else { return .skip }
    do throws(Errno) {
      let directory = try Syscall.openat(entry.directory, entry.name, [.readOnly, .directory, .noFollow])
      try Syscall.fsync(directory.rawValue, .layer)
    } catch {
      throw .failed("fsync", entry.path, error)
    }
    return .enter
  }
  try attempt("fsync", root) { () throws(Errno) in
    let directory = try Syscall.open(root, [.readOnly, .directory])
    try Syscall.fsync(directory.rawValue, .layer)
  }
}
