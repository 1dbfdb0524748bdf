// SPDX-License-Identifier: Apache-2.0

public import StowageModel
public import StowageOCI
public import StowageStore

/// Asynchronous forms of the operations that take long. Each runs on a bounded pool of plain threads; a store lock is
/// never
/// held across a suspension. Cancelling the task stops `put` between two entries of the archive.
extension LayerOperations {
  /// Makes a layer from a file with a diff; see `put(_:diff:expecting:progress:isCancelled:)`.
  ///
  /// - Throws: `StorageError`, code `cancelled` if the task is cancelled; then nothing is left.
  public func put(
    _ request: LayerCreation, diffFile path: String, expecting: ExpectedDiff = ExpectedDiff(),
    progress: (@Sendable (UInt64) -> Void)? = nil
  ) async throws -> PutLayer {
    let flag = CancellationFlag()
    return try await withTaskCancellationHandler {
      try await BlockingPool.shared.run {
        try self.put(
          request, diff: .file(path), expecting: expecting, progress: progress, isCancelled: { flag.isCancelled })
      }
    } onCancel: {
      flag.cancel()
    }
  }

  /// Writes a layer's diff to an open descriptor; see `diff(of:from:compression:to:)`.
  ///
  /// - Throws: `StorageError`.
  public func diff(
    of nameOrID: String, from: String? = nil, compression: Compression? = nil, toDescriptor descriptor: CInt
  ) async throws {
    try await BlockingPool.shared.run {
      try self.diff(of: nameOrID, from: from, compression: compression, to: .descriptor(descriptor))
    }
  }
}

extension ImageOperations {
  /// Loads the images of an archive or directory; see `ImageLoader`.
  ///
  /// - Parameter name: replaces the names in the archive; `nil` for those.
  /// - Throws: `StorageError`; then nothing of the images is left.
  public func load(
    from source: ImageSource, name: String? = nil, progress: LoadProgress = .silent
  ) async throws -> [LoadedImage] {
    try await BlockingPool.shared.run { try ImageLoader(self.owner).load(from: source, name: name, progress: progress) }
  }

  /// Saves images to a file, a directory or a descriptor; see `ImageSaver`.
  ///
  /// - Parameter images: names or identifiers, also short ones.
  /// - Throws: `StorageError`, code `cancelled` if the task is cancelled; then no file or directory is left.
  @discardableResult
  public func save(
    _ images: [String], to target: ImageTarget, format: SaveFormat = .dockerArchive,
    options: SaveOptions = SaveOptions(), progress: SaveProgress = .silent
  ) async throws -> [SavedImage] {
    let flag = CancellationFlag()
    return try await withTaskCancellationHandler {
      try await BlockingPool.shared.run {
        try ImageSaver(self.owner).save(
          images, to: target, as: format, options: options, progress: progress.stopping { flag.isCancelled })
      }
    } onCancel: {
      flag.cancel()
    }
  }
}

extension Store {
  /// Runs a blocking operation of this store on the pool of plain threads.
  ///
  /// ```swift
  /// let layers = try await store.run { try $0.layers.list() }
  /// ```
  ///
  /// - Throws: what `body` throws.
  public func run<R: Sendable>(_ body: @escaping @Sendable (Store) throws -> R) async throws -> R {
    try await BlockingPool.shared.run { try body(self) }
  }
}
