// SPDX-License-Identifier: Apache-2.0
internal import Glibc
package import SystemPackage

/// Repeats calls that the kernel refuses with `EBUSY`, blocking the thread for a while in between.
///
/// - Parameters:
///   - attempts: how often at most; at least once.
///   - pause: milliseconds between two attempts.
/// - Throws: the last `EBUSY`, any other error at once.
package func retryingWhileBusy<R>(
  attempts: Int, pause: UInt32, _ body: () throws(Errno) -> R
) throws(Errno) -> R {
  var left = attempts
  while true {
    left -= 1
    do throws(Errno) { return try body() } catch .resourceBusy where left > 0 { usleep(pause * 1000) }
  }
}
