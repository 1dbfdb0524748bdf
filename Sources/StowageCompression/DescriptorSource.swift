// SPDX-License-Identifier: Apache-2.0
import Glibc
import StowageSystem
import SystemPackage

/// Reads a file, pipe or socket from its current offset to its end.
package final class DescriptorSource: ByteSource {
  private let descriptor: CInt
  private let closes: Bool
  /// A pipe whose write end is closed by `cancel()`, so that a `poll` on the read end returns. -1 for regular files,
  /// which never wait for long.
  private let wake: WakePipe?

  /// Reads from `descriptor`, which is closed at the end of this object's life if `closes` is set.
  package init(_ descriptor: CInt, closes: Bool = false) {
    self.descriptor = descriptor
    self.closes = closes
    var status = stat()
    let isFile = fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    wake = isFile ? nil : WakePipe()
    if isFile { posix_fadvise(descriptor, 0, 0, CInt(POSIX_FADV_SEQUENTIAL)) }
  }

  deinit {
    if closes { _ = close(descriptor) }
  }

  package func read(into buffer: UnsafeMutableRawBufferPointer) throws(ArchiveError) -> Int {
    while true {
      if let wake { try wake.wait(for: descriptor) }
      do throws(Errno) {
        return try Syscall.read(descriptor, into: buffer)
      } catch .resourceTemporarilyUnavailable {
        continue
      } catch {
        throw ArchiveError.system("read", error)
      }
    }
  }

  package func cancel() { wake?.signal() }
}
