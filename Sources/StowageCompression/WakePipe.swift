// SPDX-License-Identifier: Apache-2.0
import Glibc
import StowageSystem
import Synchronization
import SystemPackage

/// Lets one thread end another's wait for a descriptor.
final class WakePipe: Sendable {
  private let readEnd: CInt
  private let writeEnd: CInt
  private let isSignalled = Atomic(false)

  /// Nil if the process is out of descriptors; reads then cannot be cancelled, which is all that is lost.
  init?() {
    var ends: [CInt] = [-1, -1]
    guard pipe(&ends) == 0 else { return nil }
    readEnd = ends[0]
    writeEnd = ends[1]
    _ = fcntl(readEnd, F_SETFD, FD_CLOEXEC)
    _ = fcntl(writeEnd, F_SETFD, FD_CLOEXEC)
  }

  deinit {
    _ = close(readEnd)
    _ = close(writeEnd)
  }

  /// Ends the current wait and all later ones.
  func signal() {
    guard !isSignalled.exchange(true, ordering: .acquiringAndReleasing) else { return }
    var byte: UInt8 = 0
    _ = write(writeEnd, &byte, 1)
  }

  /// Waits until `descriptor` can be read (or is at its end); throws `.cancelled` once signalled.
  func wait(for descriptor: CInt) throws(ArchiveError) {
    var watched = [
      pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0), pollfd(fd: readEnd, events: Int16(POLLIN), revents: 0),
    ]
    do throws(Errno) { try checked { poll(&watched, 2, -1) } } catch { throw ArchiveError.system("poll", error) }
    if watched[1].revents != 0 { throw .cancelled }
  }
}
