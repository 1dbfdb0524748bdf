// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import StowageModel
public import StowageOCI
public import StowageStore
internal import StowageSystem
internal import Synchronization
internal import SystemPackage

extension ImageOperations {
  /// An archive of images as a sequence of pieces, made while they are asked for; see `ImageSaver`.
  ///
  /// ```swift
  /// for try await piece in store.images.archive(["alpine"]) { try await upload(piece) }
  /// ```
  ///
  /// The save begins with the first piece that is asked for. It ends when all are there, with an error, or when the iterator is
  /// gone or its task is cancelled.
  ///
  /// - Parameter format: one that is a file.
  public func archive(
    _ images: [String], format: SaveFormat = .dockerArchive, options: SaveOptions = SaveOptions(),
    progress: SaveProgress = .silent
  ) -> ImageArchive {
    let saver = ImageSaver(owner)
    return ImageArchive { channel throws(StorageError) in
      _ = try saver.save(
        images, to: .pieces { try channel.put(Array($0)) }, as: format, options: options,
        progress: progress.stopping { channel.isClosed })
    }
  }

  /// An archive of images in memory; see ``archive(_:format:options:progress:)``.
  public func archiveBytes(
    _ images: [String], format: SaveFormat = .dockerArchive, options: SaveOptions = SaveOptions()
  ) async throws -> [UInt8] {
    var bytes: [UInt8] = []
    for try await piece in archive(images, format: format, options: options) { bytes += piece }
    return bytes
  }
}

/// An archive of images, piece by piece.
public struct ImageArchive: AsyncSequence, Sendable {
  /// A piece of some hundred kilobytes.
  public typealias Element = [UInt8]

  private let save: @Sendable (PieceChannel) throws(StorageError) -> Void

  init(_ save: @escaping @Sendable (PieceChannel) throws(StorageError) -> Void) { self.save = save }

  /// Begins a save of its own.
  public func makeAsyncIterator() -> Iterator { Iterator(save) }

  /// The pieces in order.
  public struct Iterator: AsyncIteratorProtocol {
    /// Ends the save with the iterator.
    private final class Owner {
      let channel = PieceChannel()
      deinit { channel.close() }
    }

    private let owner = Owner()
    private var save: (@Sendable (PieceChannel) throws(StorageError) -> Void)?

    init(_ save: @escaping @Sendable (PieceChannel) throws(StorageError) -> Void) { self.save = save }

    /// The next piece; nil at the end.
    ///
    /// - Throws: `StorageError`, as `ImageSaver.save`; code `cancelled` if the task is cancelled.
    public mutating func next() async throws -> [UInt8]? {
      let channel = owner.channel
      if let save = save.take() {
        // A thread of its own: it waits for whoever takes the pieces.
        try PlainThread.detach {
          do throws(StorageError) {
            try save(channel)
            channel.finish(nil)
          } catch { channel.finish(error) }
        }
      }
      return try await withTaskCancellationHandler {
        try await channel.next()
      } onCancel: {
        channel.close()
      }
    }
  }
}

/// Hands pieces from a thread that may wait to a task that may not.
final class PieceChannel: Sendable {
  private struct State: Sendable {
    var piece: [UInt8]?
    var isClosed = false
    var end: Result<Void, StorageError>?
    var waiting: CheckedContinuation<[UInt8]?, any Error>?
  }

  /// How often the thread looks whether its piece was taken, in microseconds.
  private static let interval: UInt32 = 500

  private let state = Mutex(State())

  /// Whether nobody wants more.
  var isClosed: Bool { state.withLock(\.isClosed) }

  /// Gives a piece, when the one before was taken.
  ///
  /// - Throws: code `cancelled` when nobody wants more.
  func put(_ piece: [UInt8]) throws(StorageError) {
    while true {
      let isTaken = try state.withLock { (state) throws(StorageError) -> Bool in
        if state.isClosed { throw StorageError(.cancelled) }
        guard state.piece == nil else { return false }
        if let waiting = state.waiting.take() { waiting.resume(returning: piece) } else { state.piece = piece }
        return true
      }
      if isTaken { return }
      usleep(PieceChannel.interval)
    }
  }

  /// Nothing comes any more.
  func finish(_ error: StorageError?) {
    state.withLock { state in
      state.end = error.map { .failure($0) } ?? .success(())
      guard let waiting = state.waiting.take() else { return }
      if let error { waiting.resume(throwing: error) } else { waiting.resume(returning: nil) }
    }
  }

  /// Nobody wants more; who waits is told so.
  func close() {
    state.withLock { state in
      state.isClosed = true
      state.piece = nil
      state.waiting.take()?.resume(throwing: StorageError(.cancelled))
    }
  }

  /// The next piece; nil at the end.
  func next() async throws -> [UInt8]? {
    try await withCheckedThrowingContinuation { continuation in
      state.withLock { state in
        if let piece = state.piece.take() {
          continuation.resume(returning: piece)
        } else if let end = state.end {
          continuation.resume(with: end.map { nil }.mapError { $0 })
        } else if state.isClosed {
          continuation.resume(throwing: StorageError(.cancelled))
        } else {
          state.waiting = continuation
        }
      }
    }
  }
}
