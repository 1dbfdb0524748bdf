// SPDX-License-Identifier: Apache-2.0
import StowageCompression
import StowageModel
import StowageStore
import SystemPackage

/// The tar stream of an import: a file, or standard input. Reading ends with an error when the command is to stop.
struct DiffInput {
  private let file: FileDescriptor
  private let isOwned: Bool
  let layerInput: LayerInput

  /// - Parameter path: nil for standard input.
  init(path: String?) throws(StorageError) {
    file = if let path { try HostFile.openForReading(path) } else { .standardInput }
    isOwned = path != nil
    layerInput = .source(InterruptibleSource(file.rawValue))
  }

  /// Closes a file; nothing was written, so an error says nothing.
  func close() {
    if isOwned { try? file.close() }
  }
}

/// A descriptor whose reads fail once the command is to stop, also one that waits for a slow writer.
private final class InterruptibleSource: ByteSource {
  private let source: DescriptorSource

  init(_ descriptor: CInt) {
    source = DescriptorSource(descriptor)
    let waker = Waker(source: source)
    Interruption.whenRequested { waker.source.cancel() }
  }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws(ArchiveError) -> Int {
    if Interruption.isRequested() { throw .cancelled }
    return try source.read(into: buffer)
  }

  func cancel() { source.cancel() }

  /// Carries the source to the thread that cancels.
  private struct Waker: @unchecked Sendable {
    /// Only `cancel()` is called from there, which `ByteSource` allows on any thread.
    let source: DescriptorSource
  }
}
