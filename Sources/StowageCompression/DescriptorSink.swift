// SPDX-License-Identifier: Apache-2.0
import Glibc
import StowageSystem
import SystemPackage

/// Writes to a file, pipe or socket through a buffer; large writes bypass it.
package final class DescriptorSink: ByteSink {
  private let descriptor: CInt
  private let buffer: RawBuffer
  private var filled = 0

  /// Writes to `descriptor`, which stays the caller's.
  package init(_ descriptor: CInt, capacity: Int = 256 << 10) {
    self.descriptor = descriptor
    buffer = RawBuffer(count: max(capacity, 4096))
  }

  package func write(_ bytes: UnsafeRawBufferPointer) throws(ArchiveError) {
    if bytes.count > buffer.bytes.count - filled {
      try flush()
      if bytes.count >= buffer.bytes.count {
        try writeAll(bytes)
        return
      }
    }
    UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[filled...]).copyMemory(from: bytes)
    filled += bytes.count
  }

  /// Hands the buffered bytes to the kernel. Does not synchronise.
  package func flush() throws(ArchiveError) {
    let count = filled
    filled = 0
    try writeAll(UnsafeRawBufferPointer(rebasing: buffer.bytes[..<count]))
  }

  package func finish() throws(ArchiveError) { try flush() }

  private func writeAll(_ bytes: UnsafeRawBufferPointer) throws(ArchiveError) {
    var rest = bytes
    while !rest.isEmpty {
      do throws(Errno) {
        let count = try checked { Glibc.write(descriptor, rest.baseAddress, rest.count) }
        rest = UnsafeRawBufferPointer(rebasing: rest[count...])
      } catch .resourceTemporarilyUnavailable {
        var watched = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        _ = poll(&watched, 1, -1)
      } catch {
        throw ArchiveError.system("write", error)
      }
    }
  }
}
