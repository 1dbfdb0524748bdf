// SPDX-License-Identifier: Apache-2.0

import Glibc
import StowageCompression
import StowageModel
import StowageSystem
import SystemPackage

/// Writes an archive to a descriptor, or hands it to a closure: buffered, and until the save is cancelled.
///
/// Failures name the target. The reader of a pipe may be slow: waiting for it ends with the cancellation, too.
final class OutputSink: ByteSink {
  /// How long cancellation may take while the reader of a pipe does not read, in milliseconds.
  private static let patience: CInt = 100

  /// What messages call the target.
  let name: String
  /// Bytes written so far.
  private(set) var position: Int64 = 0
  private let destination: Destination
  let cancellation: CancellationFlag
  private let buffer = RawBuffer(count: 256 << 10)
  private var filled = 0

  private enum Destination {
    case descriptor(CInt)
    /// A description of our own of a pipe, which does not block.
    case pipe(SharedDescriptor)
    case closure(@Sendable (UnsafeRawBufferPointer) throws -> Void)
  }

  /// Writes to `descriptor`, which stays the caller's.
  init(_ descriptor: CInt, name: String, _ cancellation: CancellationFlag) {
    self.name = name
    self.cancellation = cancellation
    // Where it cannot be looked at or opened again, writes block, and cancellation waits for the reader.
    let isPipe = (try? Syscall.fstat(descriptor))?.kind == .fifo
    let own = isPipe ? try? Syscall.open(FilePath("/proc/self/fd/\(descriptor)"), [.writeOnly, .nonBlocking]) : nil
    destination = if let own { .pipe(SharedDescriptor(own)) } else { .descriptor(descriptor) }
  }

  /// Hands pieces to `take`.
  init(
    name: String, _ cancellation: CancellationFlag, take: @escaping @Sendable (UnsafeRawBufferPointer) throws -> Void
  ) {
    self.name = name
    self.cancellation = cancellation
    destination = .closure(take)
  }

  func write(_ bytes: UnsafeRawBufferPointer) throws(ArchiveError) {
    position += Int64(bytes.count)
    if bytes.count > buffer.bytes.count - filled {
      try flush()
      if bytes.count >= buffer.bytes.count { return try writeAll(bytes) }
    }
    UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[filled...]).copyMemory(from: bytes)
    filled += bytes.count
  }

  func finish() throws(ArchiveError) { try flush() }

  /// Replaces bytes written before. Only for a regular file that was empty.
  func patch(_ bytes: [UInt8], at offset: Int64) throws(ArchiveError) {
    try flush()
    guard case .descriptor(let descriptor) = destination else {
      throw ArchiveError(.caller, "writing \(name): only a file can be changed")
    }
    let result = bytes.withUnsafeBytes { raw -> Result<Void, Errno> in
      do throws(Errno) { return .success(try Syscall.pwrite(descriptor, all: raw, at: offset)) } catch {
        return .failure(error)
      }
    }
    do throws(Errno) { try result.get() } catch { throw failure(error) }
  }

  private func flush() throws(ArchiveError) {
    let count = filled
    filled = 0
    try writeAll(UnsafeRawBufferPointer(rebasing: buffer.bytes[..<count]))
  }

  private func writeAll(_ bytes: UnsafeRawBufferPointer) throws(ArchiveError) {
    switch destination {
    case .descriptor(let descriptor): try writeAll(bytes, to: descriptor)
    case .pipe(let pipe): try writeAll(bytes, to: pipe.rawValue)
    case .closure(let take):
      guard !bytes.isEmpty else { return }
      if cancellation.isCancelled { throw .cancelled }
      do { try take(bytes) } catch let error as ArchiveError { throw error } catch {
        let failure = error as? StorageError ?? StorageError(.system, "writing \(name): \(error)", cause: error)
        throw ArchiveError(.caller, failure.message, cause: failure)
      }
    }
  }

  private func writeAll(_ bytes: UnsafeRawBufferPointer, to descriptor: CInt) throws(ArchiveError) {
    var rest = bytes
    while !rest.isEmpty {
      if cancellation.isCancelled { throw .cancelled }
      do throws(Errno) {
        let count = try checked { Glibc.write(descriptor, rest.baseAddress, rest.count) }
        rest = UnsafeRawBufferPointer(rebasing: rest[count...])
      } catch .resourceTemporarilyUnavailable {
        var watched = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        _ = poll(&watched, 1, OutputSink.patience)
      } catch {
        throw failure(error)
      }
    }
  }

  private func failure(_ error: Errno) -> ArchiveError { .system("writing \(name)", error) }
}

extension ArchiveError {
  /// This failure of a save as the error of the store; the text stays.
  var ofSave: StorageError {
    if let own = cause as? StorageError { return own }
    return StorageError(
      kind == .cancelled ? .cancelled : kind == .system ? .system : .invalidArchive, message, cause: self)
  }
}
