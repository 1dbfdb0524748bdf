// SPDX-License-Identifier: Apache-2.0
import Glibc
import StowageSystem
import SystemPackage

/// Standard output and standard error of a command.
///
/// Standard output is collected and written with `write(2)` when the buffer is full, before anything goes to standard
/// error (so that both read in order when they are one file) and at the end. Used from the main thread only.
final class Console {
  private var buffer: [UInt8] = []
  private static let capacity = 64 * 1024

  /// Why standard output could not be written, in lower case: the reader is gone, or the disk full.
  private(set) var outputProblem: String?

  init() { buffer.reserveCapacity(4096) }

  /// Adds text to standard output, without a line end.
  func write(_ text: String) {
    buffer.append(contentsOf: text.utf8)
    if buffer.count >= Console.capacity { flush() }
  }

  /// Adds bytes to standard output.
  func write(_ bytes: some Sequence<UInt8>) {
    buffer.append(contentsOf: bytes)
    if buffer.count >= Console.capacity { flush() }
  }

  /// Adds one line to standard output.
  func print(_ line: String) {
    buffer.append(contentsOf: line.utf8)
    buffer.append(UInt8(ascii: "\n"))
    if buffer.count >= Console.capacity { flush() }
  }

  /// Writes one line to standard error, behind all that was printed before.
  func printError(_ line: String) { writeError(line + "\n") }

  /// Writes text to standard error, behind all that was printed before.
  func writeError(_ text: String) {
    flush()
    writeToStandardError(text)
  }

  /// Writes what is collected to standard output.
  func flush() {
    guard !buffer.isEmpty else { return }
    if let problem = buffer.withUnsafeBytes({ writeAll($0, to: STDOUT_FILENO) }) {
      outputProblem = problem.referenceText
    }
    buffer.removeAll(keepingCapacity: true)
  }
}

/// Writes text to standard error in one call. Usable from any thread.
func writeToStandardError(_ text: String) {
  var text = text
  _ = text.withUTF8 { writeAll(UnsafeRawBufferPointer($0), to: STDERR_FILENO) }
}

/// - Returns: what failed, nil if all was written.
private func writeAll(_ bytes: UnsafeRawBufferPointer, to descriptor: CInt) -> Errno? {
  var rest = bytes[...]
  while !rest.isEmpty {
    do throws(Errno) {
      let count = try checked {
        Glibc.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
      }
      rest = rest.dropFirst(count)
    } catch .resourceTemporarilyUnavailable {
      var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
      _ = poll(&waiting, 1, -1)
    } catch {
      return error
    }
  }
  return nil
}
