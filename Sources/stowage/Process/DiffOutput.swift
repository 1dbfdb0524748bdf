// SPDX-License-Identifier: Apache-2.0
import StowageCompression
import StowageModel

/// Where a diff goes to; writing ends with an error when the command is to stop.
final class InterruptibleSink: ByteSink {
  private let sink: DescriptorSink

  init(_ descriptor: CInt) { sink = DescriptorSink(descriptor) }

  func write(_ bytes: UnsafeRawBufferPointer) throws(ArchiveError) {
    if Interruption.isRequested() { throw .cancelled }
    try sink.write(bytes)
  }

  func finish() throws(ArchiveError) { try sink.finish() }

  /// Completes the output, the failure in the words of a store operation.
  func end() throws(StorageError) {
    do throws(ArchiveError) {
      try finish()
    } catch {
      throw StorageError(error.kind == .cancelled ? .cancelled : .system, error.message, cause: error)
    }
  }
}
