// SPDX-License-Identifier: Apache-2.0

import StowageCompression
import StowageModel
import StowageSystem
import SystemPackage

/// A regular file, or the rest of one, that is read at offsets and never written: safe for several threads at once.
final class InputFile: Sendable {
  private let descriptor: SharedDescriptor
  /// Where the content begins; not 0 for a redirected standard input that was read before.
  let start: Int64
  /// The offset after the last byte, at the time of opening.
  let end: Int64

  /// Takes a regular file, closed at the end of this object's life.
  init(_ descriptor: SharedDescriptor, start: Int64, end: Int64) {
    self.descriptor = descriptor
    self.start = start
    self.end = max(start, end)
  }

  /// Reads at least one byte at `offset` unless that is at or after the end of the file, where it returns 0.
  func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws(ArchiveError) -> Int {
    do throws(Errno) {
      return try Syscall.pread(descriptor.rawValue, into: buffer, at: offset)
    } catch {
      throw ArchiveError.system("pread", error)
    }
  }
}

/// A part of a file as a stream.
///
/// Fails with `unexpected EOF` if the file became shorter since it was opened.
final class FileRangeSource: ChunkSource {
  /// Large enough that the cost of a call does not show beside hashing the bytes, small enough for the processor's cache.
  static let chunkSize = 256 << 10

  private let file: InputFile
  private var position: Int64
  private let end: Int64
  private let buffer: RawBuffer

  /// Delivers the bytes from `offset` up to `end`.
  init(_ file: InputFile, from offset: Int64, to end: Int64, chunkSize: Int = FileRangeSource.chunkSize) {
    self.file = file
    position = offset
    self.end = end
    buffer = RawBuffer(count: max(512, Int(clamping: min(Int64(chunkSize), end - offset))))
  }

  func nextChunk() throws(ArchiveError) -> UnsafeRawBufferPointer {
    let count = try read(into: buffer.bytes)
    return UnsafeRawBufferPointer(rebasing: buffer.bytes[..<count])
  }

  func read(into target: UnsafeMutableRawBufferPointer) throws(ArchiveError) -> Int {
    guard position < end, !target.isEmpty else { return 0 }
    let wanted = Int(clamping: min(Int64(target.count), end - position))
    let count = try file.read(into: UnsafeMutableRawBufferPointer(rebasing: target[..<wanted]), at: position)
    guard count > 0 else { throw ArchiveError.unexpectedEnd }
    position += Int64(count)
    return count
  }
}
